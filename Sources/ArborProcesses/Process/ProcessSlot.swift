import ArborPrimitives
public import Synchronization

/// What a part of the node keeps about one process, beside the process itself.
@usableFromInline
package protocol SlotContent: AnyObject, Sendable {
  /// The span that the calling code is in, which is of the process and was found in `ambient`, if that
  /// does not tell; nil if there is none.
  func cursor(at ambient: Ambient) -> TraceCursor?

  /// The process has ended: its fate is set, and nobody has heard of it yet.
  func processReleased(_ core: ProcessCore)

  /// The `withProcess` scope that is the process has ended, for that reason; before its release.
  func scopeEnded(_ core: ProcessCore, reason: ExitReason)
}

/// The place for it in a process: filled once, and empty again only when the process object goes. So
/// whoever has the process may read it without a lock, which is what each span begins with.
@usableFromInline
package struct ProcessSlot: ~Copyable, Sendable {
  private let kept = Lock<(any SlotContent)?>(nil)
  /// The content's address; 0 until there is one.
  @usableFromInline package let address = Atomic<UInt>(0)

  init() {}

  package var content: (any SlotContent)? {
    address.load(ordering: .relaxed) == 0 ? nil : kept.withLock { $0 }
  }

  /// The content, which is of that type: there is one part only that fills the slots of a node.
  @inlinable
  package func content<Content: SlotContent>(as type: Content.Type) -> Content? {
    reference(as: type)?.takeUnretainedValue()
  }

  /// The same, not counted: it lasts as long as the process object.
  @inlinable
  package func reference<Content: SlotContent>(as type: Content.Type) -> Unmanaged<Content>? {
    UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)).map(Unmanaged.fromOpaque)
  }

  /// The same, lent for the length of `body`; nil if there is none.
  @inlinable
  package func withContent<Content: SlotContent, Result>(
    as type: Content.Type, _ body: (Content) -> Result
  ) -> Result? {
    reference(as: type)?._withUnsafeGuaranteedRef(body)
  }

  /// Fills it, unless somebody was faster.
  ///
  /// - Returns: true if this is the content now.
  package func fill(_ content: some SlotContent) -> Bool {
    kept.withLock { kept in
      if kept != nil { return false }
      kept = content
      let object = Unmanaged.passUnretained(content).toOpaque()
      address.store(UInt(bitPattern: object), ordering: .releasing)
      return true
    }
  }
}
