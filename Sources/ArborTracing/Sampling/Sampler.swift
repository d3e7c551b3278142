/// Decides which traces are recorded.
///
///     node.traceSettings.sampler = .parentBased(root: .ratio(0.1))
///
/// It is asked when a span is opened. One that is not sampled costs next to nothing: it has no row and no
/// events, and its attributes are never evaluated. Its trace is still passed on, with messages and
/// to other machines, so that all of them leave out the same ones.
///
/// OpenTelemetry: `Sampler`.
public struct Sampler: Sendable {
  /// What is known of a span that is about to be opened.
  public struct Question: Sendable {
    public let traceID: TraceID
    public let name: String
    public let kind: TraceSpan.Kind
    /// What was decided for the span it will be a child of; nil if it begins a trace.
    public let parentIsSampled: Bool?
    /// True if the parent is on another machine.
    public let parentIsRemote: Bool

    public init(
      traceID: TraceID, name: String, kind: TraceSpan.Kind = .internal,
      parentIsSampled: Bool? = nil, parentIsRemote: Bool = false
    ) {
      self.traceID = traceID
      self.name = name
      self.kind = kind
      self.parentIsSampled = parentIsSampled
      self.parentIsRemote = parentIsRemote
    }
  }

  private indirect enum Rule: Sendable {
    case always
    case never
    /// Those whose trace id, by its last 63 bits, is below this.
    case below(UInt64)
    case parentBased(Rule)
    case custom(@Sendable (Question) -> Bool)
  }

  private let rule: Rule

  /// Every span.
  public static let always = Sampler(rule: .always)

  /// None.
  public static let never = Sampler(rule: .never)

  /// That part of all traces, chosen by the trace's id, so that everybody who asks for the same part or
  /// a larger one takes the same traces.
  ///
  /// - Parameter part: from 0, none, to 1, all.
  public static func ratio(_ part: Double) -> Sampler {
    guard part < 1 else { return .always }
    guard part > 0 else { return .never }
    return Sampler(rule: .below(UInt64(part * 0x1p63)))
  }

  /// What was decided for the parent; `root` decides for spans that have none.
  public static func parentBased(root: Sampler = .always) -> Sampler {
    Sampler(rule: .parentBased(root.rule))
  }

  /// What a function says, which is called at every span: keep it short.
  public static func custom(_ decide: @escaping @Sendable (Question) -> Bool) -> Sampler {
    Sampler(rule: .custom(decide))
  }

  /// Whether the span shall be recorded.
  public func decide(_ question: Question) -> Bool { Self.decide(rule, question) }

  private static func decide(_ rule: Rule, _ question: Question) -> Bool {
    switch rule {
    case .always: true
    case .never: false
    case .below(let bound): question.traceID.low & (.max >> 1) < bound
    case .parentBased(let root): question.parentIsSampled ?? decide(root, question)
    case .custom(let function): function(question)
    }
  }

  /// True for one that says what it would say if nobody asked: the parent's decision, else yes.
  var isPlain: Bool {
    if case .parentBased(.always) = rule { true } else { false }
  }
}
