import ArborBehaviours
import ArborProcesses

/// A child of a random tree, as it is written.
struct Spec: Sendable {
  struct Group: Sendable {
    var strategy: Supervisor.Strategy
    var maxRestarts: Int
    /// Milliseconds.
    var period: Int
    var autoShutdown: AutoShutdown
    var children: [Spec]
  }

  var id: String
  var restart: Restart
  var isSignificant: Bool
  var isKilled: Bool
  /// Of a worker.
  var manner: Manner
  /// Nil for a worker.
  var group: Group?
}

/// What OTP's rules make of a tree, in the plainest words: nothing takes time, and what a start or an
/// end leads to is done before it returns.
final class ModelNode {
  let spec: Spec
  weak var parent: ModelNode?
  /// Numbers the processes of the run; nil while it has none.
  var incarnation: Int?
  var restarts = 0
  /// Of a supervisor that runs.
  var children: [ModelNode] = []
  var restartTimes: [Int] = []

  init(_ spec: Spec, below parent: ModelNode?) {
    self.spec = spec
    self.parent = parent
  }

  /// All that run, this one included.
  var running: [ModelNode] {
    (incarnation == nil ? [] : [self]) + children.flatMap(\.running)
  }

  func child(_ id: String) -> ModelNode? { children.first { $0.spec.id == id } }
}

final class TreeModel {
  let root: ModelNode
  /// Milliseconds.
  var now = 0
  /// How many of the next starts of a worker fail.
  var failures: [String: Int] = [:]
  /// What each process that has ended ended with.
  private(set) var ends: [Int: ExitReason] = [:]
  private var incarnations = 0
  /// "+id" for a worker's start, "-id" for its last words, since the last look.
  private var notes: [String] = []
  /// False if orphans have ended meanwhile, each when it came to it.
  private var areNotesInOrder = true

  init(_ spec: Spec) {
    root = ModelNode(spec, below: nil)
    _ = start(root)
  }

  func takeNotes() -> (notes: [String], areInOrder: Bool) {
    defer {
      notes = []
      areNotesInOrder = true
    }
    return (notes, areNotesInOrder)
  }

  // MARK: What happens

  /// A process ends that nobody has asked to, for that reason or killed.
  func crash(_ node: ModelNode, _ reason: ExitReason) {
    if reason == .kill { return kill(node) }
    var reason = reason
    if case .ending(let own) = node.spec.manner { reason = own }
    finish(node, reason, lastWords: true)
    hear(of: node, reason)
  }

  private func kill(_ node: ModelNode) {
    finishAtOnce(node)
    hear(of: node, .killed)
  }

  /// The end of one that is killed: it cannot end its children, whom its link tells.
  private func finishAtOnce(_ node: ModelNode) {
    finish(node, .killed)
    for child in node.children {
      askToEnd(child, .killed)
      areNotesInOrder = false
    }
  }

  /// An exit signal, of a supervisor's or by its link.
  private func askToEnd(_ node: ModelNode, _ reason: ExitReason) {
    guard node.incarnation != nil else { return }
    if node.spec.group != nil { stopAll(node.children) }
    switch node.spec.manner {
    case .ending(let own): finish(node, own, lastWords: true)
    case .plain: finish(node, reason)
    default: finish(node, reason, lastWords: true)
    }
  }

  private func finish(_ node: ModelNode, _ reason: ExitReason, lastWords: Bool = false) {
    guard let incarnation = node.incarnation else { return }
    ends[incarnation] = reason
    node.incarnation = nil
    if lastWords { notes.append("-\(node.spec.id)") }
  }

  // MARK: A supervisor's rules

  private func hear(of node: ModelNode, _ reason: ExitReason) {
    guard let parent = node.parent else { return }
    if node.spec.restart == .permanent || node.spec.restart == .transient && !reason.isQuiet {
      return restart(node, by: parent)
    }
    forgetIfTemporary(node)
    guard node.spec.isSignificant else { return }
    switch parent.spec.group?.autoShutdown {
    case .anySignificant: giveUp(parent)
    case .allSignificant:
      if !parent.children.contains(where: { $0.spec.isSignificant && $0.incarnation != nil }) {
        giveUp(parent)
      }
    default: break
    }
  }

  private func restart(_ node: ModelNode, by parent: ModelNode) {
    guard let group = parent.spec.group else { return }
    var next: ModelNode? = node
    while let failed = next {
      parent.restartTimes.append(now)
      let recent = parent.restartTimes.filter { now - $0 <= group.period }
      if recent.count > group.maxRestarts { return giveUp(parent) }
      guard let place = parent.children.firstIndex(where: { $0 === failed }) else { return }
      let affected =
        switch group.strategy {
        case .oneForOne: [failed]
        case .oneForAll: parent.children
        case .restForOne: Array(parent.children[place...])
        }
      stopAll(affected)
      next = affected.first { child in
        guard parent.children.contains(where: { $0 === child }) else { return false }
        if start(child) {
          child.restarts += 1
          return false
        }
        return true
      }
    }
  }

  private func giveUp(_ node: ModelNode) {
    stopAll(node.children)
    finish(node, .shutdown)
    hear(of: node, .shutdown)
  }

  private func start(_ node: ModelNode) -> Bool {
    if let left = failures[node.spec.id], left > 0 {
      failures[node.spec.id] = left - 1
      return false
    }
    incarnations += 1
    node.incarnation = incarnations
    guard let group = node.spec.group else {
      notes.append("+\(node.spec.id)")
      return true
    }
    node.restartTimes = []
    node.children = group.children.map { ModelNode($0, below: node) }
    for child in node.children where !start(child) {
      stopAll(node.children)
      node.children = []
      node.incarnation = nil
      return false
    }
    return true
  }

  private func stopAll(_ nodes: [ModelNode]) {
    for node in nodes.reversed() { stop(node) }
  }

  private func stop(_ node: ModelNode) {
    if node.incarnation != nil {
      if node.spec.isKilled { finishAtOnce(node) } else { askToEnd(node, .shutdown) }
    }
    forgetIfTemporary(node)
  }

  private func forgetIfTemporary(_ node: ModelNode) {
    if node.spec.restart == .temporary { node.parent?.children.removeAll { $0 === node } }
  }
}

// MARK: Requests

/// What a request comes to, in one word.
enum Outcome: String, Error {
  case done, significantPermanent, significantWithoutAutoShutdown, alreadyStarted, alreadyPresent
  case childFailed, notFound, running, other

  init(_ error: SupervisorError) {
    switch error {
    case .significantPermanent: self = .significantPermanent
    case .significantWithoutAutoShutdown: self = .significantWithoutAutoShutdown
    case .alreadyStarted: self = .alreadyStarted
    case .alreadyPresent: self = .alreadyPresent
    case .childFailed: self = .childFailed
    case .notFound: self = .notFound
    case .running: self = .running
    default: self = .other
    }
  }
}

extension TreeModel {
  func startChild(_ spec: Spec, below parent: ModelNode) -> Outcome {
    if spec.isSignificant {
      if spec.restart == .permanent { return .significantPermanent }
      if parent.spec.group?.autoShutdown == .never { return .significantWithoutAutoShutdown }
    }
    if let child = parent.child(spec.id) {
      return child.incarnation == nil ? .alreadyPresent : .alreadyStarted
    }
    let child = ModelNode(spec, below: parent)
    guard start(child) else { return .childFailed }
    parent.children.append(child)
    return .done
  }

  func terminateChild(_ id: String, below parent: ModelNode) -> Outcome {
    guard let child = parent.child(id) else { return .notFound }
    stop(child)
    return .done
  }

  func restartChild(_ id: String, below parent: ModelNode) -> Outcome {
    guard let child = parent.child(id) else { return .notFound }
    guard child.incarnation == nil else { return .running }
    return start(child) ? .done : .childFailed
  }

  func deleteChild(_ id: String, below parent: ModelNode) -> Outcome {
    guard let child = parent.child(id) else { return .notFound }
    guard child.incarnation == nil else { return .running }
    parent.children.removeAll { $0 === child }
    return .done
  }
}
