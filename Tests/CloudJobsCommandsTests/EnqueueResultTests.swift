import CloudJobs
import CloudJobsTesting
import Testing

@testable import CloudJobsCommands

@Suite("Runs that are enqueued from the command line")
struct EnqueueResultTests {
  private static let runID = RunID(job: "greet", occurrence: .key("k"))

  @Test("A result tells what delivers the runs")
  func lines() async throws {
    let runtime = JobRuntime(
      try JobRegistry { EndpointJob("greet", input: NoInput.self) { _, _ in .done } }, store: MemoryStore(),
      authentication: .trustLoopback)
    var result = EnqueueResult(job: "greet", created: 1, delivery: .worker)
    result.run = try await runtime.enqueue("greet", key: "k")
    #expect(result.lines == ["\(Self.runID) is pending."])
    result.run = try await runtime.enqueue("greet", key: "k")
    #expect(result.lines == ["\(Self.runID) is pending, as before."])
    let many = EnqueueResult(job: "greet", requested: 3, created: 2, delivery: .sweep)
    #expect(many.lines.count == 2 && many.lines[0] == "Enqueued 2 runs of greet.")
    #expect(many.json["deliveredBy"] == "sweep" && many.json["run"] == nil)
  }

  @Test("A job of another program takes its document's policy, and the queue and priority of its latest run")
  func standIn() async throws {
    let store = MemoryStore()
    let worker = JobRuntime(
      try JobRegistry {
        EndpointJob("greet", input: Int.self) { _, _ in .done }.queue("mail").priority(7).retry(.never)
      }, store: store, authentication: .trustLoopback)
    let tool = JobRuntime(try JobRegistry {}, store: store, authentication: .trustLoopback)
    let error = await #expect(throws: JobError.self) { try await tool.enqueuing("greet") }
    #expect(error?.code == .unknownJob)
    try await worker.enqueue("greet", 1)
    let enqueuing = try await tool.enqueuing("greet")
    // Its input is not checked: the program that has the code does so.
    let run = try await enqueuing.enqueue("greet", "text")
    let stored = try #require(try await tool.run(withID: run.id))
    #expect(stored.queue == "mail" && stored.priority == 7 && stored.trigger == .task)
    try await worker.configure("greet") { $0.priority = 9 }
    let later = try await (try await tool.enqueuing("greet")).enqueue("greet", 2)
    #expect(try await tool.run(withID: later.id)?.priority == 9)
    #expect(try await worker.enqueuing("greet") === worker)
  }

  @Test("An input is not stored as it is where those of the job are encrypted")
  func encrypted() async throws {
    let store = MemoryStore()
    let run = Run(
      id: Self.runID, job: "greet", trigger: .task,
      input: EncryptedPayload(keyID: "k", nonce: [1], data: [2]).payload, maxAttempts: 1, notBefore: .epoch,
      createdAt: .epoch)
    _ = try await store.commit([.putRun(run, .absent)])
    let tool = JobRuntime(try JobRegistry {}, store: store, authentication: .trustLoopback)
    let error = await #expect(throws: JobError.self) { try await tool.enqueuing("greet") }
    #expect(error?.code == .payloadKeyUnavailable && error.map { CommandFailure.code(of: $0) } == 2)
  }

  @Test(
    "An error begins with the option that it is about, unless its message tells",
    arguments: [
      ("jobId", "It failed."), ("payload", "--input: It failed."), ("payload.name", "--input: It failed."),
      ("store", "--store: It failed."), ("--at", "--at: It failed."), ("cron", "cron: It failed."),
    ])
  func places(field: String, text: String) {
    #expect(CommandFailure.text(of: JobError(.invalidField, "It failed.", field: field)) == text)
  }
}
