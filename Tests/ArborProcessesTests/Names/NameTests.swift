import ArborProcesses
import ArborTestKit
import Testing

@Suite struct NameTests {
  @Test("register, find, list, unregister")
  func basics() throws {
    try simulate(seed: 1) { sim in
      let node = sim.node
      try await withProcess { context in
        let me = context.pid
        try context.register("a")
        try node.register("b", for: me)
        try #require(node.pid(named: "a") == me)
        try #require(node.registered == ["a": me, "b": me])
        try #require(throws: NameError.taken("a", by: me)) { try node.register("a", for: me) }
        let other = spawn { context in _ = try await context.receive(Int.self) }
        try #require(throws: NameError.taken("a", by: me)) { try node.register("a", for: other) }
        try node.send("hello", to: "a")
        let text = try await context.receive(String.self)
        try #require(text == "hello")
        try node.unregister("a")
        try #require(throws: NameError.unregistered("a")) { try node.unregister("a") }
        try #require(throws: NameError.unregistered("a")) { try node.send(1, to: "a") }
        try node.register("a", for: other)
        try #require(other.info?.names == ["a"] && me.info?.names == ["b"])
        other.sendExit(.kill)
        try #require(node.pid(named: "a") == nil)
        try #require(throws: NameError.notAlive(other)) { try node.register("c", for: other) }
        try #require(node.pid(named: "c") == nil && node.registered["c"] == nil)
      }
    }
  }

  @Test("a name is free by the time that its holder's DOWN arrives")
  func freeAtDown() throws {
    try simulate(seeds: 0..<500) { sim in
      let node = sim.node
      try await withProcess { context in
        var holder = spawn { context in
          try context.register("name")
          _ = try await context.receive(Int.self)
        }
        for _ in 0..<3 {
          let ref = context.monitor(holder)
          switch sim.random(in: 0..<3) {
          case 0: holder.send(1)
          case 1: holder.sendExit(.kill)
          default: holder.sendExit(.shutdown)
          }
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
          try #require(node.registered.isEmpty)
          holder = spawn { context in _ = try await context.receive(Int.self) }
          try node.register("name", for: holder)
          try #require(node.pid(named: "name") == holder)
        }
      }
    }
  }

  @Test("of many who want a name one gets it, and nobody keeps it after the end")
  func contest() throws {
    try simulate(seeds: 0..<500) { sim in
      let node = sim.node
      try await withProcess { context in
        let me = context.pid
        let candidates = (0..<4).map { number in
          spawn { context in
            try await context.sleep(for: .zero)
            do throws(NameError) {
              try context.register("king")
            } catch {
              return me.send(false)
            }
            me.send(true)
            try await context.sleep(for: .milliseconds(number))
            if number.isMultiple(of: 2) { try? node.unregister("king") }
            try await context.sleep(for: .milliseconds(1))
          }
        }
        candidates[sim.random(in: 0..<4)].sendExit(.kill)
        var crowned = 0
        for ref in candidates.map({ context.monitor($0) }) {
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
        }
        while let isKing = try? await context.receive(Bool.self, timeout: .zero) {
          if isKing { crowned += 1 }
        }
        try #require(crowned >= 1)
        try #require(node.registered.isEmpty)
      }
    }
  }

  @Test("REG:otp_8099: a name is had at once from a holder that is just dying")
  func dyingHolder() throws {
    try simulate(seeds: 0..<500) { sim in
      let node = sim.node
      await withProcess { _ in
        for _ in 0..<5 {
          let pid = spawn { inner in while true { _ = try await inner.receive(Int.self) } }
          if (try? node.register("name", for: pid)) == nil {
            // Held by the one before, which is not yet released.
            try? node.unregister("name")
            do { try node.register("name", for: pid) } catch { Issue.record("not free: \(error)") }
          }
          #expect(node.pid(named: "name") == pid)
          for _ in 0..<sim.random(in: 0..<3) { await Task.yield() }
          pid.sendExit(.kill)
          #expect(node.pid(named: "name") == nil)
        }
        await sim.settle()
        #expect(node.registered.isEmpty)
      }
    }
  }

  @Test("a message to a name goes to whoever holds it now")
  func holders() throws {
    try simulate(seeds: 0..<100) { sim in
      let node = sim.node
      try await withProcess { context in
        let me = context.pid
        for number in 0..<3 {
          let (pid, ref) = context.spawnMonitor { inner in
            try inner.register("echo")
            me.send("up")
            _ = try await inner.receive(String.self)
            me.send(number)
          }
          _ = try await context.receive(String.self)
          try #require(node.pid(named: "echo") == pid)
          try node.send("hello", to: "echo")
          let answer = try await context.receive(Int.self)
          try #require(answer == number)
          _ = try await context.receive(Down.self, where: { $0.ref == ref })
        }
      }
    }
  }
}
