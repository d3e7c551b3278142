import Testing

/// The checker itself: what is wrong on a page must be found.
@Suite struct CheckerTests {
  private func programs(_ text: String) throws(PageFault) -> [PageProgram] {
    try MarkdownPage(path: "Page.md", text: text).programs()
  }

  @Test("blocks without an import go on with the program above; lines are the page's")
  func blocks() throws {
    let programs = try programs(
      """
      # Title
      ```swift
      import Arbor
      let one = 1
      ```
      prose
      ```swift
      let two = one + 1
      ```
      ```swift
      import Arbor
      ```
      ```bash
      print(this is no Swift)
      ```
      """)
    #expect(programs.map(\.line) == [3, 11])
    #expect(
      programs[0].source == """
        #sourceLocation(file: "Page.md", line: 3)
        import Arbor
        let one = 1
        #sourceLocation(file: "Page.md", line: 8)
        let two = one + 1

        """)
    #expect(programs.allSatisfy { !$0.isRun })
  }

  @Test(
    "a page that breaks a rule is refused, by its line",
    arguments: [
      ("```swift\nlet one = 1\n```", 2),
      ("```swift\nimport Arbor\nprint(1)\n```", 2),
      ("<!-- not compiled -->\n```swift\nimport Arbor\n```", 3),
      ("<!-- not compiled: -->\n```swift\nimport Arbor\n```", 3),
      ("<!-- not run: -->\n\n```swift\nimport Arbor\n```", 4),
      ("```swift\nimport Arbor\nprint(1)\n```\n```console\n$ swift run demo\n1\n```", 2),
    ])
  func faults(text: String, line: Int) {
    let fault = #expect(throws: PageFault.self) { try programs(text) }
    #expect(fault?.line == line)
  }

  @Test("marked blocks are left out, and a mark further above does not count")
  func marks() throws {
    let programs = try programs(
      """
      <!-- not compiled: a signature -->
      ```swift
      func f()
      ```
      <!-- not run: it waits for ever -->
      ```swift
      import Arbor
      print(1)
      ```
      <!-- not compiled: too far away -->
      prose
      ```swift
      let two = 2
      ```
      """)
    #expect(programs.count == 1)
    #expect(programs[0].source.contains("two") && programs[0].notRun)
  }

  @Test(
    "outputs are compared line by line, but for what is marked as varying",
    arguments: [
      ("", ["one", "two"], "one\ntwo\n", true),
      ("", ["one", "two"], "one\n", false),
      ("", ["one"], "one\ntwo\n", false),
      ("", ["took ... in all"], "took 3 ms in all", true),
      ("", ["took ... in all"], "took 3 ms", false),
      ("", ["a...b...c"], "a1b2c", true),
      ("", ["a...b...c"], "a1c2b", false),
      ("", ["#PID<1>"], "#PID<7>", false),
      ("varying: pids", ["#PID<1> is up"], "#PID<27> is up", true),
      ("varying: pids", ["#PID<1> is up"], "#PID<27> is down", false),
      ("varying: durations, ids", ["00f067aa0ba902b7  1.5 ms"], "93f067aa0ba902b7 12 us", true),
      ("varying: durations", ["00f067aa0ba902b7 1 ms"], "93f067aa0ba902b7 12 us", false),
      ("varying: order", ["a", "b"], "b\na", true),
      ("varying: odrer", ["a"], "a", false),
    ])
  func outputs(note: String, shown: [String], printed: String, matches: Bool) {
    var expected = ExpectedOutput()
    expected.add(
      MarkdownPage.Block(language: "text", lines: shown, line: 1, note: note.isEmpty ? nil : note))
    #expect(expected.matches(printed) == matches)
  }

  #if !TSAN
  @Test(
    "a program that does not compile, warns, prints something else or fails is found",
    arguments: [
      ("let one: String = 1", "", "Page.md:3"),
      ("func f() { let unused = 1 }", "", "Page.md:3"),
      ("let any: Error? = nil", "", "any Error"),
      ("print(1)", "```text\n2\n```", "printed\n1"),
      ("struct Broken: Error {}\nprint(1)\nthrow Broken()", "```text\n1\n```", "ended with"),
    ])
  func failures(code: String, output: String, message: String) async throws {
    let program = try #require(
      try programs("```swift\nimport Arbor\n\(code)\n```\n\(output)").first)
    let failure = await #expect(throws: Toolchain.Failure.self) {
      try await Toolchain().check(program)
    }
    #expect(failure?.description.contains(message) == true)
  }
  #endif
}
