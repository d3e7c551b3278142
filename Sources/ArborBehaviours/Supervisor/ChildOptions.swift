/// When a supervisor starts a child again.
///
/// OTP: `restart` of a child specification.
public enum Restart: Sendable, Equatable {
  /// Always. The default.
  case permanent
  /// After an abnormal end: anything but `normal`, `shutdown` and `shutdown(detail)`.
  case transient
  /// Never; the supervisor forgets the child with its end.
  case temporary
}

/// How a supervisor ends a child.
///
/// OTP: `shutdown` of a child specification.
public enum Shutdown: Sendable, Equatable {
  /// With `kill`, at once.
  case brutalKill
  /// With `shutdown`, and with `kill` if it takes longer than that. Five seconds is the default.
  case timeout(Duration)
  /// With `shutdown`, for as long as it takes. The default for supervisors, whose children need
  /// their own time.
  case infinity
}

/// Whether a supervisor ends by itself, with `shutdown`, when children that are `significant` have
/// ended by themselves.
///
/// An end counts that is followed by no restart: of a transient child one that is not abnormal, of a
/// temporary child any. One that the supervisor itself brought about never does.
///
/// OTP: `auto_shutdown` of the supervisor flags.
public enum AutoShutdown: Sendable, Equatable {
  /// Never. The default; no child may then be significant.
  case never
  /// With the first such end.
  case anySignificant
  /// With such an end of the last significant child that was there.
  case allSignificant
}
