import CloudJobsCore
import CloudJobsEmulator
import Logging
import Synchronization
import Testing

@testable import CloudJobs

private struct Square: JobInput {
  static let jobID: JobID = "square"
  typealias Output = Int
  var side: Int
}

@Suite("Runs without a record")
struct UnrecordedRunTests {
  private let fixture = RuntimeFixture()

  private func note(_ call: String) { fixture.effects.add(call) }

  private func runtime(
    _ change: (EndpointJob<Square, Int>) -> EndpointJob<Square, Int> = { $0 }
  ) async throws -> JobRuntime {
    try await fixture.runtime {
      change(
        EndpointJob(Square.self) { square, context in
          await context.progress(percent: 50)
          try await context.checkpoint(square.side)
          context.logger.notice("It runs.")
          if square.side < 0 { throw JobFailure.failed("A side is not negative.", kind: "negative") }
          return square.side * square.side
        })
    }
  }

  @Test("One has its typed result, its events and one attempt, and leaves nothing in the store")
  func result() async throws {
    let runtime = try await runtime()
    let names = Mutex<[String]>([])
    let subscription = runtime.events.subscribe { event in names.withLock { $0.append(event.name.rawValue) } }
    defer { subscription.cancel() }
    #expect(try await runtime.run(Square(side: 4), isRecorded: false) == 16)
    #expect(names.withLock { $0 } == ["job.started", "log.job", "job.succeeded", "job.completed"])
    let error = await #expect(throws: JobError.self) { try await runtime.run(Square(side: -1), isRecorded: false) }
    #expect(error?.code == .handlerFailed && error?.message == "A side is not negative.")
    #expect(names.withLock { $0.suffix(2) } == ["job.failed", "job.completed"])
    #expect(try await fixture.runs().isEmpty && fixture.queue.due(at: .distantFuture).isEmpty)
    #expect(try await runtime.run(Square(side: 3)) == 9)
    #expect(try await fixture.runs().count == 1, "a run has a record unless its request says otherwise")
  }

  @Test("A batch of them keeps the order of its inputs")
  func batch() async throws {
    let runtime = try await runtime()
    let results = await runtime.runBatch((-1...5).map(Square.init), concurrency: 3, isRecorded: false)
    #expect(results.map { try? $0.get() } == [nil, 0, 1, 4, 9, 16, 25])
    #expect(try await fixture.runs().isEmpty)
  }

  @Test("The time limit of the request cancels its handler")
  func timeout() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob(Square.self) { square, context in
        try await context.clock.sleep(for: .hours(1))
        return square.side
      }
    }
    async let error = #expect(throws: JobError.self) {
      try await runtime.run(Square(side: 1), timeout: .seconds(5), isRecorded: false)
    }
    while fixture.clock.sleeperCount < 2 { await Task.yield() }
    fixture.clock.advance(by: .seconds(5))
    #expect(await error?.message == "The attempt took longer than its time limit, 5.0 seconds.")
  }

  @Test("A disabled job has none, and its document's input and time limit count")
  func document() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("show", input: [String: Int].self) { input, context in
        note("\(input) in \(context.timeRemaining.components.seconds) s, attempt \(context.attempt)")
      }
    }
    try await runtime.configure("show") { ($0.input, $0.timeout) = (["a": 1], .seconds(30)) }
    var request = EnqueueRequest("show")
    request.isRecorded = false
    #expect(try await runtime.run(request).status == .succeeded)
    #expect(fixture.effects.list == ["[\"a\": 1] in 30 s, attempt 1"])
    try await runtime.setEnabled(false, for: "show")
    let skipped = try await runtime.run(request)
    #expect((skipped.status, skipped.reason) == (.skipped, "The job is disabled."))
    #expect(fixture.effects.count == 1)
    fixture.store.isDown = true
    #expect(try await runtime.run(request).error?.code == .storeUnavailable)
  }

  @Test("A handler that needs another attempt or a commit is refused, and hooks are told the end")
  func limits() async throws {
    let runtime = try await fixture.runtime {
      EndpointJob("again") { (_: JobContext) -> JobOutcome<NoOutput> in .snooze(.seconds(1)) }
        .onStart { _ in note("start") }.onError { _, failure in note("\(failure.kind) \(failure.isFinal)") }
      EndpointJob("stop") { (_: JobContext) -> JobOutcome<NoOutput> in .cancel(reason: "Nothing to do.") }
        .onComplete { _, outcome in if case .cancel(let reason) = outcome { note(reason) } }
      EndpointJob("after") { context in try context.afterCommit(EnqueueRequest("stop")) }
      EndpointJob("child") { context in try await context.enqueue("stop", key: "child") }
      EndpointJob("heavy") { _ in }.descriptor(JobDescriptor(weight: .heavy))
      EndpointJob("outer") { context in
        var inner = EnqueueRequest("child")
        inner.isRecorded = false
        note("\(try await context.run(inner).status)")
      }
    }
    func run(_ job: JobID) async throws -> DeliveryResult {
      var request = EnqueueRequest(job)
      request.isRecorded = false
      return try await runtime.run(request)
    }
    #expect(try await run("again").reason?.contains("another attempt") == true)
    #expect(try await run("stop").status == .cancelled)
    #expect(fixture.effects.list == ["start", "unrecorded true", "Nothing to do."])
    #expect(try await run("after").reason?.contains("commits its attempt") == true)
    #expect(try await run("outer").status == .succeeded && fixture.effects.list.last == "succeeded")
    let child = try await fixture.run(RunID(job: "stop", occurrence: .key("child")))
    #expect(child.status == .pending, "what the handler enqueues has a record")
  }

  @Test("Nothing knows it again: it has no key, and can't wait")
  func refusals() async throws {
    let runtime = try await runtime()
    var request = EnqueueRequest(Square(side: 1), key: "a")
    request.isRecorded = false
    #expect(await #expect(throws: JobError.self) { try await runtime.run(request) }?.field == "key")
    request.key = nil
    let error = await #expect(throws: JobError.self) { try await runtime.enqueue([request]) }
    #expect(error?.field == "isRecorded")
  }

  @Test("Heavy work that would leave the process needs a record")
  func heavy() async throws {
    var options = fixture.options()
    options.heavy = .subprocess
    let runtime = try await fixture.runtime(options: options) {
      EndpointJob(Square.self) { square, _ in square.side }.descriptor(JobDescriptor(weight: .heavy))
    }
    let error = await #expect(throws: JobError.self) { try await runtime.run(Square(side: 2), isRecorded: false) }
    #expect(error?.field == "isRecorded")
  }
}
