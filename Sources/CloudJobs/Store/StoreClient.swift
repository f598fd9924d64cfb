import CloudJobsCore

/// The store as the runtime calls it: transient errors are retried within a budget, and each call's success or failure
/// is noted for the health report.
struct StoreClient: Sendable {
  let store: any JobStore
  let clock: any JobClock
  let steadyClock: any JobClock
  let random: RandomSource
  let retry: StoreRetry
  let health: HealthMonitor
  var metrics = RuntimeMetrics()

  /// Returns the budget of one piece of work that begins now.
  func budget() -> RetryBudget { RetryBudget(retry, at: steadyClock.now()) }

  /// Reads documents by id, all as of one time.
  func read(
    jobs: [JobID] = [], runs: [RunID] = [], ledgers: [LedgerID] = []
  ) async throws(StoreError) -> StoreReading {
    try await call { () async throws(StoreError) in
      try await store.read(jobs: jobs, runs: runs, ledgers: ledgers)
    }
  }

  /// Commits changes without resolving an unknown outcome; ``RunCommitter`` does that for runs.
  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try await call(.write) { () async throws(StoreError) in try await store.commit(writes) }
  }

  /// Makes a call with a budget of its own.
  func call<Result: Sendable>(
    _ kind: StoreCall = .read, _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    var budget = budget()
    return try await self.call(kind, &budget, call)
  }

  /// Makes a call, and repeats it on transient errors while the budget lasts.
  func call<Result: Sendable>(
    _ kind: StoreCall, _ budget: inout RetryBudget, _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    while true {
      do throws(StoreError) {
        return try await once(kind, call)
      } catch {
        try await wait(after: error, kind, &budget)
      }
    }
  }

  /// Makes a call once.
  func once<Result: Sendable>(
    _ kind: StoreCall = .read, _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    do throws(StoreError) {
      let result = try await call()
      health.note { $0.storeAnswered(kind) }
      return result
    } catch {
      if error.code == .unavailable {
        let now = clock.now()
        health.note { $0.storeFailed(kind, error.message, at: now) }
      } else {
        health.note { $0.storeAnswered(kind) }
      }
      throw error
    }
  }

  /// Waits before a failed call is repeated.
  ///
  /// - Parameters:
  ///   - error: the error of the call.
  ///   - kind: the kind of the call.
  ///   - budget: the budget of the work.
  /// - Throws: the error itself if it is not transient or the budget is used up.
  func wait(
    after error: StoreError, _ kind: StoreCall, _ budget: inout RetryBudget
  ) async throws(StoreError) {
    let now = steadyClock.now()
    guard let delay = random.draw({ budget.delay(after: error, at: now, random: &$0) }) else {
      health.log(at: clock.now())
      throw error
    }
    metrics.count(.storeRetries, [("operation", kind.rawValue)])
    do {
      try await steadyClock.sleep(until: now + delay)
    } catch {
      throw StoreError(.unavailable, "The call was cancelled while it waited to be repeated.")
    }
  }
}

/// The limits of the retries around the store that one piece of work may cause.
struct RetryBudget: Sendable {
  /// The number of write conflicts after which the work is given up.
  static let conflictLimit = 5

  private let retry: StoreRetry
  private var delays: RetryDelays
  private var retries: Int
  private var deadline: Timestamp
  private var conflicts = Self.conflictLimit
  private var isPersistent = false

  init(_ retry: StoreRetry, at now: Timestamp) {
    self.retry = retry
    delays = RetryDelays(first: retry.delay)
    retries = max(0, retry.tries - 1)
    deadline = now + retry.limit
  }

  /// Extends the budget to ``StoreRetry/persistence``: giving up now would waste work that is done, or leave a lease to
  /// expire.
  mutating func persist(at now: Timestamp) {
    if isPersistent { return }
    isPersistent = true
    delays = RetryDelays(first: retry.delay, longest: .milliseconds(500))
    deadline = now + retry.persistence
  }

  /// Takes a retry.
  ///
  /// - Returns: the delay before it; nil if the error is not transient, if the budget is used up, or if the service
  ///   asks for too long a pause.
  mutating func delay(
    after error: StoreError, at now: Timestamp, random: inout some RandomNumberGenerator
  ) -> Duration? {
    guard error.code == .unavailable, now < deadline else { return nil }
    if isPersistent { return min(max(delays.next(random: &random), error.retryAfter ?? .zero), deadline - now) }
    guard retries > 0, let delay = delays.next(asked: error.retryAfter, random: &random) else { return nil }
    retries -= 1
    return delay
  }

  /// Takes a write conflict; false if none is left.
  mutating func takeConflict() -> Bool {
    conflicts -= 1
    return conflicts > 0
  }
}

extension JobError {
  /// Creates the error of a caller from a store's error; the code tells whether a retry helps.
  package init(_ error: StoreError) {
    let code: Code =
      switch error.code {
      case .unavailable, .unknownOutcome: .storeUnavailable
      case .conflict, .refused: .storeConflict
      case .invalid: .storeRejected
      }
    self.init(code, error.message, nativeCode: error.nativeCode)
  }
}
