import ArborProcesses
import ArborTables

/// The process behind a scope: it owns the table of members, watches them, and tells of changes.
actor GroupsServer<Name: Hashable & Sendable>: GenServer {
  enum Call: Sendable {
    case join(Name, [PID], From<Void>)
    case leave(Name, [PID], From<Bool>)
    case monitor(Name, PID, From<(ref: MonitorRef, members: [PID])>)
    case monitorScope(PID, From<(ref: MonitorRef, groups: [Name: [PID]])>)
    case demonitor(MonitorRef, From<Bool>)
  }

  nonisolated let process = ProcessContext()
  private let table: Table<Name, [PID]>
  private var machine = GroupsMachine<Name>()

  init(_ groups: Groups<Name>) throws { table = try groups.begin(as: process.pid) }

  func handleCall(_ call: Call) throws {
    switch call {
    case .join(let group, let pids, let from):
      for pid in machine.join(group, pids) { machine.watches(pid, by: process.monitor(pid)) }
      try publish(group, .join, pids)
      from.reply()
    case .leave(let group, let pids, let from):
      let (left, unwatched) = machine.leave(group, pids)
      for ref in unwatched { process.demonitor(ref, flush: true) }
      if !left.isEmpty { try publish(group, .leave, left) }
      from.reply(!left.isEmpty)
    case .monitor(let group, let watcher, let from):
      let ref = process.monitor(watcher)
      machine.addWatch(ref, of: watcher, on: group)
      from.reply((ref, machine.members[group] ?? []))
    case .monitorScope(let watcher, let from):
      let ref = process.monitor(watcher)
      machine.addWatch(ref, of: watcher, on: nil)
      from.reply((ref, machine.members))
    case .demonitor(let ref, let from):
      let wasSet = machine.removeWatch(ref)
      if wasSet { process.demonitor(ref, flush: true) }
      from.reply(wasSet)
    }
  }

  func handleInfo(_ info: Info) throws {
    guard case .down(let down) = info, !machine.removeWatch(down.ref), let pid = down.pid else {
      return
    }
    for (group, count) in machine.ended(pid, down.ref) {
      for _ in 0..<count { try publish(group, .leave, [pid]) }
    }
  }

  /// Members of a group have come or gone.
  private func publish(_ group: Name, _ kind: GroupEvent<Name>.Kind, _ pids: [PID]) throws {
    if let members = machine.members[group] {
      try table.insert(group, members)
    } else {
      try table.delete(group)
    }
    for (ref, watcher) in machine.watchers(of: group) {
      process.send(GroupEvent(ref: ref, kind: kind, group: group, pids: pids), to: watcher)
    }
  }
}

/// Who is in which group, and who is told of it, as a pure state machine.
struct GroupsMachine<Name: Hashable & Sendable>: Sendable {
  /// The members of each group that has some, oldest first.
  private(set) var members: [Name: [PID]] = [:]
  /// By which monitor a member is watched, and how often it is in which group.
  private var joined: [PID: (ref: MonitorRef?, groups: [Name: Int])] = [:]
  private var watches: [MonitorRef: (watcher: PID, group: Name?)] = [:]
  private var byGroup: [Name: [MonitorRef]] = [:]
  private var ofScope: [MonitorRef] = []

  /// - Returns: who is to be monitored, each once.
  mutating func join(_ group: Name, _ pids: [PID]) -> [PID] {
    if pids.isEmpty { return [] }
    members[group, default: []] += pids
    var new: [PID] = []
    for pid in pids {
      if joined[pid] == nil { new.append(pid) }
      joined[pid, default: (nil, [:])].groups[group, default: 0] += 1
    }
    return new
  }

  mutating func watches(_ pid: PID, by ref: MonitorRef) { joined[pid]?.ref = ref }

  /// - Returns: who left, each as often as it did, and the monitors of those who are in no group now.
  mutating func leave(_ group: Name, _ pids: [PID]) -> (left: [PID], unwatched: [MonitorRef]) {
    var left: [PID] = []
    var unwatched: [MonitorRef] = []
    for pid in pids {
      guard var entry = joined[pid], let count = entry.groups[group] else { continue }
      left.append(pid)
      entry.groups[group] = count > 1 ? count - 1 : nil
      joined[pid] = entry.groups.isEmpty ? nil : entry
      if entry.groups.isEmpty, let ref = entry.ref { unwatched.append(ref) }
      remove(pid, from: group, count: 1)
    }
    return (left, unwatched)
  }

  /// A member has ended.
  ///
  /// - Returns: the groups that it was in, and how often.
  mutating func ended(_ pid: PID, _ ref: MonitorRef) -> [(group: Name, count: Int)] {
    guard let entry = joined[pid], entry.ref == ref else { return [] }
    joined[pid] = nil
    for (group, count) in entry.groups { remove(pid, from: group, count: count) }
    return entry.groups.map { ($0.key, $0.value) }
  }

  private mutating func remove(_ pid: PID, from group: Name, count: Int) {
    guard var list = members[group] else { return }
    for _ in 0..<count {
      // The latest join: who stays a member keeps its place.
      if let index = list.lastIndex(of: pid) { list.remove(at: index) }
    }
    members[group] = list.isEmpty ? nil : list
  }

  /// - Parameter group: nil for all.
  mutating func addWatch(_ ref: MonitorRef, of watcher: PID, on group: Name?) {
    watches[ref] = (watcher, group)
    if let group { byGroup[group, default: []].append(ref) } else { ofScope.append(ref) }
  }

  /// - Returns: false if there was none.
  mutating func removeWatch(_ ref: MonitorRef) -> Bool {
    guard let watch = watches.removeValue(forKey: ref) else { return false }
    if let group = watch.group {
      byGroup[group]?.removeAll { $0 == ref }
      if byGroup[group]?.isEmpty == true { byGroup[group] = nil }
    } else {
      ofScope.removeAll { $0 == ref }
    }
    return true
  }

  func watchers(of group: Name) -> [(ref: MonitorRef, watcher: PID)] {
    (ofScope + (byGroup[group] ?? [])).compactMap { ref in watches[ref].map { (ref, $0.watcher) } }
  }
}
