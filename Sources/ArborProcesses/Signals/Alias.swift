/// A second address of a process, which it can switch off: who answers late reaches nobody.
///
///     let (ref, alias) = context.monitor(worker, alias: .replyDemonitor)
///     worker.send(Question(replyTo: alias))
///     // in the worker: question.replyTo.send(Answer())
///
/// Whether a message gets in is decided when it arrives: what is in the mailbox by then stays. One
/// to an alias that is off is dropped and counted, ``MailboxLedger/droppedByAlias``.
///
/// OTP: the reference of `erlang:alias/1`.
public struct Alias: Sendable {
  package let core: ProcessCore
  /// That of the monitor, if it was made with one.
  package let ref: MonitorRef

  package init(_ core: ProcessCore, _ ref: MonitorRef) {
    self.core = core
    self.ref = ref
  }

  /// Sends a message to the process, if the alias is on. Never waits and never throws.
  ///
  /// OTP: `Alias ! Message`.
  public func send<Message: Sendable>(_ message: Message) {
    let ambient = Ambient.current
    let sender = ambient?.process
    if sender?.isFenced == true { return }
    let mail = Mail.make(.message, message, context: ambient?.envelope)
    sender?.noteSend(mail, to: core)
    core.deliver(mail, through: ref)
  }
}

extension Alias: Hashable {
  public static func == (left: Alias, right: Alias) -> Bool {
    left.core === right.core && left.ref == right.ref
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(ref) }
}

extension Alias: CustomStringConvertible {
  public var description: String { "#Alias<\(ref.id) of \(core.pid)>" }
}

/// How long the ``Alias`` of a monitor is on. In every mode `unalias` ends it, and leaves the
/// monitor set.
///
/// OTP: the option `{alias, Mode}` of `erlang:monitor/3`.
public enum AliasMode: Sendable, Hashable {
  /// Until `unalias`: through DOWN and `demonitor`. OTP: `explicit_unalias`.
  case explicit
  /// Until the monitor is gone: its DOWN has arrived, or `demonitor` took it back.
  case demonitor
  /// As ``demonitor``, and until the first message through it, which takes the monitor back too.
  /// OTP: `reply_demonitor`.
  case replyDemonitor
}
