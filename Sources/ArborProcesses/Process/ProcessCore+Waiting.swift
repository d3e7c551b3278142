import ArborPrimitives

extension ProcessCore {
  /// What the process's own task waits for, in words, for reports of who is stuck.
  package var waitDescription: String {
    let (status, hasMailbox, isWaitingForMail, wait, unread, unanswered) = machine.withLock {
      (
        $0.status, $0.hasMailbox, $0.receiver != nil, $0.wait, $0.skipped.count, $0.calls.count
      )
    }
    let what: String
    if case .exiting = status {
      what = "its handler to return, to end"
    } else if !hasMailbox {
      what = "its actor to end"
    } else if isWaitingForMail {
      what = unread == 0 ? "a message" : "a message that fits (\(unread) do not)"
    } else if let wait, wait.isArmed {
      what =
        switch wait {
        case let call as AnyCallWait: "an answer from \(call.server.pid)"
        case let ends as EndsWait: "the end of \(ends.count) processes"
        default: "a time"
        }
    } else {
      what = "something that is not Arbor's"
    }
    return unanswered == 0 ? what : "\(what); \(unanswered) of its callers wait for an answer"
  }
}
