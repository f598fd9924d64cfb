#if Server && SQLite
@testable import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Foundation
import Testing

@Suite("The README")
struct ReadmeTests {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let readme = here.appendingPathComponent("../../README.md").standardizedFileURL

  private static func lines(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// Returns the blocks of Swift code.
  private static func examples(in file: URL) throws -> [[String]] {
    var examples = [[String]]()
    var block: [String]?
    for line in try lines(of: file) {
      if line == "```swift" {
        block = []
      } else if line == "```", let done = block {
        examples.append(done)
        block = nil
      } else {
        block?.append(line)
      }
    }
    return examples
  }

  @Test(
    "Each Swift example is contained in compiled code",
    arguments: [
      (
        "README.md",
        [
          "../../Examples/QuickStart/Package.swift", "../../Examples/QuickStart/Sources/QuickStart/QuickStart.swift",
          "Simulation.swift",
        ]
      ),
      ("Documentation/testing.md", Array(repeating: "TestingGuide.swift", count: 6)),
      ("Documentation/workers.md", Array(repeating: "WorkerGuide.swift", count: 4)),
      ("Documentation/calls.md", ["CallsGuide.swift"]),
      ("Documentation/events.md", ["CallsGuide.swift", "CallsGuide.swift"]),
      ("Documentation/settings.md", ["WorkerGuide.swift"]),
      ("Documentation/dashboard.md", Array(repeating: "DashboardGuide.swift", count: 3)),
      ("Documentation/cloud-run.md", ["../Programs/cloud-run-service/ServeOnCloudRun.swift"]),
    ])
  func examplesAreCompiled(text: String, sources: [String]) throws {
    let root = Self.readme.deletingLastPathComponent()
    let examples = try Self.examples(in: root.appendingPathComponent(text))
    #expect(examples.count == sources.count)
    for (example, source) in zip(examples, sources) {
      let code = try Self.lines(of: Self.here.appendingPathComponent(source))
      let first = try #require(example.first)
      let starts = code.indices.filter { code[$0] == first }
      #expect(
        starts.contains { code[$0...].starts(with: example) },
        "not in \(source): \(example.joined(separator: "\n"))")
    }
  }

  @Test("The program that the tests run is the example, within the condition of its traits")
  func program() throws {
    let example = Self.readme.deletingLastPathComponent().appendingPathComponent("Examples/QuickStart")
    let code = try Self.lines(of: example.appendingPathComponent("Sources/QuickStart/QuickStart.swift"))
    let program = try Self.lines(of: Self.here.appendingPathComponent("../Programs/quick-start/QuickStart.swift"))
    #expect(program.first == "#if Server && SQLite")
    #expect(Array(program.dropFirst().prefix { $0 != "#else" }) == Array(code.dropLast()))
  }

  @Test("The example's manifest has a product for each imported module")
  func manifest() throws {
    let example = Self.readme.deletingLastPathComponent().appendingPathComponent("Examples/QuickStart")
    let manifest = try String(contentsOf: example.appendingPathComponent("Package.swift"), encoding: .utf8)
    let root = try String(
      contentsOf: Self.readme.deletingLastPathComponent().appendingPathComponent("Package.swift"), encoding: .utf8)
    let products = manifest.matches(of: /\.product\(name: "(\w+)"/).map { String($0.1) }
    let code = try Self.lines(of: example.appendingPathComponent("Sources/QuickStart/QuickStart.swift"))
    let imports = code.filter { $0.hasPrefix("import ") }.map { String($0.dropFirst(7)) }
    #expect(Set(products) == Set(imports))
    for product in products { #expect(root.contains(".library(name: \"\(product)\"")) }
  }

  @Test(
    "The reference pages list exactly the supported fields and members",
    arguments: [("job-documents.md", JobConfiguration.fieldNames), ("envelopes.md", Envelope.memberNames)])
  func references(page: String, names: Set<String>) throws {
    let text = Self.readme.deletingLastPathComponent().appendingPathComponent("Documentation/\(page)")
    // The first table of the page.
    let table = try Self.lines(of: text).drop { !$0.hasPrefix("| ") }.prefix { $0.hasPrefix("| ") }
    let named = table.compactMap { $0.firstMatch(of: /^\| `(\w+)`/).map { String($0.1) } }
    #expect(Set(named) == names && named.count == names.count)
  }

  @Test("The page on events lists each of them with its level")
  func events() throws {
    let page = Self.readme.deletingLastPathComponent().appendingPathComponent("Documentation/events.md")
    let rows = try Self.lines(of: page).filter { $0.hasPrefix("| `") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
    }
    #expect(Set(rows.map { $0[0] }) == Set(JobEvent.Name.allCases.map(\.rawValue)))
    #expect(rows.count == JobEvent.Name.allCases.count)
    for row in rows { #expect(JobEvent.Name(rawValue: row[0]).map { "\($0.level)" } == row[2], "\(row[0])") }
  }

  @Test("The page on documents names every field of the state")
  func stateFields() throws {
    let text = Self.readme.deletingLastPathComponent().appendingPathComponent("Documentation/job-documents.md")
    let words = try Self.lines(of: text).joined(separator: " ")
    for name in JobState.fieldNames { #expect(words.contains("`\(name)`"), "\(name)") }
  }

  @Test("The README has at most 200 lines and names only existing Makefile targets")
  func sizeAndTargets() throws {
    let readme = try Self.lines(of: Self.readme)
    #expect(readme.count <= 201)
    let makefile = try Self.lines(of: Self.readme.deletingLastPathComponent().appendingPathComponent("Makefile"))
    let named = readme.flatMap { $0.matches(of: /(?:^|`)make ([a-z]+)/).map { String($0.1) } }
    #expect(named.contains("run") && named.contains("test"))
    for target in Set(named) { #expect(makefile.contains { $0.hasPrefix("\(target):") }, "no target \(target)") }
  }
}
#endif
