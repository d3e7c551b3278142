/// Who of a pool's workers runs, looks for work or sleeps, and so who is to be woken: the decisions
/// of a ``WorkStealingPool``. Pure: it is asked under a lock, and what it answers is done after.
///
/// No work is forgotten because of two rules. Whoever has made work visible calls `workArrived`
/// afterwards, and is let off only when nobody sleeps or somebody searches. And who stops searching,
/// or goes to sleep as the last one awake, looks at all queues once more after it has said so here.
struct PoolRoster: Hashable {
  enum Standing: Hashable {
    /// It has no thread: not yet, or (a spare) no longer.
    case absent
    case running
    /// Its thread looks for work, or is on its way to: a woken worker counts from the moment
    /// somebody decided to wake it.
    case searching
    case asleep
  }

  enum Wake: Hashable {
    case nobody
    /// Unpark this worker.
    case wake(Int)
    /// Start this worker's thread.
    case start(Int)
  }

  enum MonitorWake: Hashable {
    case leave
    case start
    case wake
  }

  struct Actions: Hashable {
    var worker = Wake.nobody
    var monitor = MonitorWake.leave
    static let none = Actions()
  }

  enum Monitor: Hashable {
    case absent
    case ticking
    case asleep
  }

  /// Workers below this index are the pool's regular ones, the others its spares.
  let regulars: Int
  private(set) var standings: [Standing]
  private(set) var searching = 0
  private(set) var asleep = 0
  /// How many have a thread.
  private(set) var present = 0
  /// How many regular ones have none yet.
  private var absentRegulars: Int
  private(set) var monitor = Monitor.absent
  private(set) var isStopping = false
  private(set) var hasEnded = false

  init(regulars: Int, spares: Int) {
    self.regulars = regulars
    standings = Array(repeating: .absent, count: regulars + spares)
    absentRegulars = regulars
  }

  /// Whether work that arrives now needs somebody woken.
  var wantsWake: Bool { searching == 0 && asleep + absentRegulars > 0 && !hasEnded }

  func isSpare(_ worker: Int) -> Bool { worker >= regulars }

  // MARK: Waking

  /// There is work in a queue: somebody should come, unless somebody is looking already.
  mutating func workArrived() -> Actions {
    guard wantsWake else { return .none }
    // A regular worker before a spare, so that spares go when they are no longer needed.
    if let worker = firstIndex(.asleep, in: 0..<regulars) { return wake(worker) }
    if let worker = firstIndex(.absent, in: 0..<regulars) { return start(worker) }
    if let worker = firstIndex(.asleep, in: regulars..<standings.count) { return wake(worker) }
    return .none
  }

  /// Work waits and every worker is stuck: one more is wanted, if there is one.
  mutating func spareNeeded() -> Actions {
    guard searching == 0, !hasEnded else { return .none }
    if wantsWake { return workArrived() }
    guard let spare = firstIndex(.absent, in: regulars..<standings.count) else { return .none }
    return start(spare)
  }

  /// The system would not give a thread for `start`.
  ///
  /// - Returns: whom to wake in its place; nil if no worker has a thread, so that nothing can run.
  mutating func startFailed(_ worker: Int) -> Actions? {
    change(worker, to: .absent)
    guard present > 0 else { return nil }
    // Not one who would have to be started: that would fail again.
    guard searching == 0, let sleeper = firstIndex(.asleep, in: standings.indices) else {
      return Actions.none
    }
    return wake(sleeper)
  }

  private mutating func wake(_ worker: Int) -> Actions {
    change(worker, to: .searching)
    return Actions(worker: .wake(worker), monitor: wakeMonitor())
  }

  private mutating func start(_ worker: Int) -> Actions {
    change(worker, to: .searching)
    return Actions(worker: .start(worker), monitor: wakeMonitor())
  }

  // MARK: What a worker says of itself

  /// It has run out of work of its own and wants to look at the others'.
  ///
  /// - Returns: false if enough do so already: it should go to sleep.
  mutating func beginSearch(_ worker: Int) -> Bool {
    guard searching * 2 < present else { return false }
    change(worker, to: .searching)
    return true
  }

  /// It has found something.
  ///
  /// - Returns: true if nobody searches any more, so that it must see whether others are needed.
  mutating func foundWork(_ worker: Int) -> Bool {
    change(worker, to: .running)
    return searching == 0
  }

  /// It has found nothing and goes to sleep.
  ///
  /// - Returns: true if nobody searches any more: before it sleeps it must look at all queues once more.
  mutating func fallAsleep(_ worker: Int) -> Bool {
    change(worker, to: .asleep)
    return searching == 0
  }

  /// It wants to search after all.
  ///
  /// - Returns: false if somebody has decided to wake it meanwhile: the unpark is under way and
  ///   must be taken first.
  mutating func stayAwake(_ worker: Int) -> Bool {
    guard standings[worker] == .asleep else { return false }
    change(worker, to: .searching)
    return true
  }

  /// A spare has slept long enough and ends its thread.
  ///
  /// - Returns: false if somebody has decided to wake it meanwhile.
  mutating func retire(_ worker: Int) -> Bool {
    guard standings[worker] == .asleep else { return false }
    change(worker, to: .absent)
    return true
  }

  // MARK: The end

  /// Nothing more comes from outside.
  ///
  /// - Parameter hasQueued: whether something was left in the common queue.
  /// - Returns: whom to wake; they end one another once all are asleep.
  mutating func stop(hasQueued: Bool) -> Actions {
    isStopping = true
    guard present > 0 || hasQueued else {
      hasEnded = true
      return .none
    }
    return workArrived()
  }

  /// Everybody is asleep and no queue has anything, says a worker who has looked.
  ///
  /// - Returns: who is to be unparked to end, or nil if the pool goes on.
  mutating func endIfDone() -> [Int]? {
    guard isStopping, !hasEnded, asleep == present else { return nil }
    hasEnded = true
    return standings.indices.filter { standings[$0] == .asleep }
  }

  /// A worker's thread ends.
  ///
  /// - Returns: true if it was the last one of a pool that has ended.
  mutating func leave(_ worker: Int) -> Bool {
    if hasEnded { change(worker, to: .absent) }
    return hasEnded && present == 0
  }

  // MARK: The monitor

  /// The monitor wants to sleep until it is woken.
  ///
  /// - Returns: false if somebody is awake: it must go on ticking.
  mutating func restMonitor() -> Bool {
    guard asleep == present, !hasEnded else { return false }
    monitor = .asleep
    return true
  }

  /// The system would not give the monitor a thread; the next one who is woken tries again.
  mutating func monitorStartFailed() { monitor = .absent }

  private mutating func wakeMonitor() -> MonitorWake {
    defer { monitor = .ticking }
    switch monitor {
    case .absent: return .start
    case .ticking: return .leave
    case .asleep: return .wake
    }
  }

  // MARK: Bookkeeping

  private func firstIndex(_ standing: Standing, in range: Range<Int>) -> Int? {
    range.first { standings[$0] == standing }
  }

  private mutating func change(_ worker: Int, to standing: Standing) {
    count(standings[worker], of: worker, by: -1)
    standings[worker] = standing
    count(standing, of: worker, by: 1)
  }

  private mutating func count(_ standing: Standing, of worker: Int, by change: Int) {
    if standing != .absent { present += change }
    switch standing {
    case .absent: if !isSpare(worker) { absentRegulars += change }
    case .running: break
    case .searching: searching += change
    case .asleep: asleep += change
    }
  }
}
