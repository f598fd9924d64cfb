import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import Testing

@Suite("Assertions about enqueued runs")
struct EnqueuedAssertionTests {
  private func simulated() async throws -> SimulatedRuntime {
    try await JobRuntime.simulated(try SimulatedJobs.registry())
  }

  /// Returns the description of the failure that an assertion throws.
  private func failure(_ assertion: () async throws -> Void) async throws -> String {
    try #require(await #expect(throws: TestFailure.self) { try await assertion() }).description
  }

  @Test("find a run by its input, delay, time and key, and return it")
  func found() async throws {
    let local = try await simulated()
    let id = try await local.enqueue(Mail(userID: "7"), after: .minutes(5), key: "welcome-7").id
    let start = local.now
    #expect(try await local.assertEnqueued(Mail(userID: "7")).map(\.run.id) == [id])
    try await local.assertEnqueued(Mail(userID: "7"), after: .minutes(5), key: "welcome-7", count: 1)
    try await local.assertEnqueued(Mail(userID: "7"), at: start + .minutes(5))
    #expect(try await local.assertEnqueued(Mail.self).map(\.input) == [Mail(userID: "7")])
    try await local.assertEnqueued("mail", Mail(userID: "7"))
    try await local.assertEnqueued("mail")
    try await local.assertNotEnqueued(Mail(userID: "8"))
    try await local.assertNotEnqueued(SignUp.self)
    try await local.assertNotEnqueued("double")
    // The delay is that of the request, however late the assertion is made.
    try await local.advance(by: .minutes(4))
    try await local.assertEnqueued(Mail(userID: "7"), after: .minutes(5))
  }

  @Test("fail with what is enqueued in place of the run")
  func another() async throws {
    let local = try await simulated()
    let id = try await local.enqueue(Mail(userID: "8"), after: .seconds(60), key: "welcome-8").id
    try await local.enqueue(SignUp(userID: "9"))
    let text = try await failure { try await local.assertEnqueued(Mail(userID: "7"), key: "welcome-7", count: 2) }
    #expect(
      text.hasSuffix(
        """
        expected 2 enqueued runs of mail with the input {"failures":0,"userID":"7"}, with the key welcome-7, but found \
        none.
        Other runs of the job:
          - mail \(id.rawValue.prefix(12)): scheduled, starts at 2026-01-01T00:01:00Z, key welcome-8, \
        {"failures":0,"userID":"8"}
        Enqueued runs of other jobs: sign_up (1)
        """), "\(text)")
    #expect(text.hasPrefix("CloudJobsTests/EnqueuedAssertionTests.swift:"))
  }

  @Test("fail with the runs that have ended, if the run was executed already")
  func ended() async throws {
    let local = try await simulated()
    try await local.enqueue(Mail(userID: "7"))
    try await local.drain()
    let text = try await failure { try await local.assertEnqueued(Mail(userID: "7")) }
    #expect(text.contains("Runs of the job that have ended:\n  - mail "))
    #expect(text.contains(": succeeded, attempt 1, {"))
    #expect(try await local.runs(of: Mail.self).map(\.run.status) == [.succeeded])
  }

  @Test("fail on another delay, time or number")
  func differences() async throws {
    let local = try await simulated()
    let start = local.now
    try await local.enqueue(Mail(userID: "7"), after: .seconds(60))
    var text = try await failure { try await local.assertEnqueued(Mail(userID: "7"), after: .seconds(61)) }
    #expect(text.contains(", 61.0 seconds after the request, but found none."))
    text = try await failure { try await local.assertEnqueued(Mail(userID: "7"), at: start + .seconds(59)) }
    #expect(text.contains(", at 2026-01-01T00:00:59Z, but found none."))
    text = try await failure { try await local.assertEnqueued(Mail.self, count: 2) }
    #expect(text.contains("expected 2 enqueued runs of mail, but found 1.\nSuch runs:\n  - mail "))
    text = try await failure { try await local.assertNotEnqueued(Mail(userID: "7")) }
    #expect(text.contains("expected 0 enqueued runs of mail with the input") && text.contains("but found 1."))
    text = try await failure { try await local.assertNotEnqueued(Mail.self) }
    #expect(text.contains("expected 0 enqueued runs of mail, but found 1."))
    text = try await failure { try await local.assertNotEnqueued("mail") }
    #expect(text.contains("expected 0 enqueued runs of mail, but found 1."))
  }

  @Test("compare inputs as their type decodes them, also those of other programs")
  func foreignInputs() async throws {
    let local = try await simulated()
    let body = #"{"jobId": "mail", "payload": {"failures": 0.0, "userID": "7", "more": true}, "delay": "60s"}"#
    let response = await local.runtime.handleRequest(body: Array(body.utf8), peer: .inProcess)
    #expect(response.status == 200)
    try await local.assertEnqueued(Mail(userID: "7"), after: .seconds(60))
    // By the job's id, the JSON itself is compared.
    try await local.assertNotEnqueued("mail", Mail(userID: "7"))
  }

  @Test("list runs by their start and input, whatever their ids")
  func order() async throws {
    let local = try await simulated()
    for user in ["c", "a", "b"] { try await local.enqueue(Mail(userID: user)) }
    try await local.enqueue(Mail(userID: "0"), after: .seconds(1))
    #expect(try await local.enqueued(Mail.self).map(\.input.userID) == ["a", "b", "c", "0"])
    #expect(try await local.enqueued("sign_up").isEmpty)
    #expect(try await local.cancelEnqueued("sign_up") == 0)
    #expect(try await local.cancelEnqueued() == 4)
    #expect(try await local.enqueued().isEmpty)
    #expect(try await local.drain().runs.isEmpty)
  }

  @Test("see payloads that the store has in another form")
  func sealedPayloads() async throws {
    var options = RuntimeOptions()
    options.payloadCodec = WrappingCodec()
    let local = try await JobRuntime.simulated(try SimulatedJobs.registry(), options: options)
    try await local.enqueue(Doubling(number: 21))
    try await local.assertEnqueued(Doubling(number: 21), count: 1)
    try await local.drain()
    #expect(try await local.runs(of: Doubling.self).map(\.output) == [42])
    #expect(await local.runs(of: "double").map { $0.output?.value["sealed"] } == [42])
  }

  /// Puts a payload into an object.
  private struct WrappingCodec: PayloadCodec {
    func encode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText {
      JSONText(["sealed": payload.value])
    }

    func decode(_ payload: JSONText, at place: PayloadPlace) throws(JobError) -> JSONText {
      JSONText(payload.value["sealed"] ?? .null)
    }
  }
}
