/// What became of the spans that have ended since a ``BatchSpanProcessor`` was first started:
/// `ended = exported + failed + dropped + exporting + queued`.
public struct ExportStatistics: Sendable, Equatable {
  /// Sent: their exporter returned.
  public internal(set) var exported = 0
  /// Given to an exporter that threw, took too long, or was killed.
  public internal(set) var failed = 0
  /// Not taken, because the queue was full.
  public internal(set) var dropped = 0
  /// With the exporter now.
  public internal(set) var exporting = 0
  /// Waiting for the next batch.
  public internal(set) var queued = 0

  /// All of them.
  public var ended: Int { exported + failed + dropped + exporting + queued }
}
