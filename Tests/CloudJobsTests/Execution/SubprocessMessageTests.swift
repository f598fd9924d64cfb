import CloudJobsCore
import Testing

@testable import CloudJobs

@Suite("Messages of subprocesses")
struct SubprocessMessageTests {
  private static let examples: [Outcome] = [
    .succeeded(output: nil), .succeeded(output: JSONText(["a": [1, "line\nbreak"]])), .snoozed(.microseconds(7)),
    .cancelled(reason: "Enough."),
    .failed(RunFailure(kind: "quota", message: "Slow down.\nPlease."), isPermanent: false, retryAfter: .seconds(7)),
    .failed(RunFailure(kind: "gone", message: "No such user."), isPermanent: true, retryAfter: nil),
  ]

  @Test("An outcome is the last line, whatever was printed before", arguments: Self.examples)
  func outcomes(outcome: Outcome) {
    let output = Array("printed without an end of line".utf8) + outcome.subprocessOutput
    #expect(Outcome(subprocessOutput: output, end: .exited(0)) == outcome)
  }

  @Test(
    "A subprocess without a result is a failure that is retried, and says how it ended",
    arguments: [
      ("", .exited(0), "ended without a result"), ("{}", .exited(0), "ended without a result"),
      (#"{"outcome":"succeeded"}"#, .exited(3), "status 3"), ("", .killed(signal: 9), "signal 9"),
      ("", .notStarted(reason: "No such file"), "No such file"),
    ] as [(String, SubprocessEnd, String)])
  func failures(output: String, end: SubprocessEnd, words: String) throws {
    let outcome = Outcome(subprocessOutput: Array(output.utf8), end: end)
    guard case .failed(let failure, isPermanent: false, retryAfter: nil) = outcome else {
      Issue.record("\(outcome) is no failure")
      return
    }
    #expect(failure.kind == "subprocess" && failure.message.contains(words))
  }

  @Test("A request is one line, and keeps the run and its deadline")
  func requests() throws {
    let start = RuntimeFixture.start
    var run = Run(
      id: RunID(job: "sum", occurrence: .key("k")), job: "sum", trigger: .task, input: JSONText(["text": "a\nb"]),
      maxAttempts: 3, notBefore: start, createdAt: start)
    (run.status, run.attempt, run.fence) = (.running, 2, 7)
    let request = SubprocessRequest(run: run, deadline: start + .milliseconds(1))
    #expect(request.line.filter { $0 == 0x0A }.count == 1 && request.line.last == 0x0A)
    #expect(try SubprocessRequest(parsing: request.line.dropLast()) == request)
    #expect(throws: JobError.self) { try SubprocessRequest(parsing: Array("{}".utf8)) }
  }
}
