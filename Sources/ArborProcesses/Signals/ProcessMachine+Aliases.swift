import ArborPrimitives

/// How long an alias is on; ``AliasMode``, and one that has no monitor but ends at a reply.
package enum AliasLife: Sendable {
  case explicit, reply, demonitor, replyDemonitor

  package init(_ mode: AliasMode) {
    switch mode {
    case .explicit: self = .explicit
    case .demonitor: self = .demonitor
    case .replyDemonitor: self = .replyDemonitor
    }
  }

  var endsWithMonitor: Bool { self == .demonitor || self == .replyDemonitor }
  var endsWithReply: Bool { self == .reply || self == .replyDemonitor }
}

extension ProcessMachine {
  package mutating func setAlias(_ ref: MonitorRef, _ life: AliasLife) {
    madeBackstage().aliases[ref] = life
  }

  /// - Returns: nil if it was off.
  @discardableResult
  package mutating func removeAlias(_ ref: MonitorRef) -> AliasLife? {
    backstage?.aliases.removeValue(forKey: ref)
  }

  /// Takes a monitor out, and with it the alias that lives no longer than it.
  package mutating func removeMonitor(_ ref: MonitorRef) -> Monitor? {
    if let life = backstage?.aliases[ref], life.endsWithMonitor { removeAlias(ref) }
    return monitors.removeValue(forKey: ref)
  }

  /// A mail that came through an alias.
  ///
  /// - Returns: what became of it, and the monitor that it has taken back.
  package mutating func deliver(
    _ mail: Mail, through ref: MonitorRef
  ) -> (Delivery, ended: Monitor?) {
    // An exiting process has no aliases any more, but its mail is lost to its end.
    guard status == .running, hasMailbox else { return (deliver(mail), nil) }
    guard let life = backstage?.aliases[ref] else {
      ledger.sent += 1
      ledger.droppedByAlias += 1
      return (.refused, nil)
    }
    var ended: Monitor?
    if life.endsWithReply {
      removeAlias(ref)
      if life.endsWithMonitor { ended = monitors.removeValue(forKey: ref) }
    }
    return (deliver(mail), ended)
  }
}
