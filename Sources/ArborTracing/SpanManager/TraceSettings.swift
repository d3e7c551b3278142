import ArborPrimitives
public import ArborProcesses
import Synchronization

/// How a node traces.
public struct TraceSettings: Sendable {
  /// Which traces are recorded; all if not said.
  public var sampler = Sampler.parentBased(root: .always)
  public var limits = SpanLimits()
  /// How many deaths of processes with open spans are kept, for ``SpanManager/deaths(on:)``.
  public var deathLogCapacity = 256

  public init() {}
}

extension Node {
  /// How this node traces. Spans that are open stay as they are.
  ///
  ///     node.traceSettings.sampler = .ratio(0.01)
  public var traceSettings: TraceSettings {
    get { Tracing.of(self).settings.value }
    set { Tracing.of(self).settings.change(to: newValue) }
  }
}

/// The settings, read by every span: what the common case needs is in atomics.
final class SettingsStorage: Sendable {
  private let whole = Lock(TraceSettings())
  let isPlain = Atomic(true)
  let depth = Atomic(SpanLimits().depth)
  let attributes = Atomic(SpanLimits().attributes)

  var value: TraceSettings { whole.withLock { $0 } }
  var limits: SpanLimits { whole.withLock { $0.limits } }

  func change(to value: TraceSettings) {
    whole.withLock { whole in
      whole = value
      isPlain.store(value.sampler.isPlain, ordering: .relaxed)
      depth.store(value.limits.depth, ordering: .relaxed)
      attributes.store(value.limits.attributes, ordering: .relaxed)
    }
  }
}
