import CloudJobsCore
import Foundation
import Testing

@testable import CloudJobsCommands

@Suite("Explanations for people")
struct ExplanationTextTests {
  @Test("Times within sentences are told in the reader's zone, with what follows them")
  func times() throws {
    let times = TimeText(zone: try ZoneCatalog.system.zone(named: "Europe/Berlin"))
    let cases = [
      ("It ran at 2026-11-27T20:00:05Z.", "It ran at 2026-11-27 21:00:05 +01:00."),
      ("2026-11-27T20:00:05.123456Z, held", "2026-11-27 21:00:05 +01:00, held"),
      ("Of 2026-07-01T00:00:00Z: It ran", "Of 2026-07-01 02:00:00 +02:00: It ran"),
      ("0 9 * * * by 10:00 and 2026-11-27", "0 9 * * * by 10:00 and 2026-11-27"), ("", ""),
    ]
    for (sentence, expected) in cases { #expect(times.rewriting(sentence) == expected) }
  }

  private static func text(of file: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../Documentation")
    return try String(contentsOf: folder.appendingPathComponent(file).standardizedFileURL, encoding: .utf8)
  }

  @Test("Each cause is named in the page and in the schema, and no other")
  func documented() throws {
    let page = try Self.text(of: "why.md")
    let rows = page[(page.range(of: "## Causes")?.upperBound ?? page.endIndex)...].split(separator: "\n")
      .filter { $0.hasPrefix("| `") }.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    #expect(rows == ExplanationCause.allCases.map(\.rawValue))
    let schema = try JSONValue(parsing: Array(try Self.text(of: "command-line.schema.json").utf8))
    let enumeration = schema["$defs"]?["why"]?["properties"]?["cause"]?["enum"]?.array?.compactMap(\.string)
    #expect(enumeration == rows)
  }
}
