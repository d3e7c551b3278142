/// A name under which a process can be found on its node.
///
///     let counter = ServerRef<Counter>(named: "counter")
///
/// A key of a registry is a name too, wherever one is asked for.
///
/// OTP: the atoms of `erlang:register/2`, and `{via, Module, Name}`.
public struct ProcessName: Sendable {
  package enum Source: Sendable {
    case plain(String)
    case via(any NameSource)
  }

  package let source: Source

  public init(_ text: String) { source = .plain(text) }

  package init(via source: any NameSource) { self.source = .via(source) }

  /// The name in words.
  public var text: String {
    switch source {
    case .plain(let text): text
    case .via(let source): source.text
    }
  }
}

/// Who keeps names of another sort than the node's own table does.
///
/// OTP: the module of `{via, Module, Name}`.
package protocol NameSource: AnyObject, Sendable {
  var text: String { get }

  /// The living process that holds the name.
  func find() -> ProcessCore?
  func register(_ core: ProcessCore, as name: ProcessName) throws(NameError)
  /// - Returns: false if nobody held the name.
  func unregister() -> Bool

  func isSame(as other: any NameSource) -> Bool
  func hash(into hasher: inout Hasher)
}

extension ProcessName: Hashable {
  public static func == (left: ProcessName, right: ProcessName) -> Bool {
    switch (left.source, right.source) {
    case (.plain(let left), .plain(let right)): left == right
    case (.via(let left), .via(let right)): left.isSame(as: right)
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch source {
    case .plain(let text): hasher.combine(text)
    case .via(let source): source.hash(into: &hasher)
    }
  }
}

extension ProcessName: ExpressibleByStringInterpolation {
  public init(stringLiteral text: String) { self.init(text) }
}

extension ProcessName: CustomStringConvertible {
  public var description: String { text }
}
