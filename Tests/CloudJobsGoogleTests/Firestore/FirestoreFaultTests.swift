#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
@testable import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@Suite("Firestore faults")
struct FirestoreFaultTests {
  private let clock = VirtualClock(start: Timestamp(seconds: 1_767_268_800), sleep: .moves)
  private let service: EmulatedFirestore
  private let exchange: FaultyExchange
  private let store: FirestoreStore
  private let run = Run(
    id: RunID(job: "a", occurrence: .key("one")), job: "a", trigger: .task, maxAttempts: 3, notBefore: .epoch,
    createdAt: .epoch)

  init() {
    service = EmulatedFirestore(clock: clock)
    exchange = FaultyExchange(service)
    store = FirestoreStore(EmulatedFirestore.configuration, in: .at(exchange, clock))
  }

  private func stored() async throws -> Run? {
    exchange.reset()
    return try await store.read(jobs: [], runs: [run.id]).runs[run.id]?.run.get()
  }

  /// The error of a commit that meets a fault, and whether it took effect.
  static let commits: [(fault: FaultyExchange.Fault, code: StoreError.Code, tookPlace: Bool)] = [
    (.status(400), .invalid, false), (.status(401), .unavailable, false), (.status(403), .unavailable, false),
    (.status(404), .unavailable, false), (.status(429), .unavailable, false), (.status(500), .unknownOutcome, false),
    (.status(502), .unknownOutcome, false), (.status(503), .unknownOutcome, false),
    (.status(504), .unknownOutcome, false), (.refused, .unavailable, false), (.cutBefore, .unknownOutcome, false),
    (.lostAnswer, .unknownOutcome, true), (.timedOut, .unknownOutcome, true), (.truncated, .unknownOutcome, true),
  ]

  @Test("A failed commit reports whether it may have taken effect, and is not sent again", arguments: commits)
  func commit(fault: FaultyExchange.Fault, code: StoreError.Code, tookPlace: Bool) async throws {
    exchange.reset(failing: [1: fault])
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .absent)]) }
    #expect(error?.code == code && error?.nativeCode != nil)
    #expect(exchange.calls == ["commit"])
    #expect(try await stored() == (tookPlace ? run : nil))
  }

  @Test("A failed read has changed nothing and may be retried", arguments: commits.map(\.fault))
  func read(fault: FaultyExchange.Fault) async throws {
    exchange.reset(failing: [1: fault])
    let error = await #expect(throws: StoreError.self) { try await store.read(jobs: ["a"], runs: []) }
    let isInvalid = if case .status(400) = fault { true } else { false }
    #expect(error?.code == (isInvalid ? .invalid : .unavailable))
    #expect(exchange.calls == ["batchGet"])
  }

  @Test("The time is read by an empty commit, whose response may be lost without ambiguity")
  func time() async throws {
    exchange.reset(failing: [1: .lostAnswer])
    let error = await #expect(throws: StoreError.self) { try await store.dueJobs(after: nil, limit: 1) }
    #expect(error?.code == .unavailable)
  }

  @Test("A commit under contention is retried, and takes effect once")
  func contention() async throws {
    exchange.reset(failing: [1: .status(409), 2: .status(409)])
    _ = try await store.commit([.putRun(run, .absent)])
    #expect(exchange.calls == ["commit", "commit", "commit"])
    #expect(try await stored() == run)
  }

  @Test("A commit under permanent contention fails, and reports that nothing was changed")
  func endless() async throws {
    exchange.reset(failing: Dictionary(uniqueKeysWithValues: (1...50).map { ($0, .status(409)) }))
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .absent)]) }
    #expect(error?.code == .unavailable)
    #expect(exchange.calls.count == EmulatedFirestore.configuration.contentionTries)
    #expect(try await stored() == nil)
  }

  @Test("A write with a fencing token reads only the token")
  func fence() async throws {
    _ = try await store.commit([.putRun(run, .none)])
    exchange.reset()
    _ = try await store.commit([.putRun(run, .fence(0))])
    #expect(exchange.calls == ["batchGet", "commit"])
    exchange.reset()
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .fence(1))]) }
    #expect(error?.code == .conflict && exchange.calls == ["batchGet"])
  }

  @Test("A claim's own heartbeat and finish read nothing; another owner's writes are noticed")
  func rememberedFence() async throws {
    var claimed = run
    claimed.fence = 1
    claimed.lease = Lease(owner: "o", token: 1, expiresAt: .distantFuture)
    _ = try await store.commit([.putRun(claimed, .absent)])
    exchange.reset()
    claimed.reenqueues = 1
    _ = try await store.commit([.putRun(claimed, .fence(1))])
    #expect(exchange.calls == ["commit"])
    let other = service.store()
    claimed.reenqueues = 2
    _ = try await other.commit([.putRun(claimed, .none)])
    exchange.reset()
    claimed.reenqueues = 3
    _ = try await store.commit([.putRun(claimed, .fence(1))])
    #expect(exchange.calls == ["commit", "batchGet", "commit"])
    var successor = claimed
    successor.fence = 2
    _ = try await other.commit([.putRun(successor, .none)])
    exchange.reset()
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(claimed, .fence(1))]) }
    #expect(error?.code == .conflict && exchange.calls == ["commit", "batchGet"])
    #expect(try await stored() == successor)
  }

  @Test(
    "A run that changes between the read of its token and the commit is read again", arguments: [0, 1] as [Int64])
  func race(token: Int64) async throws {
    _ = try await store.commit([.putRun(run, .none)])
    let (other, racer) = (service.store(), RacingExchange(service))
    let racing = FirestoreStore(EmulatedFirestore.configuration, in: .at(racer, clock))
    var changed = run
    changed.reenqueues = 7
    changed.fence = token
    racer.beforeCommit { [changed] in _ = try? await other.commit([.putRun(changed, .none)]) }
    var mine = run
    mine.reenqueues = 9
    if token == 0 {
      _ = try await racing.commit([.putRun(mine, .fence(0))])
      #expect(try await stored() == mine)
    } else {
      let error = await #expect(throws: StoreError.self) { try await racing.commit([.putRun(mine, .fence(0))]) }
      #expect(error?.code == .conflict)
      #expect(try await stored() == changed)
    }
  }

  @Test("Without credentials nothing is sent; with them each call carries them")
  func credentials() async throws {
    var google = GoogleCloud.at(exchange)
    google.firestore.credentials = ClosureCredentials { () throws(JobError) in
      throw JobError(.unauthenticated, "No key file.")
    }
    let without = FirestoreStore(EmulatedFirestore.configuration, in: google)
    let error = await #expect(throws: StoreError.self) { try await without.commit([.deleteJob("a", .none)]) }
    #expect(error?.code == .unavailable && exchange.calls == [])
    let recorder = RecordingExchange(service)
    google = .at(recorder)
    google.firestore.credentials = FixedHeaders([.authorization: "Bearer x"])
    let with = FirestoreStore.firestore(google)
    _ = try await with.dueJobs(after: nil, limit: 1)
    #expect(recorder.requests.map(\.headers[.authorization]) == ["Bearer x", "Bearer x"])
    #expect(
      recorder.requests.allSatisfy { $0.headers[.contentType] == "application/json" && $0.timeout == .seconds(5) })
  }

  @Test("Documents that Firestore can't hold are rejected as invalid")
  func invalid() async throws {
    var configuration = JobConfiguration()
    configuration.metadata = ["list": [["in a list"]]]
    let error = await #expect(throws: StoreError.self) {
      try await store.commit([.putConfiguration("a", configuration, .none)])
    }
    #expect(error?.code == .invalid && error?.nativeCode == "HTTP 400 INVALID_ARGUMENT")
    var large = run
    large.input = JSONText(.string(String(repeating: "x", count: 1_048_576)))
    let second = await #expect(throws: StoreError.self) { try await store.commit([.putRun(large, .none)]) }
    #expect(second?.code == .invalid)
  }
}

@Suite("Passes over a faulty Firestore")
struct FirestoreMixedFaultTests {
  /// The outcome of a series of passes.
  private struct Outcome {
    var executed: [RunID]
    var stored: [Run]
    var calls: Int
  }

  /// Makes one of eight calls fail: rejected, cut off before or after it took effect, throttled or under contention.
  private static func fault(_ seed: UInt64, _ call: Int) -> FaultyExchange.Fault? {
    var numbers = SeededGenerator(seed: seed &+ UInt64(call) &* 977)
    switch Int.random(in: 0..<48, using: &numbers) {
    case 0: return .status(429)
    case 1: return .status(503)
    case 2: return .status(409)
    case 3: return .lostAnswer
    case 4: return .cutBefore
    case 5: return .timedOut
    default: return nil
    }
  }

  /// Runs 30 passes a minute apart over five jobs, then idle ones until everything is settled.
  private func live(seed: UInt64?) async throws -> Outcome {
    let clock = VirtualClock(start: Timestamp(seconds: 1_763_719_320), sleep: .skips(upTo: .seconds(5)))
    let service = EmulatedFirestore(clock: clock)
    let isFaulty = Mutex(false)
    let faults = seed.map { seed in
      { @Sendable (call: Int, _: String) in isFaulty.withLock { $0 } ? Self.fault(seed, call) : nil }
    }
    let exchange = FaultyExchange(service, rule: faults ?? { _, _ in nil })
    let effects = Mutex<[RunID]>([])
    let runtime = try await runtime(clock, exchange) { id in effects.withLock { $0.append(id) } }
    exchange.reset()
    isFaulty.withLock { $0 = true }
    for _ in 0..<30 {
      clock.advance(by: .minutes(1))
      _ = await runtime.runMasterPass()
    }
    let calls = exchange.calls.count
    isFaulty.withLock { $0 = false }
    for _ in 0..<90 {
      clock.advance(by: .minutes(1))
      _ = await runtime.runMasterPass()
    }
    var runs = [Run]()
    var cursor: StoreCursor?
    repeat {
      let page = try await service.store().runs(matching: RunFilter(), after: cursor, limit: 500)
      runs += try page.records.map { try $0.run.get() }
      cursor = page.next
    } while cursor != nil
    return Outcome(executed: effects.withLock { $0 }, stored: runs, calls: calls)
  }

  private func runtime(
    _ clock: VirtualClock, _ exchange: FaultyExchange, _ effect: @escaping @Sendable (RunID) -> Void
  ) async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = "one"
    options.clock = clock
    options.random = RandomSource(SeededGenerator(seed: 7))
    options.passConcurrency = 1
    let jobs = try JobRegistry {
      for number in 0..<5 {
        PeriodicJob(JobID(stringLiteral: "job\(number)"), every: .minutes(1)) { context in
          effect(context.runID)
          return .done
        }
      }
    }
    let store = FirestoreStore(EmulatedFirestore.configuration, in: .at(exchange, clock))
    return try await JobRuntime.prepared(
      jobs, store: store, queue: NoQueue(), authentication: .trustLoopback, options: options)
  }

  @Test(
    "Nothing is lost or done twice, and the number of calls grows by at most half", arguments: [1, 2, 3] as [UInt64])
  func mixed(seed: UInt64) async throws {
    let quiet = try await live(seed: nil)
    let faulty = try await live(seed: seed)
    #expect(Set(faulty.executed).count == faulty.executed.count)
    #expect(Set(faulty.executed) == Set(faulty.stored.map(\.id)))
    #expect(faulty.stored.allSatisfy { $0.status == .succeeded })
    #expect(faulty.stored.count >= quiet.stored.count - 25)
    #expect(faulty.calls * 2 <= quiet.calls * 3, "\(faulty.calls) calls for \(quiet.calls)")
    #expect(faulty.calls > quiet.calls)
  }
}
#endif
