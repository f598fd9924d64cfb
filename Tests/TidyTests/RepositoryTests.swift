import Testing

@Suite("Tidy: the repository")
struct RepositoryTests {
  let repository: Repository
  let files: [SourceFile]

  init() throws {
    repository = try Repository()
    files = try repository.swiftFiles()
  }

  @Test("the files are found")
  func found() {
    #expect(files.count > 40)
    #expect(files.contains { $0.path == "Tests/TidyTests/RepositoryTests.swift" })
    #expect(files.contains { $0.path.hasPrefix("Emulator/") })
  }

  @Test("no banned call outside live adapters and the allow-list")
  func bannedCalls() {
    expectNone(files.flatMap { BannedCalls.check($0) })
  }

  @Test("no entry of the allow-list lacks a reason")
  func allowances() {
    for allowance in Allowance.all {
      #expect(!allowance.reason.isEmpty && !allowance.calls.isEmpty)
      #expect(allowance.calls.isSubset(of: BannedCalls.table.map(\.call)))
    }
  }

  @Test("no test lacks @Test")
  func testAttributes() {
    for (_, group) in Dictionary(grouping: files.filter(\.isTest), by: \.target) {
      expectNone(TestAttributes.check(group))
    }
  }

  @Test("no function, file or line is too long, and most files are short")
  func sizes() {
    expectNone(files.flatMap { Sizes.check($0) })
    let lengths = files.map { Sizes.lineCount($0) }
    let (median, ninth) = (Sizes.percentile(50, of: lengths), Sizes.percentile(90, of: lengths))
    #expect(median <= 150, "the median file has \(median) lines")
    #expect(ninth <= 400, "one file in ten has over \(ninth) lines")
  }

  @Test("no claim of thread safety without its reason")
  func claims() {
    expectNone(files.flatMap { UncheckedClaims.check($0) })
  }

  @Test("no import against the design's arrows")
  func imports() {
    expectNone(files.flatMap { Imports.check($0) })
  }

  @Test("the README is short, other texts keep to the columns, and no file names a machine or nothing")
  func texts() throws {
    for path in repository.paths {
      expectNone(Paths.name(path))
      let file = SourceFile(path: path, text: try repository.text(path))
      expectNone(Paths.machinePaths(path: path, lines: file.lines))
      if path == "README.md" { expectNone(Sizes.readme(file)) }
      if [".py", ".h", "Makefile", "Dockerfile"].contains(where: { path.hasSuffix($0) }) {
        expectNone(Sizes.columns(path: path, lines: file.lines))
      }
    }
  }

  private func expectNone(_ findings: [Finding]) {
    for finding in findings { Issue.record("\(finding.description)") }
  }
}
