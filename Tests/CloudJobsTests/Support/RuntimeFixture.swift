import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import HTTPTypes
import Logging
import TestSupport
import Testing

/// One store, one clock and one queue, over which tests start runtimes.
struct RuntimeFixture: Sendable {
  static let start = time("2026-11-21T10:02:00Z")

  let clock: VirtualClock
  let memory: MemoryStore
  let store: FaultyStore
  let queue: RecordingQueue
  let effects = Effects()

  init(_ start: Timestamp = Self.start, retryOwner: RetryOwner = .runtime) {
    clock = VirtualClock(start: start)
    memory = MemoryStore(clock: clock)
    store = FaultyStore(memory)
    queue = RecordingQueue(retryOwner)
  }

  static func time(_ text: String) -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else { preconditionFailure("\(text) is no time.") }
    return time
  }

  func options(_ owner: String = "one") -> RuntimeOptions {
    var options = RuntimeOptions()
    options.owner = owner
    options.clock = clock
    options.random = RandomSource(SeededGenerator(seed: UInt64(owner.utf8.reduce(7) { $0 &* 31 &+ Int($1) })))
    // A handler that a test holds up stands for a process that stands still: it is not left behind.
    options.cancellationGrace = .days(1)
    options.storeRetry.tries = 1
    options.storeRetry.persistence = .zero
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return options
  }

  func runtime(
    _ owner: String = "one", queue: (any TaskQueue)? = nil, authentication: Authentication = .trustLoopback,
    options: RuntimeOptions? = nil, @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) async throws -> JobRuntime {
    try await JobRuntime.prepared(
      try JobRegistry(jobs), store: store, queue: queue ?? self.queue, authentication: authentication,
      options: options ?? self.options(owner))
  }

  /// Lets the time pass until a given one.
  func advance(to time: Timestamp) {
    clock.advance(by: time - clock.now())
  }

  /// The run as it stands.
  func run(_ id: RunID?) async throws -> Run {
    let id = try #require(id)
    return try #require(try await memory.read(jobs: [], runs: [id]).runs[id]).run.get()
  }

  /// The job's document as it stands.
  func document(_ id: JobID) async throws -> JobDocument {
    try #require(try await memory.read(jobs: [id], runs: []).jobs[id]).document.get()
  }

  /// All runs.
  func runs() async throws -> [Run] {
    try await memory.runs(matching: RunFilter(), after: nil, limit: 500).records.map { try $0.run.get() }
  }

  /// The decisions of the journal about due times, oldest first, as `job verdict`.
  func journal() async throws -> [String] {
    try await memory.journal(matching: JournalFilter(), limit: 500).reversed().flatMap { entry in
      entry.lines.filter { $0.verdict != PassJournalEntry.Verdict.planned.rawValue }.map { "\($0.job) \($0.verdict)" }
    }
  }

  /// Delivers what is due in the queue over HTTP, until nothing is; what is not answered 2xx is delivered again later.
  ///
  /// - Returns: the status codes in their order.
  @discardableResult
  func deliverDue(to runtime: JobRuntime, rounds: Int = 20) async -> [Int] {
    var codes = [Int]()
    for _ in 0..<rounds {
      let due = queue.due(at: clock.now())
      if due.isEmpty { break }
      for task in due {
        let response = await runtime.handleRequest(body: task.body.bytes, peer: .inProcess)
        codes.append(response.status)
        if response.status >= 300 { queue.putBack(task) }
      }
    }
    return codes
  }
}
