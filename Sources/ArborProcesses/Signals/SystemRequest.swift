/// What the runtime asks of a server beside its own messages.
///
/// OTP: the system messages of `sys`.
package enum SystemRequest: Sendable {
  /// Call `terminate` and end with that reason.
  case stop(ExitReason)
}
