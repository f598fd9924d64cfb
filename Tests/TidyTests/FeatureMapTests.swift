import Foundation
import Testing

/// The names that a program can use: what the sources declare in public, and the labels of their parameters.
struct PublicNames: Sendable {
  /// The declared names.
  private(set) var names: Set<String> = []
  /// The labels of the parameters of each function; those of all initializers under `init`.
  private(set) var labels: [String: Set<String>] = [:]

  /// Collects the declarations of files.
  ///
  /// - Parameter files: the files, of which those of tests are left out.
  init(_ files: [SourceFile]) {
    for file in files where !file.isTest {
      var isInProtocol = false
      for (index, line) in file.code.enumerated() {
        if line == "}" { isInProtocol = false }
        let words = line.split(separator: " ")
        guard let first = words.first else { continue }
        if first == "public", words.contains("protocol") { isInProtocol = true }
        if first == "case" {
          note(cases: words.dropFirst().joined(separator: " "))
        } else if isInProtocol || words.contains("public") {
          note(words, file.code[index...].prefix(20))
        }
      }
    }
  }

  private static let keywords: Set<Substring> = [
    "func", "var", "let", "struct", "enum", "class", "protocol", "actor", "typealias", "associatedtype",
  ]

  private static func identifier(_ text: some StringProtocol) -> String {
    String(text.drop { $0 == "`" }.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }

  /// Notes the cases of an enumeration, with the labels of their values.
  private mutating func note(cases text: String) {
    var (depth, name, inner) = (0, "", "")
    for character in text + "," {
      if character == ")" { depth -= 1 }
      switch (character, depth) {
      case (",", 0):
        let own = Self.identifier(name)
        if !own.isEmpty {
          names.insert(own)
          labels[own, default: []].formUnion(Self.labels(in: inner))
        }
        (name, inner) = ("", "")
      case (_, 0): name.append(name.isEmpty && character == " " ? "`" : character)
      default: inner.append(character)
      }
      if character == "(" { depth += 1 }
    }
  }

  /// Notes a declaration.
  private mutating func note(_ words: [Substring], _ lines: ArraySlice<String>) {
    if let place = words.firstIndex(where: { Self.keywords.contains($0) }), place + 1 < words.count {
      names.insert(Self.identifier(words[place + 1]))
    }
    let line = lines[lines.startIndex]
    for keyword in ["func ", "init", "subscript"] {
      guard let range = line.firstRange(of: keyword), let start = line[range.upperBound...].firstIndex(of: "(") else {
        continue
      }
      let name = keyword == "func " ? Self.identifier(line[range.upperBound...]) : keyword
      labels[name, default: []].formUnion(Self.parameters(lines, from: line.index(after: start)))
      return
    }
  }

  /// Returns the labels of a declaration's parameters.
  private static func parameters(_ lines: ArraySlice<String>, from start: String.Index) -> [String] {
    var (depth, text) = (1, "")
    for (number, line) in lines.enumerated() {
      for character in number == 0 ? line[start...] : line[...] {
        if character == "(" || character == "[" { depth += 1 }
        if character == ")" || character == "]" { depth -= 1 }
        if depth == 0 { return labels(in: text) }
        if depth == 1 { text.append(character) }
      }
      text.append(" ")
    }
    return labels(in: text)
  }

  private static func labels(in text: String) -> [String] {
    text.split(separator: ",").compactMap { part in
      guard let colon = part.firstIndex(of: ":") else { return nil }
      let words = part[..<colon].split(separator: " ").filter { !$0.hasPrefix("@") }
      return words.first.map(String.init)
    }
  }

  /// Looks up an expression.
  ///
  /// - Parameter expression: such as `runtime.enqueue(_:after:)`, `.timeout(_:)` or `RetryPolicy.jitter`; the name of a
  ///   variable may stand first.
  /// - Returns: the first part or label that nothing declares, or nil.
  func fault(in expression: String) -> String? {
    let variables: Set = ["runtime", "context", "registry", "router", "state", "options", "store"]
    let head = expression.prefix { $0 != "(" && $0 != "[" }
    let parts = head.split(separator: ".").map(String.init)
    for (index, part) in parts.enumerated() where !names.contains(part) {
      if index > 0 || !variables.contains(part) { return part }
    }
    guard let last = parts.last else { return expression }
    let words = expression.dropFirst(head.count).matches(of: /(\w+):/).map { "\($0.1)" }
    let isType = last.first?.isUppercase ?? false
    let known = labels[isType ? "init" : head.count < expression.count && expression.contains("[") ? "subscript" : last]
    return words.first { $0 != "_" && known?.contains($0) != true }
  }
}

/// The rules for the page that maps the features of the origin systems.
struct FeatureMap: Sendable {
  static let page = ProvenPage(
    path: "Documentation/feature-map.md", head: "| what it offers | here | proved by |")

  let names: PublicNames
  /// The settings, columns, targets and routes, and the texts that the sources contain.
  let isKnown: @Sendable (String) -> Bool
  /// Returns whether a link leads somewhere.
  let isLink: @Sendable (String) -> Bool

  /// Returns a finding for each name that does not exist, and for each row without a link to a guide.
  func check(_ lines: [String]) -> [Finding] {
    var findings: [Finding] = []
    for (index, line) in lines.enumerated() where Self.page.isRow(line) {
      func report(_ message: String) {
        findings.append(Finding(path: Self.page.path, line: index + 1, message: message))
      }
      let cells = ProvenPage.cells(of: line)
      guard cells.count == 3 else {
        report("the row has \(cells.count) cells")
        continue
      }
      let links = cells[1].matches(of: /\]\(([^)]+)\)/).map { "\($0.1)" }
      if links.isEmpty { report("the row has no link to a guide") }
      for link in links where !isLink(link) { report("the link \(link) leads nowhere") }
      for token in cells[1].matches(of: /`([^`]+)`/).map({ "\($0.1)" }) {
        // Another test asks the program itself for its commands.
        if token.hasPrefix("cloud-jobs ") || isKnown(token) { continue }
        if let part = names.fault(in: token) { report("nothing public is called \(part): \(token)") }
      }
    }
    return findings
  }
}

@Suite("The feature map")
struct FeatureMapTests {
  /// The map over this repository, which takes some seconds to make.
  private static let shared = Result { try map() }

  private static func firstCells(of page: String, _ repository: Repository) throws -> Set<String> {
    let lines = try repository.text("Documentation/\(page)").split(separator: "\n").map(String.init)
    return Set(lines.compactMap { $0.firstMatch(of: /^\| `([^`]+)`/).map { "\($0.1)" } })
  }

  /// Returns the anchors of a page's headings.
  private static func anchors(of text: String) -> Set<String> {
    Set(
      text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
        heading.drop { $0 == "#" || $0 == " " }.lowercased()
          .compactMap { $0 == " " ? "-" : $0.isLetter || $0.isNumber || $0 == "-" ? "\($0)" : nil }.joined()
      })
  }

  private static func map() throws -> (FeatureMap, Repository) {
    let repository = try Repository()
    let files = try repository.swiftFiles().filter { !$0.isTest }
    let known = try firstCells(of: "settings.md", repository).union(firstCells(of: "tables.md", repository))
    let makefile = try repository.text("Makefile")
    let routes = try repository.text("Sources/CloudJobs/Runtime/JobRuntime.swift")
    let sources = Data(try files.map { try repository.text($0.path) }.joined().utf8)
    let paths = Set(repository.paths)
    let map = FeatureMap(names: PublicNames(files)) { token in
      if known.contains(token) { return true }
      if token.hasPrefix("make ") { return makefile.contains("\n\(token.dropFirst(5)):") }
      if let route = token.firstMatch(of: /^([A-Z]+) \/jobs\/(.+)$/) {
        return routes.replacing("\n  /// ", with: " ").contains("`\(route.1) \(route.2)`")
      }
      return sources.range(of: Data("\"\(token)\"".utf8)) != nil
    } isLink: { link in
      let parts = link.split(separator: "#", maxSplits: 1).map(String.init)
      let path = parts[0].hasPrefix("../") ? String(parts[0].dropFirst(3)) : "Documentation/\(parts[0])"
      guard paths.contains(path) else { return false }
      return parts.count == 1 || ((try? repository.text(path)).map { anchors(of: $0).contains(parts[1]) } ?? false)
    }
    return (map, repository)
  }

  @Test("Each row names a test that exists, and links to a guide; each name in it exists")
  func rows() throws {
    let (map, repository) = try Self.shared.get()
    let lines = SourceFile(path: FeatureMap.page.path, text: try repository.text(FeatureMap.page.path)).lines
    let findings = try FeatureMap.page.check(lines, paths: repository.paths) { try repository.text($0) }
    for finding in findings + map.check(lines) { Issue.record("\(finding.description)") }
    #expect(lines.count { FeatureMap.page.isRow($0) } > 150, "the tables are found")
    #expect(lines.count { $0.hasPrefix("## ") } == 5, "one section for each system")
    #expect(Sizes.columns(path: FeatureMap.page.path, lines: lines.filter { !$0.hasPrefix("|") }).isEmpty)
  }

  @Test(
    "A name, a label, a route, a setting or a link that does not exist is found",
    arguments: [
      ("`runtime.enqueue(_:after:key:unique:)`, [a](calls.md)", nil), ("`RunStatus.failed` [a](calls.md)", nil),
      ("`GET /jobs/runs/{runId}`, `worker.queues`, `runs.status`, `make coverage` [a](workers.md#the-drain)", nil),
      ("`job.blocking`, `RetryPolicy(maxAttempts:backoff:)`, `registry[_:]`, `.timeout(_:)` [a](calls.md)", nil),
      ("`runtime.enqeue(_:)` [a](calls.md)", "enqeue"), ("`RunStatus.fialed` [a](calls.md)", "fialed"),
      ("`runtime.enqueue(_:later:)` [a](calls.md)", "later"), ("`RetryPolicy(attempts:)` [a](calls.md)", "attempts"),
      ("`GET /jobs/rnus` [a](calls.md)", "GET /jobs/rnus"), ("`worker.queuess` [a](calls.md)", "queuess"),
      ("`make covrage` [a](calls.md)", "make covrage"), ("`cron` [a](nowhere.md)", "nowhere.md"),
      ("`cron` [a](workers.md#nowhere)", "nowhere"), ("`cron`", "no link"),
    ] as [(String, String?)])
  func names(here: String, found: String?) throws {
    let (map, _) = try Self.shared.get()
    let messages = map.check(["| it | \(here) | `A.swift`: \"b\" |"]).map(\.message)
    if let found {
      #expect(messages.count == 1 && messages[0].contains(found), "\(messages)")
    } else {
      #expect(messages == [])
    }
  }
}
