#if Server && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Foundation
import Synchronization
import Testing

protocol Mailer: Sendable {
  func send(to user: String, key: String) async throws
}

private final class RecordingMailer: Mailer {
  let sent = Mutex<[String: Int]>([:])

  func send(to user: String, key: String) async throws {
    sent.withLock { $0[user, default: 0] += 1 }
  }
}

@Suite("The README")
struct ReadmeTests {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let readme = here.appendingPathComponent("../../README.md").standardizedFileURL

  private static func lines(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The blocks of Swift code, without the imports at their head.
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
    "Each Swift example stands, line by line, in code that is compiled",
    arguments: [
      ("README.md", "QuickStart.swift", 2),
      ("Documentation/cloud-run.md", "../CloudRunService/ServeOnCloudRun.swift", 1),
    ])
  func examplesAreCompiled(text: String, source: String, count: Int) throws {
    let code = try Self.lines(of: Self.here.appendingPathComponent(source))
    let root = Self.readme.deletingLastPathComponent()
    let examples = try Self.examples(in: root.appendingPathComponent(text))
    #expect(examples.count == count)
    for example in examples {
      let first = try #require(example.first)
      let starts = code.indices.filter { code[$0] == first }
      #expect(
        starts.contains { code[$0...].starts(with: example) },
        "not in \(source): \(example.joined(separator: "\n"))")
    }
  }

  @Test("The jobs of the example do what the README says")
  func exampleRuns() async throws {
    let mailer = RecordingMailer()
    let trace = try await aWeekInASecond(try makeJobs(mailer))
    #expect(mailer.sent.withLock { $0 } == ["42": 1], "one key, one mail, however often it is asked for")
    #expect(trace.count { $0.contains("POST") && $0.contains("/jobs/scheduled/nightly_report") } == 7)
  }

  @Test("It has at most 200 lines, and names targets that the Makefile has")
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
