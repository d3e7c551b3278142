import ArborBehaviours
import ArborProcesses
import Synchronization

/// The supervised part of tracing.
///
/// The holder comes first, and alone: were it to take the manager along in its fall (restForOne), the
/// table would fall with both.
enum TracingTree {
  static let name: ProcessName = "arbor.root"

  static func start(on node: Node) async throws {
    let maxRestarts = Tracing.of(node).maxRestarts.load(ordering: .relaxed)
    _ = try await Supervisor.start(.oneForOne, named: name, on: node) {
      Child("tracing") {
        try await Supervisor(.oneForOne, maxRestarts: maxRestarts, within: .seconds(5)) {
          Child("table", named: SpanTableHolder.name) { SpanTableHolder() }
          Child("manager", named: SpanManager.name) { await SpanManager.make() }
        }
      }
    }
  }
}
