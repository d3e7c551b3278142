// swift-tools-version: 6.2
import PackageDescription

// One list of settings for every target: what the compiler can check, it checks, and nothing is
// let through as a warning.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The house, from the ground up: each target may import those before it, and none after it.
let layers = [
  "ArborPrimitives", "ArborTelemetry", "ArborProcesses", "ArborTables", "ArborBehaviours",
  "ArborTracing", "ArborIntrospection",
]

func library(_ name: String, imports: some Sequence<String>) -> Target {
  .target(
    name: name, dependencies: imports.map { .target(name: $0) }, swiftSettings: strict)
}

/// A program that imports the umbrella. The layers are named too: SwiftPM builds a program anew when one
/// of its dependencies changes, and does not see that `Arbor` re-exports them.
func program(_ name: String, path: String? = nil) -> Target {
  .executableTarget(
    name: name, dependencies: (layers + ["Arbor"]).map { .target(name: $0) }, path: path,
    swiftSettings: strict)
}

/// A test target, called after what it tests; a test may use everything.
func tests(_ name: String, resources: [Resource]? = nil) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: (layers + ["ArborTestKit"]).map { .target(name: $0) },
    resources: resources, swiftSettings: strict)
}

let package = Package(
  name: "arbor",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Arbor", targets: ["Arbor"]),
    .library(name: "ArborTestKit", targets: ["ArborTestKit"]),
    .executable(name: "demo", targets: ["ArborDemo"]),
    .executable(name: "stress", targets: ["Stress"]),
  ],
  targets: layers.indices.map { library(layers[$0], imports: layers[..<$0]) } + [
    library("Arbor", imports: layers.dropFirst()),
    library("ArborTestKit", imports: layers),
    program("ArborDemo"),
    tests("ArborPrimitives"),
    tests("ArborTelemetry"),
    tests("ArborProcesses"),
    tests("ArborTables"),
    tests("ArborBehaviours"),
    tests("ArborTracing"),
    tests("ArborIntrospection"),
    tests("ArborTestKit"),
    tests("RuntimeSemantics"),
    // The pages' programs import the umbrella.
    .testTarget(
      name: "DocumentationTests", dependencies: ["Arbor", "ArborTestKit"],
      exclude: ["Fixtures"], swiftSettings: strict),
    program("ArborBench", path: "Benchmarks/ArborBench"),
    program("Stress", path: "Benchmarks/Stress"),
    .executableTarget(name: "Compare", path: "Benchmarks/Harness", swiftSettings: strict),
  ]
)
