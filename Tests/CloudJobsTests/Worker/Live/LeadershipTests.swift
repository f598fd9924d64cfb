import CloudJobsCore
import Synchronization
import Testing

@testable import CloudJobs

@Suite("Leadership", .serialized)
struct LeadershipTests {
  private let store = MemoryStore()

  private func runtime(_ store: (any JobStore)? = nil) throws -> JobRuntime {
    JobRuntime(try JobRegistry {}, store: store ?? self.store, authentication: .trustLoopback)
  }

  @Test("Of several instances one leads at a time, and each term has a greater number")
  func exclusive() async throws {
    let rounds = Rounds()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<5 {
        let runtime = try runtime()
        group.addTask {
          for _ in 0..<4 {
            try await runtime.whileLeading("import", for: .seconds(5)) { term in
              try Task.checkCancellation()
              rounds.begin(term.number)
              defer { rounds.end() }
              try await Task.sleep(for: .milliseconds(20))
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(rounds.most == 1)
    let numbers = rounds.terms
    #expect(numbers.count == 20 && numbers == numbers.sorted() && Set(numbers).count == 20)
  }

  @Test("A term is renewed while the operation runs, and its result comes back")
  func renewal() async throws {
    let (leader, follower) = (try runtime(), try runtime())
    let began = ContinuousClock.now
    let rounds = Rounds()
    async let value = leader.whileLeading("long", for: .seconds(1)) { term in
      rounds.begin(term.number)
      defer { rounds.end() }
      try await Task.sleep(for: .milliseconds(1_700))
      return term.number
    }
    while rounds.terms.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    let second = try await follower.whileLeading("long", for: .seconds(1)) { $0.number }
    #expect(ContinuousClock.now - began >= .milliseconds(1_700))
    #expect(try await value < second)
  }

  @Test("An operation whose term can't be renewed is cancelled before another instance leads, and tried again")
  func loss() async throws {
    let faulty = FaultyStore(store)
    let runtime = try runtime(faulty)
    let rounds = Rounds()
    let result = try await runtime.whileLeading("fragile", for: .seconds(1)) { term in
      rounds.begin(term.number)
      if rounds.terms.count == 1 {
        faulty.isDown = true
        let began = ContinuousClock.now
        await #expect(throws: CancellationError.self) { try await Task.sleep(for: .seconds(10)) }
        #expect(ContinuousClock.now - began < .milliseconds(1_000))
        faulty.isDown = false
        return "lost"
      }
      return "led"
    }
    #expect(result == "led" && rounds.terms.count == 2)
  }

  @Test("A renewal that gets no answer does not keep the operation beyond three quarters of the term")
  func stalledRenewal() async throws {
    let faulty = FaultyStore(store)
    let (stalled, other) = (try runtime(faulty), try runtime())
    let rounds = Rounds()
    let first = Task {
      try await stalled.whileLeading("stalled", for: .seconds(2)) { term in
        rounds.begin(term.number)
        defer { rounds.end() }
        if rounds.terms.count == 1 { faulty.onRead { try? await Task.sleep(for: .seconds(6)) } }
        try await Task.sleep(for: .seconds(60))
      }
    }
    while rounds.terms.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    try await other.whileLeading("stalled", for: .seconds(2)) { term in
      rounds.begin(term.number)
      rounds.end()
    }
    #expect(rounds.most == 1 && rounds.terms.count == 2)
    faulty.onRead(nil)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
  }

  @Test("An instance whose winning response was lost leads without waiting for its own term to end")
  func lostResponse() async throws {
    let faulty = FaultyStore(store)
    faulty.fail(commit: 1, .lostAfter)
    let began = ContinuousClock.now
    let term = try await runtime(faulty).whileLeading("answered", for: .seconds(20)) { $0.number }
    #expect(ContinuousClock.now - began < .seconds(6))
    let next = try await runtime().whileLeading("answered", for: .seconds(20)) { $0.number }
    #expect(next > term && ContinuousClock.now - began < .seconds(8))
  }

  @Test("A response that comes late leaves too little of the term, and is followed by a renewal")
  func lateResponse() async throws {
    let faulty = FaultyStore(store)
    let delays = Mutex(1)
    faulty.onCommit { _ in
      let isFirst = delays.withLock { count in
        defer { count -= 1 }
        return count > 0
      }
      if isFirst { try? await Task.sleep(for: .milliseconds(800)) }
    }
    _ = try await runtime(faulty).whileLeading("late", for: .seconds(1)) { $0.number }
    #expect(faulty.counts.commits == 3, "the term, its renewal and the resignation")
  }

  @Test("A call that is cancelled while it waits leaves no term behind, and a result that it has made comes back")
  func cancelled() async throws {
    let faulty = FaultyStore(store)
    let runtime = try runtime(faulty)
    faulty.onCommit { _ in try? await Task.sleep(for: .milliseconds(300)) }
    let waiting = Task { try await runtime.whileLeading("cancelled", for: .seconds(60)) { _ in } }
    try await Task.sleep(for: .milliseconds(100))
    waiting.cancel()
    _ = try? await waiting.value
    faulty.onCommit(nil)
    let began = ContinuousClock.now
    let working = Task {
      try await runtime.whileLeading("cancelled", for: .seconds(60)) { _ in
        try? await Task.sleep(for: .seconds(60))
        return "kept"
      }
    }
    try await Task.sleep(for: .milliseconds(300))
    working.cancel()
    #expect(try await working.value == "kept")
    #expect(ContinuousClock.now - began < .seconds(5))
  }

  @Test("An error of the operation ends the term at once; a cancelled call ends too")
  func ends() async throws {
    struct Failure: Error {}
    let (first, second) = (try runtime(), try runtime())
    await #expect(throws: Failure.self) {
      try await first.whileLeading("x", for: .seconds(60)) { _ in throw Failure() }
    }
    let began = ContinuousClock.now
    try await second.whileLeading("x", for: .seconds(60)) { _ in }
    #expect(ContinuousClock.now - began < .seconds(5))
    let leads = Latch()
    let holder = Task {
      try await first.whileLeading("y", for: .seconds(60)) { _ in
        leads.open()
        try await Task.sleep(for: .seconds(60))
      }
    }
    await leads.wait()
    let waiter = Task { try await second.whileLeading("y", for: .seconds(60)) { _ in } }
    try await Task.sleep(for: .milliseconds(100))
    for task in [waiter, holder] { task.cancel() }
    for task in [waiter, holder] { await #expect(throws: CancellationError.self) { try await task.value } }
    try await second.whileLeading("y", for: .seconds(60)) { _ in }
  }

  @Test("Others see the term of the leader, and none after it has resigned")
  func status() async throws {
    let (leader, other) = (try runtime(), try runtime())
    #expect(try await other.leadership(of: "feed") == nil)
    let number = try await leader.whileLeading("feed") { term in
      let seen = try await other.leadership(of: "feed")
      #expect(seen?.term == term)
      #expect(try await other.leadership(of: "another") == nil)
      return term.number
    }
    #expect(number > 0)
    #expect(try await other.leadership(of: "feed") == nil)
  }

  @Test("Where one process of several is to run the jobs, its worker runs while it leads, and another one takes over")
  func worker() async throws {
    let executed = Effects()
    func instance(_ name: String) throws -> JobRuntime {
      let registry = try JobRegistry { EndpointJob("job") { _ in executed.add(name) } }
      return JobRuntime(registry, store: store, authentication: .trustLoopback)
    }
    let instances = [("a", try instance("a")), ("b", try instance("b"))]
    var tasks: [String: Task<Void, any Error>] = [:]
    for (name, runtime) in instances {
      tasks[name] = Task {
        try await runtime.whileLeading("worker", for: .seconds(1)) { _ in
          await JobWorker(runtime).run()
          try Task.checkCancellation()
        }
      }
    }
    let clients = Dictionary(uniqueKeysWithValues: instances)
    func finish(_ count: Int) async throws {
      while executed.list.count < count { try await Task.sleep(for: .milliseconds(5)) }
    }
    for _ in 0..<5 { try await instances[1].1.enqueue("job") }
    try await finish(5)
    let first = try #require(executed.list.first)
    #expect(executed.list == Array(repeating: first, count: 5))
    tasks[first]?.cancel()
    _ = try? await tasks[first]?.value
    for _ in 0..<5 { try await clients[first]?.enqueue("job") }
    try await finish(10)
    let second = first == "a" ? "b" : "a"
    #expect(executed.list.suffix(5) == Array(repeating: second, count: 5)[...])
    tasks[second]?.cancel()
    _ = try? await tasks[second]?.value
  }
}

/// The terms of some instances, as they overlap.
private final class Rounds: Sendable {
  private let state = Mutex((leading: 0, most: 0, terms: [Int64]()))

  var most: Int { state.withLock { $0.most } }
  var terms: [Int64] { state.withLock { $0.terms } }

  func begin(_ term: Int64) {
    state.withLock { state in
      state.leading += 1
      state.most = max(state.most, state.leading)
      state.terms.append(term)
    }
  }

  func end() { state.withLock { $0.leading -= 1 } }
}
