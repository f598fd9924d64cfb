import Testing

@Suite("Tidy: the rules")
struct RuleTests {
  @Test(
    "each banned call is found",
    arguments: [
      "let t = Date()", "x = Date.now", "ContinuousClock().now", "SuspendingClock()",
      "try await Task.sleep(for: .zero)",
      "UUID()", "Int.random(in: 0..<3)", "list.randomElement()", "list.shuffled()", "SystemRandomNumberGenerator()",
      "print(1)", "  debugPrint(x)", "try! f()", "fatalError()", "Task.detached { }", "Task { await f() }",
      "let task = Task(priority: .low) {", "group.add { Task {} }", "ProcessInfo.processInfo", "getenv(name)",
      "text = \"now: \\(Date())\"",
    ])
  func banned(line: String) {
    #expect(BannedCalls.check(file(line)).count == 1)
    #expect(BannedCalls.check(file(line, path: "Sources/CloudJobs/Live/A.swift")).isEmpty)
  }

  @Test(
    "what only looks like a banned call is not",
    arguments: [
      "CivilDate()", "// Date()", "let text = \"print(1)\"", "/* try! */ f()", "Int.random(in: a, using: &generator)",
      "struct Task {", "extension Task {", "var task: Task {", "func make() -> Task {", "mailbox.print(1)",
      "func print(_ a: Int) {}", "let a = #\"UUID()\"#", "TaskGroup { }", "blueprint(1)", "a.Task { }",
    ])
  func notBanned(line: String) {
    #expect(BannedCalls.check(file(line)).isEmpty)
  }

  @Test("an allowance covers its path and its calls alone")
  func allowance() {
    let allowances = [Allowance(path: "Sources/A/", calls: ["print("], reason: "a test")]
    #expect(BannedCalls.check(file("print(1)", path: "Sources/A/A.swift"), allowances: allowances).isEmpty)
    #expect(BannedCalls.check(file("UUID()", path: "Sources/A/A.swift"), allowances: allowances).count == 1)
    #expect(BannedCalls.check(file("print(1)", path: "Sources/B/A.swift"), allowances: allowances).count == 1)
  }

  @Test(
    "comments and literals are blanked, interpolations are not",
    arguments: [
      ("a // b", "a     "), ("a /* b /* c */ d */ e", "a                   e"), ("\"a\\\"b\" c", "\"    \" c"),
      ("\"a\\(b(\"c\"))d\" e", "\"  (b(\" \")) \" e"), ("#\"a\\(b)\"# c", "#\"     \"# c"),
      ("\"\"\"\na \" b\n\"\"\" c", "\"\"\"\n     \n\"\"\" c"), ("a / b", "a / b"),
    ])
  func scanning(text: String, code: String) {
    #expect(CodeScanner.blank(text) == code)
  }

  @Test("a test without its attribute is found, by its name or by what it does")
  func attributes() {
    let missing = "struct S {\n  @Test func a() { #expect(x) }\n  func testB() {}\n  func c() { #expect(y) }\n}"
    #expect(TestAttributes.check([suite(missing)]).map(\.line) == [3, 4])
    let present =
      "struct S {\n  @Test(\"b\", arguments: [{ 1 }])\n  func testB() { check() }\n  func check() { #expect(y) }\n}"
    #expect(TestAttributes.check([suite(present)]).isEmpty)
    let shared = [suite("func shared() { #expect(y) }"), suite("@Test func a() { shared() }")]
    #expect(TestAttributes.check(shared).isEmpty)
  }

  @Test("functions, files and lines over their limits are found, and those at the limits are not")
  func sizes() {
    func function(lines: Int) -> String {
      "protocol P {\n  func p()\n}\nfunc a(b: () -> Void = { }) {\n" + String(repeating: "x\n", count: lines - 2)
        + "}\n"
    }
    #expect(Sizes.check(file(function(lines: 70))).isEmpty)
    #expect(Sizes.check(file(function(lines: 71))).map(\.line) == [4])
    #expect(Sizes.check(file(String(repeating: "x\n", count: 600))).isEmpty)
    #expect(Sizes.check(file(String(repeating: "x\n", count: 601))).count == 1)
    #expect(Sizes.check(file(String(repeating: "x", count: 120))).isEmpty)
    #expect(Sizes.check(file(String(repeating: "x", count: 121))).count == 1)
    #expect(Sizes.readme(file(String(repeating: "x\n", count: 200))).isEmpty)
    #expect(Sizes.readme(file(String(repeating: "x\n", count: 201))).count == 1)
    #expect(Sizes.percentile(50, of: [5, 1, 9]) == 5)
    #expect(Sizes.percentile(90, of: Array(1...10)) == 10)
  }

  @Test("a claim of thread safety needs a comment directly above, attributes aside")
  func claims() {
    #expect(UncheckedClaims.check(file("\nstruct A: @unchecked Sendable {}")).count == 1)
    #expect(UncheckedClaims.check(file("// Why.\n\nnonisolated(unsafe) var a = 1")).count == 1)
    #expect(UncheckedClaims.check(file("// Why.\n@available(*)\nstruct A: @unchecked Sendable {}")).isEmpty)
    #expect(UncheckedClaims.check(file("// @unchecked Sendable")).isEmpty)
  }

  @Test("imports against the arrows are found, whatever their form")
  func imports() {
    func check(_ line: String, _ path: String) -> Int { Imports.check(file(line, path: path)).count }
    #expect(check("import CloudJobs", "Sources/CloudJobsCore/A.swift") == 1)
    #expect(check("public import Foundation", "Sources/CloudJobsCore/A.swift") == 1)
    #expect(check("@preconcurrency import struct Foundation.Date", "Sources/CloudJobs/A.swift") == 1)
    #expect(check("import Foundation", "Sources/CloudJobsCore/Live/A.swift") == 0)
    #expect(check("#if canImport(FoundationEssentials)\nimport Foundation", "Sources/CloudJobsCore/A.swift") == 0)
    #expect(check("import Glibc", "Sources/cloud-jobs/A.swift") == 0)
    #expect(check("import FoundationEssentials", "Sources/CloudJobsCore/A.swift") == 0)
    #expect(check("import CloudJobsHTTP", "Emulator/CloudJobsEmulator/A.swift") == 1)
    #expect(check("import CloudJobsHTTP", "Emulator/CloudJobsEmulatorServer/A.swift") == 0)
    #expect(check("// import CloudJobs", "Sources/CloudJobsCore/A.swift") == 0)
    #expect(check("let a = 1", "Sources/Unknown/A.swift") == 1)
    #expect(check("import Anything", "Tests/SomeTests/A.swift") == 0)
  }

  @Test("machine paths and empty names are found")
  func paths() {
    for folder in ["work", "root", "home"] {
      let path = "/" + folder + "/a"
      for line in [path, "cd \(path)", "\"\(path)\"", "=\(path)"] {
        #expect(Paths.machinePaths(path: "a", lines: ["", line]).map(\.line) == [2])
      }
      #expect(Paths.machinePaths(path: "a", lines: ["https://example.test\(path)", "net\(path)"]).isEmpty)
    }
    for name in ["Sources/A/Utils.swift", "Tests/Helpers/A.swift", "a/String+Helpers.swift", "TestHelpers.swift"] {
      #expect(Paths.name(name).count == 1)
    }
    for name in ["Sources/A/Scheduler.swift", "Sources/A/Miscount.swift"] { #expect(Paths.name(name).isEmpty) }
  }

  private func file(_ text: String, path: String = "Sources/CloudJobs/A.swift") -> SourceFile {
    SourceFile(path: path, text: text)
  }

  private func suite(_ text: String) -> SourceFile { file(text, path: "Tests/ATests/A.swift") }
}
