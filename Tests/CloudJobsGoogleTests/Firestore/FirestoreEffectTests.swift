#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import Logging
import Synchronization
import Testing

@testable import CloudJobsGoogle

/// The emulated Firestore, which loses the responses to some commits that it has made.
private final class ForgetfulExchange: HTTPExchange {
  private let base: EmulatedFirestore
  private let losses = Mutex(0)

  init(_ base: EmulatedFirestore) { self.base = base }

  /// Loses the responses to the next commits.
  func loseResponses(_ count: Int) { losses.withLock { $0 = count } }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    let response = try await base.send(request)
    let isLost = losses.withLock { losses in
      guard losses > 0, request.url.hasSuffix(":commit") else { return false }
      losses -= 1
      return true
    }
    if isLost { throw HTTPExchangeError(.timedOut, "The response was lost.") }
    return response
  }
}

@Suite("Effects on Firestore")
struct FirestoreEffectTests {
  private let clock = StoreClock()
  private let service: EmulatedFirestore
  private let exchange: ForgetfulExchange

  /// A clock of the service that a test moves.
  private final class StoreClock: JobClock {
    private let time = Mutex(Timestamp(seconds: 1_767_225_600))

    func now() -> Timestamp { time.withLock { $0 } }

    func sleep(until deadline: Timestamp) async throws { try await SystemClock().sleep(for: .milliseconds(1)) }

    func advance(by span: Duration) { time.withLock { $0 = $0 + span } }
  }

  init() {
    service = EmulatedFirestore(clock: clock)
    exchange = ForgetfulExchange(service)
  }

  private func store() -> FirestoreStore {
    FirestoreStore(EmulatedFirestore.configuration, in: .at(exchange, SystemClock()))
  }

  private func runtime(
    _ owner: String, _ store: FirestoreStore, @JobRegistryBuilder _ jobs: () -> [any JobHandler]
  ) throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = owner
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return JobRuntime(
      try JobRegistry(jobs), store: store, queue: NoQueue(), authentication: .trustLoopback, options: options)
  }

  private func delivery(_ key: String) -> Delivery {
    var delivery = Delivery(job: "pay", trigger: .task)
    delivery.occurrence = .key(key)
    return delivery
  }

  private func document(_ path: String) async throws -> [String: JSONValue]? {
    let store = store()
    let found = try await store.client.batchGet(["\(store.configuration.root)/\(path)"])
    return found.documents.first.map { FirestoreValue.fields($0.fields) }
  }

  private static let changes: [FirestoreChange] = [.increment("accounts/1", "balance", by: 100)]

  @Test("A repeated attempt does not repeat the effect, which costs one commit and no read")
  func retry() async throws {
    let (store, service) = (store(), service)
    let results = Mutex<[Bool]>([])
    let reads = Mutex<[Int]>([])
    let runtime = try runtime("one", store) {
      EndpointJob("pay") { context in
        let before = service.usage.reads
        let isNew = try await store.perform(effect: "pay", for: context, Self.changes)
        reads.withLock { $0.append(service.usage.reads - before) }
        results.withLock { $0.append(isNew) }
        if context.attempt == 1 { throw JobFailure.retry(after: .zero, "after the effect") }
      }
    }
    let first = await runtime.deliver(delivery("a"))
    #expect(first.status == .retrying, "\(first)")
    // The service's clock stands still; on a slow machine the runtime's would be ahead by more than the tolerance.
    clock.advance(by: .seconds(60))
    let second = await runtime.deliver(delivery("a"))
    #expect(second.status == .succeeded, "\(second)")
    #expect(results.withLock { $0 } == [true, false])
    #expect(reads.withLock { $0.first } == 0)
    #expect(try await document("accounts/1")?["balance"] == 100)
  }

  @Test("Every kind of change commits together with the record, or none does")
  func changes() async throws {
    let store = store()
    let name = "\(store.configuration.root)/raw/1"
    let runtime = try runtime("one", store) {
      EndpointJob("pay") { context in
        try await store.perform(
          effect: "all", for: context,
          [
            .set("a/set", ["n": 1, "map": ["list": [1, "x"]]]), .create("a/new", ["n": 2]),
            .merge("a/merge", ["x y": 3]), .increment("a/count", "n", by: -4), .delete("a/none"),
            .raw(["update": ["name": .string(name), "fields": ["t": ["timestampValue": "2026-01-01T00:00:00Z"]]]]),
          ])
        do {
          try await store.perform(effect: "again", for: context, Self.changes + [.create("a/new", ["n": 5])])
          Issue.record("a document was created twice")
        } catch {
          #expect((error as? JobError)?.code == .storeConflict)
        }
        try await store.perform(effect: "again", for: context, Self.changes)
      }
    }
    #expect(await runtime.deliver(delivery("a")).status == .succeeded)
    #expect(try await document("a/set") == ["n": 1, "map": ["list": [1, "x"]]])
    #expect(try await document("a/new")?["n"] == 2)
    #expect(try await document("a/merge")?["x y"] == 3)
    #expect(try await document("a/count")?["n"] == -4)
    #expect(try await document("raw/1")?["t"] == "2026-01-01T00:00:00Z")
    #expect(try await document("accounts/1")?["balance"] == 100)
  }

  @Test("A lost response is resolved: the effect happened once, and the call tells that it did", arguments: 1...3)
  func lostResponse(count: Int) async throws {
    let (store, exchange) = (store(), exchange)
    let runtime = try runtime("one", store) {
      EndpointJob("pay") { context in
        exchange.loseResponses(count)
        let isNew = try await store.perform(effect: "pay", for: context, Self.changes)
        exchange.loseResponses(0)
        let isNewAgain = try await store.perform(effect: "pay", for: context, Self.changes)
        #expect(isNew && !isNewAgain)
      }
    }
    #expect(await runtime.deliver(delivery("a")).status == .succeeded)
    #expect(try await document("accounts/1")?["balance"] == 100)
  }

  @Test("Concurrent copies of each delivery have one effect; calls at once within an attempt too")
  func copies() async throws {
    let stores = [store(), store()]
    let runtimes = try stores.enumerated().map { index, store in
      try runtime("owner \(index)", store) {
        EndpointJob("pay") { context in
          try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
              group.addTask { try await store.perform(effect: "pay", for: context, Self.changes) }
            }
            try await group.waitForAll()
          }
        }
      }
    }
    for number in 0..<10 {
      let statuses = await withTaskGroup(of: DeliveryResult.Status.self) { group in
        for copy in 0..<20 { group.addTask { await runtimes[copy % 2].deliver(delivery("\(number)")).status } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(statuses.filter { $0 == .succeeded }.count == 1, "\(statuses)")
    }
    #expect(try await document("accounts/1")?["balance"] == 1_000)
  }

  @Test("Attempts that end after their lease was taken over are refused, effects and results")
  func lateAttempts() async throws {
    let count = 50
    let gate = Latch()
    let refused = Mutex(0)
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    func make(_ owner: String) throws -> JobRuntime {
      let store = store()
      return try runtime(owner, store) {
        EndpointJob("pay") { context in
          if owner == "late" {
            arrived.yield()
            await gate.wait()
          }
          do {
            try await store.perform(effect: "pay", for: context, Self.changes)
          } catch let error as JobError where error.code == .leaseLost {
            refused.withLock { $0 += 1 }
          }
        }
      }
    }
    let (late, other) = (try make("late"), try make("other"))
    let results = await withTaskGroup(of: DeliveryResult.Status.self) { group in
      for number in 0..<count { group.addTask { await late.deliver(delivery("\(number)")).status } }
      var iterator = arrivals.makeAsyncIterator()
      for _ in 0..<count { await iterator.next() }
      clock.advance(by: .seconds(1_000))
      for number in 0..<count { #expect(await other.deliver(delivery("\(number)")).status == .succeeded) }
      gate.open()
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(refused.withLock { $0 } == count && results.filter { $0 == .leaseLost }.count == count, "\(results)")
    #expect(try await document("accounts/1")?["balance"] == .integer(Int64(100 * count)))
  }

  @Test("Records expire, and a run that was deleted and enqueued again has effects of its own")
  func records() async throws {
    let store = store()
    let runtime = try runtime("one", store) {
      EndpointJob("pay") { context in try await store.perform(effect: "a/b", for: context, Self.changes) }
    }
    let result = await runtime.deliver(delivery("a"))
    clock.advance(by: .seconds(1))
    _ = try await store.commit([.deleteRun(try #require(result.runID), .none)])
    #expect(await runtime.deliver(delivery("a")).status == .succeeded)
    #expect(try await document("accounts/1")?["balance"] == 200)
    let query = FirestoreQuery.expired(.distantFuture, in: "effects", store.configuration)
    #expect(try await store.client.runQuery(query, limit: 10).documents.count == 2)
    clock.advance(by: .seconds(181 * 86_400))
    #expect(try await store.purgeExpired(limit: 10) == 1)
    #expect(try await store.client.runQuery(query, limit: 10).documents.isEmpty)
  }
}
#endif
