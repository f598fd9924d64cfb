import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Inputs are checked where they are given")
struct InputCheckTests {
  private struct Welcome: Codable, Sendable {
    var userID: String
  }

  private struct Renamed: Codable, Sendable {
    var userID: String
    var note = "more than the job reads"
  }

  private let fixture = RuntimeFixture()

  private func runtime() async throws -> JobRuntime {
    try await fixture.runtime {
      EndpointJob("welcome", input: Welcome.self) { _, _ in .done }
      EndpointJob("plain") { _ in .done }
      EndpointJob("count", input: Int.self) { _, _ in .done }
      PeriodicJob("tick", every: .minutes(5)) { context in
        try await context.enqueue("welcome", ["user": "5"])
        return .done
      }
    }
  }

  @Test("An input of another type is refused with the field, and nothing is recorded")
  func wrongType() async throws {
    let runtime = try await runtime()
    let table: [(JobID, any Encodable & Sendable, String)] = [
      ("welcome", ["userID": 5], "payload.userID"), ("welcome", ["user": "5"], "payload.userID"),
      ("welcome", "5", "payload"), ("welcome", NoInput(), "payload.userID"), ("count", "five", "payload"),
      ("plain", ["userID": "5"], "payload"), ("tick", 7, "payload"),
    ]
    for (job, input, field) in table {
      let error = await #expect(throws: JobError.self) { try await runtime.enqueue([EnqueueRequest(job, input)]) }
      #expect(error?.code == .invalidInput, "\(job) \(input)")
      #expect(error?.field == field)
      let now = try await runtime.run(job, input)
      #expect((now.error?.code, now.error?.field) == (.invalidInput, field))
    }
    #expect(try await fixture.runs().isEmpty && fixture.queue.names.isEmpty)
  }

  @Test("Any type whose JSON the job reads is taken")
  func fittingType() async throws {
    let runtime = try await runtime()
    try await runtime.enqueue("welcome", Welcome(userID: "5"))
    try await runtime.enqueue("welcome", Renamed(userID: "5"))
    try await runtime.enqueue("welcome", ["userID": "5"])
    try await runtime.enqueue("count", Int8(5))
    try await runtime.enqueue("plain")
    try await runtime.enqueue("tick")
    #expect(try await fixture.runs().count == 6)
  }

  @Test("A handler's enqueue is checked too")
  func context() async throws {
    let runtime = try await runtime()
    let result = try await runtime.run("tick")
    #expect(result.reason?.contains("userID is missing") == true)
  }

  @Test(
    "A wrong payload of a caller is answered 400; that of a task becomes a durable dead letter",
    arguments: [
      (#"{"jobId":"welcome","payload":{"user":"5"}}"#, [:], 400, nil),
      (#"{"jobId":"welcome"}"#, [:], 400, nil),
      (#"{"jobId":"plain","payload":{"x":1}}"#, [:], 400, nil),
      (#"{"jobId":"plain","payload":{}}"#, [:], 200, RunStatus.succeeded),
      (
        #"{"jobId":"welcome","payload":{"user":"5"}}"#,
        ["X-CloudTasks-QueueName": "q", "X-CloudTasks-TaskName": "t"], 200, .failed
      ),
    ] as [(String, [String: String], Int, RunStatus?)])
  func http(body: String, headers: [String: String], status: Int, run: RunStatus?) async throws {
    let runtime = try await runtime()
    let answer = await runtime.handleRequest(body: Array(body.utf8), headers: headers, peer: .inProcess)
    #expect(answer.status == status)
    #expect(try await fixture.runs().first?.status == run)
    guard status == 400 else { return }
    #expect(try JSONValue(parsing: answer.body)["error"]?["code"] == "invalidInput")
  }

  @Test("A caller outside Swift gives a key and a delay; the repetition is a duplicate that names the time")
  func keyAndDelay() async throws {
    let runtime = try await runtime()
    let body = Array(#"{"jobId":"welcome","payload":{"userID":"7"},"key":"welcome-7","delay":"5s"}"#.utf8)
    let first = await runtime.handleRequest(body: body, peer: .inProcess)
    let answer = try JSONValue(parsing: first.body)
    #expect(first.status == 200 && answer["status"] == "scheduled")
    #expect(answer["next"] == .string("\(RuntimeFixture.start + .seconds(5))"))
    let second = await runtime.handleRequest(body: body, peer: .inProcess)
    #expect(second.status == 200)
    #expect(try JSONValue(parsing: second.body)["status"] == "duplicate")
    let run = try #require(try await fixture.runs().first)
    #expect(
      run.status == .scheduled && run.uniqueKey == "welcome-7" && run.notBefore == RuntimeFixture.start + .seconds(5))
    #expect(run.id == RunID(job: "welcome", occurrence: .key("welcome-7")))
    fixture.clock.advance(by: .seconds(5))
    #expect(await fixture.deliverDue(to: runtime) == [200])
    #expect(try await fixture.run(run.id).status == .succeeded)
    #expect(try await fixture.runs().count == 1)
  }

  @Test("Without a queue a start can't be put off")
  func noQueue() async throws {
    let runtime = try await fixture.runtime(queue: .caller) { EndpointJob("plain") { _ in .done } }
    let answer = await runtime.handleRequest(
      body: Array(#"{"jobId":"plain","delay":"5s"}"#.utf8), peer: .inProcess)
    #expect(answer.status == 503)
    #expect(try await fixture.runs().isEmpty)
  }
}
