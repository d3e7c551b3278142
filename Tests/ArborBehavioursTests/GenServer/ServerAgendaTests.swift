import ArborProcesses
import Testing

/// The machines behind the loop, without a process.
@Suite struct ServerAgendaTests {
  private func step(_ number: Int) -> Mail { Mail.make(.step, number, context: nil) }

  @Test("steps come in their order, and before any wait")
  func steps() {
    var agenda = ServerAgenda()
    agenda.continueWith(step(1))
    agenda.continueWith(step(2))
    for expected in [1, 2] {
      guard case .step(let mail) = agenda.nextErrand() else { return #expect(Bool(false)) }
      #expect(mail.value(as: Int.self) == expected)
    }
    guard case .none = agenda.nextErrand() else { return #expect(Bool(false)) }
  }

  @Test("any mail takes back what was asked, but a system message")
  func mail() {
    for kind in [Mail.Kind.call, .cast, .message, .down, .exit, .timeout] {
      var agenda = ServerAgenda()
      agenda.idleTimeout(.seconds(1))
      #expect(agenda.waiting == .idle(1_000_000_000))
      let isDone = [agenda.took(.system), agenda.took(kind)]
      #expect(isDone == [false, true])
      #expect(agenda.waiting == .withoutEnd)
    }
  }

  @Test("asleep goes before idle, idle before drowsy")
  func waiting() {
    var agenda = ServerAgenda()
    agenda.hibernatesAfter = 5
    #expect(agenda.waiting == .drowsy(5))
    agenda.idleTimeout(.nanoseconds(3))
    #expect(agenda.waiting == .idle(3))
    agenda.hibernate()
    #expect(agenda.waiting == .asleep(idle: 3))
    _ = agenda.took(.system)
    #expect(agenda.waiting == .asleep(idle: 3))
    _ = agenda.took(.message)
    #expect(agenda.waiting == .drowsy(5))
  }

  @Test("a log keeps the last events; counters count what they are for; probes are by id")
  func debug() throws {
    var debug = DebugMachine()
    let pid = spawn { _ in }
    func event(_ what: SystemEvent.What) -> SystemEvent {
      SystemEvent(pid: pid, name: nil, what: what, time: 0)
    }
    #expect(!debug.isActive)
    debug.keepLog(2)
    debug.count(true, at: 10)
    for number in 0..<3 {
      _ = debug.note(event(.received(.message, number)))
      _ = debug.note(event(.handled))
    }
    _ = debug.note(event(.replied("reply")))
    #expect(debug.log.count == 2 && debug.isActive)
    let statistics = try #require(debug.statistics(at: 30))
    #expect(statistics.messagesIn == 3 && statistics.messagesOut == 1)
    #expect(statistics.startTime == 10 && statistics.currentTime == 30)
    let probe = Probe("probe") { _ in .keep }
    let installed = [debug.install(probe), debug.install(Probe("probe") { _ in .keep })]
    #expect(installed == [true, false])
    let notice = debug.note(event(.handled))
    #expect(notice.probes.count == 1 && notice.probes[0] === probe)
    let removed = [debug.remove("probe"), debug.remove("probe")]
    #expect(removed == [true, false])
    debug.keepLog(0)
    debug.count(false, at: 40)
    #expect(!debug.isActive && debug.log.isEmpty && debug.statistics(at: 50) == nil)
  }
}
