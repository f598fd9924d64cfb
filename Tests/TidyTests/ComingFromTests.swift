import Testing

/// Rejects rows of a page's tables which no test proves.
struct ProvenPage: Sendable {
  /// The path of the page.
  let path: String
  /// The head of its tables.
  let head: String

  /// The page for teams that come from other job systems.
  static let comingFrom = ProvenPage(path: "Documentation/coming-from.md", head: "| there | here | test |")

  /// A test that a row names.
  struct Proof: Hashable {
    /// The name of the test's file.
    var file: String
    /// The title of a Swift test or a conformance case, or the name of a Python function.
    var title: String
  }

  /// Returns a finding for each row without a test, and for each test that does not exist.
  ///
  /// - Parameters:
  ///   - lines: the lines of the page.
  ///   - paths: the paths of the repository's files.
  ///   - text: returns the text of a file.
  /// - Returns: the findings.
  func check(_ lines: [String], paths: [String], text: (String) throws -> String) rethrows -> [Finding] {
    let files = Dictionary(grouping: paths) { String($0.split(separator: "/").last ?? "") }
    var titles: [String: Set<String>] = [:]
    var findings: [Finding] = []
    for (index, line) in lines.enumerated() where isRow(line) {
      func report(_ message: String) { findings.append(Finding(path: path, line: index + 1, message: message)) }
      let cells = Self.cells(of: line)
      let proofs = cells.count == 3 ? Self.proofs(in: cells[2]) : []
      if proofs.isEmpty { report("the row names no test: write the file and the title") }
      for proof in proofs {
        guard let found = files[proof.file], found.count == 1 else {
          report("\(proof.file) is the name of \(files[proof.file]?.count ?? 0) files: name one that exists once")
          continue
        }
        if titles[proof.file] == nil { titles[proof.file] = Self.titles(in: try text(found[0]), of: proof.file) }
        if titles[proof.file]?.contains(proof.title) != true {
          report("\(proof.file) has no test \"\(proof.title)\": name the one that proves the row")
        }
      }
    }
    return findings
  }

  /// Returns whether a line is a row of a table, and neither its head nor the line below.
  func isRow(_ line: String) -> Bool {
    line.hasPrefix("| ") && line != head && line != "| --- | --- | --- |"
  }

  /// Returns the cells of a row.
  static func cells(of line: String) -> [String] {
    line.split(separator: "|").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }.map(String.init)
  }

  /// Returns the tests that a cell names, separated by semicolons; none if it has anything else.
  static func proofs(in cell: String) -> [Proof] {
    let matches = cell.matches(of: /`(\w[^`:]*)(?:`: "([^"]+)"|::(\w+)`)(?:; | *$)/)
    // Together they must be the whole cell.
    guard matches.reduce(0, { $0 + cell[$1.range].count }) == cell.count else { return [] }
    return matches.map { Proof(file: String($0.1), title: String($0.2 ?? $0.3 ?? "")) }
  }

  /// Returns the titles of the tests in a file.
  static func titles(in text: String, of file: String) -> Set<String> {
    file.hasSuffix(".py")
      ? Set(text.matches(of: /(?m)^def (test_\w+)\(/).map { "\($0.1)" })
      : Set(text.matches(of: /(?:@Test|Case)\(\s*"([^"]+)"/).map { "\($0.1)" })
  }
}

@Suite("The page for teams that come from other systems")
struct ComingFromTests {
  private func check(_ lines: String...) -> [String] {
    let files = [
      "Tests/A/OneTests.swift": "struct S {\n  @Test(\n    \"It works\", arguments: [1])\n  func a() {}\n}",
      "Sources/B/Two+Cases.swift": "    Case(\"It works, too\") { fixture in",
      "Tests/Conformance/test_three.py": "import x\n\n\ndef test_works(a):\n    pass\n",
      "Tests/A/Twice.swift": "", "Tests/B/Twice.swift": "",
    ]
    return ProvenPage.comingFrom.check(lines, paths: Array(files.keys)) { files[$0] ?? "" }.map(\.message)
  }

  @Test("Each row names a test that exists")
  func rows() throws {
    let repository = try Repository()
    let lines = SourceFile(path: ProvenPage.comingFrom.path, text: try repository.text(ProvenPage.comingFrom.path))
      .lines
    let findings = try ProvenPage.comingFrom.check(lines, paths: repository.paths) { try repository.text($0) }
    for finding in findings { Issue.record("\(finding.description)") }
    #expect(lines.count { ProvenPage.comingFrom.isRow($0) } > 300, "the tables are found")
  }

  @Test("Each of its systems has a table, and its other lines keep to the columns")
  func sections() throws {
    let repository = try Repository()
    let lines = SourceFile(path: ProvenPage.comingFrom.path, text: try repository.text(ProvenPage.comingFrom.path))
      .lines
    let systems = lines.indices.filter { lines[$0].hasPrefix("## ") }
    #expect(systems.count == 11)
    for (system, next) in zip(systems, systems.dropFirst()) {
      #expect(lines[system..<next].contains { ProvenPage.comingFrom.isRow($0) }, "\(lines[system])")
    }
    let words = lines.filter { !$0.hasPrefix("|") }
    #expect(Sizes.columns(path: ProvenPage.comingFrom.path, lines: words).isEmpty)
  }

  @Test("A row without a test, and a test that does not exist, are found")
  func findings() {
    #expect(check("# If you come from …", "", "| there | here | test |", "| --- | --- | --- |") == [])
    #expect(
      check(
        "| a | b | `OneTests.swift`: \"It works\" |", "| a | b | `Two+Cases.swift`: \"It works, too\" |",
        "| a | b | `test_three.py::test_works` |",
        "| a | b | `OneTests.swift`: \"It works\"; `test_three.py::test_works` |") == [])
    for cell in ["", "see OneTests", "`OneTests.swift`", "`OneTests.swift`: \"It works\" and more"] {
      #expect(check("| a | b | \(cell) |") == ["the row names no test: write the file and the title"], "\(cell)")
    }
    #expect(check("| a | `OneTests.swift`: \"It works\" |").count == 1, "two cells")
    #expect(check("| a | b | `Three.swift`: \"It works\" |").first?.contains("0 files") == true)
    #expect(check("| a | b | `Twice.swift`: \"It works\" |").first?.contains("2 files") == true)
    for cell in ["`OneTests.swift`: \"It work\"", "`OneTests.swift`: \"It works, too\"", "`test_three.py::test_work`"] {
      #expect(check("| a | b | \(cell) |").first?.contains("has no test") == true, "\(cell)")
    }
  }
}
