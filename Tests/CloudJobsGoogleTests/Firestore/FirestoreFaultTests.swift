#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Testing

@testable import CloudJobsGoogle

@Suite("Firestore's faults")
struct FirestoreFaultTests {
  private let clock = SettableClock(Timestamp(seconds: 1_767_268_800))
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

  /// What a commit that meets a fault throws, and whether it took place.
  static let commits: [(fault: FaultyExchange.Fault, code: StoreError.Code, tookPlace: Bool)] = [
    (.status(400), .invalid, false), (.status(401), .unavailable, false), (.status(403), .unavailable, false),
    (.status(404), .unavailable, false), (.status(429), .unavailable, false), (.status(500), .unknownOutcome, false),
    (.status(502), .unknownOutcome, false), (.status(503), .unknownOutcome, false),
    (.status(504), .unknownOutcome, false), (.refused, .unavailable, false), (.cutBefore, .unknownOutcome, false),
    (.lostAnswer, .unknownOutcome, true), (.timedOut, .unknownOutcome, true), (.truncated, .unknownOutcome, true),
  ]

  @Test("A commit that fails says whether it may have taken place, and is not sent again", arguments: commits)
  func commit(fault: FaultyExchange.Fault, code: StoreError.Code, tookPlace: Bool) async throws {
    exchange.reset(failing: [1: fault])
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .absent)]) }
    #expect(error?.code == code && error?.nativeCode != nil)
    #expect(exchange.calls == ["commit"])
    #expect(try await stored() == (tookPlace ? run : nil))
  }

  @Test("A read that fails has changed nothing and may be tried again", arguments: commits.map(\.fault))
  func read(fault: FaultyExchange.Fault) async throws {
    exchange.reset(failing: [1: fault])
    let error = await #expect(throws: StoreError.self) { try await store.read(jobs: ["a"], runs: []) }
    let isInvalid = if case .status(400) = fault { true } else { false }
    #expect(error?.code == (isInvalid ? .invalid : .unavailable))
    #expect(exchange.calls == ["batchGet"])
  }

  @Test("The time is asked for by an empty commit, whose answer may be lost without doubt")
  func time() async throws {
    exchange.reset(failing: [1: .lostAnswer])
    let error = await #expect(throws: StoreError.self) { try await store.dueJobs(after: nil, limit: 1) }
    #expect(error?.code == .unavailable)
  }

  @Test("A commit that meets contention is tried again, and takes place once")
  func contention() async throws {
    exchange.reset(failing: [1: .status(409), 2: .status(409)])
    _ = try await store.commit([.putRun(run, .absent)])
    #expect(exchange.calls == ["commit", "commit", "commit"])
    #expect(try await stored() == run)
  }

  @Test("Contention without end is given up, and says that nothing was changed")
  func endless() async throws {
    exchange.reset(failing: Dictionary(uniqueKeysWithValues: (1...50).map { ($0, .status(409)) }))
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .absent)]) }
    #expect(error?.code == .unavailable)
    #expect(exchange.calls.count == EmulatedFirestore.configuration.contentionTries)
    #expect(try await stored() == nil)
  }

  @Test("A write under a token reads the token, and only the token")
  func fence() async throws {
    _ = try await store.commit([.putRun(run, .none)])
    exchange.reset()
    _ = try await store.commit([.putRun(run, .fence(0))])
    #expect(exchange.calls == ["batchGet", "commit"])
    exchange.reset()
    let error = await #expect(throws: StoreError.self) { try await store.commit([.putRun(run, .fence(1))]) }
    #expect(error?.code == .conflict && exchange.calls == ["batchGet"])
  }

  @Test("A claim's own heartbeat and finish read nothing; another's writes are noticed")
  func rememberedFence() async throws {
    var claimed = run
    claimed.fence = 1
    claimed.lease = Lease(owner: "o", token: 1, expiresAt: .distantFuture)
    _ = try await store.commit([.putRun(claimed, .absent)])
    exchange.reset()
    claimed.handoffs = 1
    _ = try await store.commit([.putRun(claimed, .fence(1))])
    #expect(exchange.calls == ["commit"])
    let other = service.store()
    claimed.handoffs = 2
    _ = try await other.commit([.putRun(claimed, .none)])
    exchange.reset()
    claimed.handoffs = 3
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
    "A run that changes between its token's reading and the commit is looked at again", arguments: [0, 1] as [Int64])
  func race(token: Int64) async throws {
    _ = try await store.commit([.putRun(run, .none)])
    let (other, racer) = (service.store(), RacingExchange(service))
    let racing = FirestoreStore(EmulatedFirestore.configuration, in: .at(racer, clock))
    var changed = run
    changed.handoffs = 7
    changed.fence = token
    racer.beforeCommit { [changed] in _ = try? await other.commit([.putRun(changed, .none)]) }
    var mine = run
    mine.handoffs = 9
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
    google.firestore.credentials = AskedCredentials { () throws(JobError) in
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

  @Test("What Firestore can't keep is refused as invalid")
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
#endif
