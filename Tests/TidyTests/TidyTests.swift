import Testing

@Suite("Tidy: the repository")
struct TidyTests {
  let repository: Repository
  let files: [SourceFile]

  init() throws {
    repository = try Repository()
    files = try repository.swiftFiles()
  }

  @Test("No banned call outside live adapters and the allow-list")
  func bannedCalls() {
    expectNone(files.flatMap { BannedCalls.check($0) })
  }

  @Test("Every row of the allow-list and of the table of imports matches a file")
  func rows() {
    expectNone(Allowance.unused(in: files) + Imports.unused(in: files))
  }

  @Test("No test lacks @Test")
  func testAttributes() {
    for (_, group) in Dictionary(grouping: files.filter(\.isTest), by: \.target) {
      expectNone(TestAttributes.check(group))
    }
  }

  @Test("No function, file or line is too long, and most files are short")
  func sizes() {
    expectNone(files.flatMap { Sizes.check($0) })
    let lengths = files.map { Sizes.lineCount($0) }
    let (median, ninth) = (Sizes.percentile(50, of: lengths), Sizes.percentile(90, of: lengths))
    #expect(median <= 220, "the median file has \(median) lines")
    #expect(ninth <= 500, "one file in ten has over \(ninth) lines")
  }

  @Test("No claim of thread safety lacks an explanation")
  func claims() {
    expectNone(files.flatMap { UncheckedClaims.check($0) })
  }

  @Test("No code has a shape that the compiler translates wrongly")
  func miscompiledShapes() {
    expectNone(files.flatMap { MiscompiledShapes.check($0) })
  }

  @Test("No import violates the dependencies between modules")
  func imports() {
    expectNone(files.flatMap { Imports.check($0) })
    expectNone(files.flatMap { TraitConditions.check($0) })
  }

  @Test("The README is short, scripts keep to the columns, no file has a meaningless name or a machine's path")
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
