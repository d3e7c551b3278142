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

/// A library target; `imports` names the only targets it may import, so the arrows run one way.
func library(_ name: String, imports: [String] = []) -> Target {
  .target(
    name: name, dependencies: imports.map { .target(name: $0) }, swiftSettings: strict)
}

/// A test target, called after what it tests.
func tests(_ name: String, imports: [String], resources: [Resource]? = nil) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: imports.map { .target(name: $0) }, resources: resources,
    swiftSettings: strict)
}

let package = Package(
  name: "arbor",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Arbor", targets: ["Arbor"]),
    .library(name: "ArborTestKit", targets: ["ArborTestKit"]),
  ],
  targets: [
    // Each line imports what stands above it, never what stands below.
    library("ArborPrimitives"),
    library("ArborTelemetry", imports: ["ArborPrimitives"]),
    library("ArborProcesses", imports: ["ArborPrimitives", "ArborTelemetry"]),
    library("ArborTables", imports: ["ArborPrimitives", "ArborTelemetry", "ArborProcesses"]),
    library(
      "ArborBehaviours",
      imports: ["ArborPrimitives", "ArborTelemetry", "ArborProcesses", "ArborTables"]),
    library(
      "ArborTracing",
      imports: [
        "ArborPrimitives", "ArborTelemetry", "ArborProcesses", "ArborTables", "ArborBehaviours",
      ]),
    library(
      "ArborIntrospection",
      imports: [
        "ArborPrimitives", "ArborTelemetry", "ArborProcesses", "ArborTables", "ArborBehaviours",
        "ArborTracing",
      ]),
    library(
      "Arbor",
      imports: [
        "ArborTelemetry", "ArborProcesses", "ArborTables", "ArborBehaviours", "ArborTracing",
        "ArborIntrospection",
      ]),
    library("ArborTestKit", imports: ["ArborPrimitives", "ArborTelemetry", "ArborProcesses"]),
    tests("ArborPrimitives", imports: ["ArborPrimitives"]),
    tests("ArborProcesses", imports: ["ArborPrimitives", "ArborTelemetry", "ArborProcesses"]),
    tests(
      "ArborTestKit",
      imports: ["ArborPrimitives", "ArborTelemetry", "ArborProcesses", "ArborTestKit"]),
  ]
)
