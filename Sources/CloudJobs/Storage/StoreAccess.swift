import CloudJobsCore

/// A store whose calls are tried again, within bounds, while it is not reachable.
struct StoreAccess: Sendable {
  let store: any JobStore
  let clock: any JobClock
  let random: RandomSource
  let retry: StoreRetry
  let health: HealthMonitor

  func read(jobs: [JobID], runs: [RunID]) async throws(StoreError) -> StoreReading {
    try await attempt { () async throws(StoreError) in try await store.read(jobs: jobs, runs: runs) }
  }

  /// Commits; `unknownOutcome` is the caller's to resolve.
  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    try await attempt(.write) { () async throws(StoreError) in try await store.commit(writes) }
  }

  /// Repeats a call that makes its own tries, while it answers `unavailable`, for as long as
  /// ``StoreRetry/persistence`` says.
  func persistently<Result: Sendable>(
    _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    let end = clock.now() + retry.persistence
    while true {
      do throws(StoreError) {
        return try await call()
      } catch {
        guard error.code == .unavailable, clock.now() < end else { throw error }
        let delay = max(.milliseconds(500), error.retryAfter ?? .zero)
        guard (try? await clock.sleep(until: min(end, clock.now() + delay))) != nil else { throw error }
      }
    }
  }

  /// Tries a call again while it answers `unavailable`, unless the service asks for too long a pause, or the tries
  /// have taken ``StoreRetry/limit`` already.
  func attempt<Result: Sendable>(
    _ kind: StoreCall = .read, _ call: () async throws(StoreError) -> Result
  ) async throws(StoreError) -> Result {
    var delays = RetryDelays(first: retry.delay)
    var triesLeft = max(1, retry.tries)
    let end = clock.now() + retry.limit
    while true {
      do throws(StoreError) {
        return try await once(kind, call)
      } catch {
        guard error.code == .unavailable else { throw error }
        triesLeft -= 1
        guard triesLeft > 0, clock.now() < end,
          let delay = random.draw({ delays.next(asked: error.retryAfter, random: &$0) })
        else {
          health.log(at: clock.now())
          throw error
        }
        do {
          try await clock.sleep(until: clock.now() + delay)
        } catch {
          throw StoreError(.unavailable, "The call was cancelled while it waited to be tried again.")
        }
      }
    }
  }

  /// Makes a call once, and notes for the health report whether the store answered.
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
}

extension JobError {
  /// A store's error as the handler answers it.
  package init(_ error: StoreError) {
    self.init(.storeUnavailable, error.message, nativeCode: error.nativeCode)
  }
}
