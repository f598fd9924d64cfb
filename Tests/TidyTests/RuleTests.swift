import Testing

@Suite("Tidy: the rules")
struct RuleTests {
  static let bannedLines = [
    "let t = Date()", "x = Date.now", "ContinuousClock().now", "SuspendingClock()", "try await Task.sleep(for: .zero)",
    "UUID()", "Int.random(in: 0..<3)", "list.randomElement()", "list.shuffled()", "SystemRandomNumberGenerator()",
    "print(1)", "  debugPrint(x)", "try! f()", "fatalError()", "Task.detached { }", "Task { await f() }",
    "let task = Task(priority: .low) {", "group.add { Task {} }", "ProcessInfo.processInfo", "getenv(name)",
    "text = \"now: \\(Date())\"",
  ]

  @Test("Each banned call is found, except in Live folders", arguments: bannedLines)
  func banned(line: String) {
    #expect(BannedCalls.check(file(line)).count == 1)
    #expect(BannedCalls.check(file(line, path: "Sources/CloudJobs/Live/A.swift")).isEmpty)
  }

  @Test("Every row of the table of banned calls has an example above")
  func examples() {
    let found = Self.bannedLines.flatMap { BannedCalls.occurrences(in: file($0)).map(\.call) }
    #expect(Set(found) == Set(BannedCalls.table.map(\.call)))
  }

  @Test(
    "Code that only resembles a banned call is accepted",
    arguments: [
      "CivilDate()", "// Date()", "let text = \"print(1)\"", "/* try! */ f()", "Int.random(in: a, using: &generator)",
      "struct Task {", "extension Task {", "var task: Task {", "func make() -> Task {", "mailbox.print(1)",
      "func print(_ a: Int) {}", "let a = #\"UUID()\"#", "TaskGroup { }", "blueprint(1)", "a.Task { }",
    ])
  func notBanned(line: String) {
    #expect(BannedCalls.check(file(line)).isEmpty)
  }

  @Test("An allowance covers only its path and its calls")
  func allowance() {
    let allowances = [Allowance(path: "Sources/A/", calls: ["print("], reason: "a test")]
    #expect(BannedCalls.check(file("print(1)", path: "Sources/A/A.swift"), allowances: allowances).isEmpty)
    #expect(BannedCalls.check(file("UUID()", path: "Sources/A/A.swift"), allowances: allowances).count == 1)
    #expect(BannedCalls.check(file("print(1)", path: "Sources/B/A.swift"), allowances: allowances).count == 1)
  }

  @Test("A row of the allow-list that matches nothing is found")
  func unusedAllowance() {
    let allowances = [Allowance(path: "Sources/A/", calls: ["print(", "UUID()"], reason: "a test")]
    func unused(_ texts: [String: String]) -> Int {
      Allowance.unused(in: texts.map { file($0.value, path: $0.key) }, allowances: allowances).count
    }
    #expect(unused(["Sources/A/A.swift": "print(1)", "Sources/A/B.swift": "UUID()"]) == 0)
    #expect(unused(["Sources/A/A.swift": "print(1)", "Sources/B/B.swift": "UUID()"]) == 1)
    #expect(unused(["Sources/A/A.swift": "print(1)", "Sources/A/Live/B.swift": "UUID()"]) == 1)
    #expect(unused([:]) == 2)
  }

  @Test("A row or module of the tables of imports that matches nothing is found")
  func unusedImports() {
    func messages(_ files: [SourceFile]) -> String { Imports.unused(in: files).map(\.message).joined(separator: "\n") }
    let none = messages([])
    #expect(none.contains("the row CloudJobsSQLite matches nothing"))
    #expect(none.contains("the row InboxDemo matches nothing"))
    #expect(none.contains("the module Synchronization matches nothing"))
    let some = messages([file("import GRDB\nimport Synchronization", path: "Sources/CloudJobsSQLite/A.swift")])
    #expect(!some.split(separator: "\n").contains { $0.hasPrefix("the row CloudJobsSQLite") })
    #expect(!some.contains("the module GRDB"))
    #expect(!some.contains("the module Synchronization"))
    #expect(some.contains("the module CloudJobs in the row CloudJobsSQLite matches nothing"))
  }

  @Test(
    "Comments and literals are blanked, interpolations are not",
    arguments: [
      ("a // b", "a     "), ("a /* b /* c */ d */ e", "a                   e"), ("\"a\\\"b\" c", "\"    \" c"),
      ("\"a\\(b(\"c\"))d\" e", "\"  (b(\" \")) \" e"), ("#\"a\\(b)\"# c", "#\"     \"# c"),
      ("\"\"\"\na \" b\n\"\"\" c", "\"\"\"\n     \n\"\"\" c"), ("a / b", "a / b"),
    ])
  func scanning(text: String, code: String) {
    #expect(CodeScanner.blank(text) == code)
  }

  @Test("A test without its attribute is found, by its name or its expectations")
  func attributes() {
    let missing = "struct S {\n  @Test func a() { #expect(x) }\n  func testB() {}\n  func c() { #expect(y) }\n}"
    #expect(TestAttributes.check([suite(missing)]).map(\.line) == [3, 4])
    let present =
      "struct S {\n  @Test(\"b\", arguments: [{ 1 }])\n  func testB() { check() }\n  func check() { #expect(y) }\n}"
    #expect(TestAttributes.check([suite(present)]).isEmpty)
    let shared = [suite("func shared() { #expect(y) }"), suite("@Test func a() { shared() }")]
    #expect(TestAttributes.check(shared).isEmpty)
  }

  @Test("Functions, files and lines over the limits are found, those at the limits are not")
  func sizes() {
    func function(lines: Int) -> String {
      "protocol P {\n  func p()\n}\nfunc a(b: () -> Void = { }) {\n" + String(repeating: "x\n", count: lines - 2)
        + "}\n"
    }
    func lines(_ count: Int) -> SourceFile { file(String(repeating: "x\n", count: count)) }
    func columns(_ count: Int) -> SourceFile { file(String(repeating: "x", count: count)) }
    #expect(Sizes.check(file(function(lines: Sizes.maxFunctionLines))).isEmpty)
    #expect(Sizes.check(file(function(lines: Sizes.maxFunctionLines + 1))).map(\.line) == [4])
    #expect(Sizes.check(lines(Sizes.maxFileLines)).isEmpty)
    #expect(Sizes.check(lines(Sizes.maxFileLines + 1)).count == 1)
    #expect(Sizes.check(columns(Sizes.maxColumns)).isEmpty)
    #expect(Sizes.check(columns(Sizes.maxColumns + 1)).count == 1)
    #expect(Sizes.readme(lines(Sizes.maxReadmeLines)).isEmpty)
    #expect(Sizes.readme(lines(Sizes.maxReadmeLines + 1)).count == 1)
    #expect(Sizes.percentile(50, of: [5, 1, 9]) == 5)
    #expect(Sizes.percentile(90, of: Array(1...10)) == 10)
  }

  @Test("A claim of thread safety needs a comment directly above it or its attributes")
  func claims() {
    #expect(UncheckedClaims.check(file("\nstruct A: @unchecked Sendable {}")).count == 1)
    #expect(UncheckedClaims.check(file("// Why.\n\nnonisolated(unsafe) var a = 1")).count == 1)
    #expect(UncheckedClaims.check(file("// Why.\n@available(*)\nstruct A: @unchecked Sendable {}")).isEmpty)
    #expect(UncheckedClaims.check(file("// @unchecked Sendable")).isEmpty)
  }

  @Test("A function as a task-local value is found")
  func localFunctions() {
    func check(_ text: String) -> Int { MiscompiledShapes.check(file(text)).count }
    #expect(check("@TaskLocal package static var make: (@Sendable (String) -> Int)?") == 1)
    #expect(check("@TaskLocal\nstatic var make:\n  (String) -> Int") == 1)
    #expect(check("@TaskLocal static var count = 1\nlet make: (Int) -> Int") == 0)
    #expect(check("@TaskLocal static var maker: Maker?\n\nfunc make() -> Int {}") == 0)
  }

  @Test("A tuple with an element that may throw after a wait is found")
  func miscompiledShapes() {
    func check(_ text: String) -> Int { MiscompiledShapes.check(file(text)).count }
    #expect(check("return (index, .success(try await run(input)))") == 1)
    #expect(check("return (index, try await run(input))") == 1)
    #expect(check("return (\n  key(a, b),\n  .success(\n    try await run()))") == 1)
    #expect(check("return (index, result)\n\nlet a = try await run()") == 0)
    #expect(check("return (index, await run(input))") == 0)
    #expect(check("return try await (run(), 1)") == 0)
    #expect(check("// return (index, try await run(input))") == 0)
  }

  @Test("Forbidden imports are found in every form")
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

  @Test("A program's import of a module that a trait provides needs a condition")
  func traitConditions() {
    func check(_ text: String, _ path: String = "Tests/Programs/a/A.swift") -> Int {
      TraitConditions.check(file(text, path: path)).count
    }
    #expect(check("import CloudJobsServer") == 1)
    #expect(check("public import CloudJobsSQLite", "Benchmarks/A/A.swift") == 1)
    #expect(check("#if Server && SQLite\nimport CloudJobsServer\n#endif") == 0)
    #expect(check("import CloudJobsServer\n#if Server\n#endif") == 1)
    #expect(check("import CloudJobs\nimport CloudJobsCore") == 0)
    #expect(check("import CloudJobsServer", "Sources/CloudJobsTesting/A.swift") == 0)
  }

  @Test("Machine paths and meaningless names are found")
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
