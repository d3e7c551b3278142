/// A name under which a process can be found on its node.
///
///     let counter = ServerRef<Counter>(named: "counter")
///
/// OTP: the atoms of `erlang:register/2`.
public struct ProcessName: Hashable, Sendable {
  public let text: String
  public init(_ text: String) { self.text = text }
}

extension ProcessName: ExpressibleByStringInterpolation {
  public init(stringLiteral text: String) { self.text = text }
}

extension ProcessName: CustomStringConvertible {
  public var description: String { text }
}
