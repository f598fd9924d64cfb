import Synchronization

/// A signal that resumes tasks waiting for a change.
///
/// A caller reads ``generation`` before it inspects state, so that a change between inspection and wait is not missed.
final class ChangeSignal: Sendable {
  private struct State {
    var generation: UInt64 = 0
    var lastNumber: UInt64 = 0
    var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    var cancelled: Set<UInt64> = []
  }

  private let state = Mutex(State())

  /// The number of changes so far.
  var generation: UInt64 { state.withLock { $0.generation } }

  /// Records a change and resumes all waiters.
  func notify() {
    let waiters = state.withLock { state in
      state.generation += 1
      defer { state.waiters.removeAll() }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Suspends until a change follows a generation.
  ///
  /// - Parameter generation: the generation that the caller has seen.
  /// - Throws: `CancellationError`.
  func wait(after generation: UInt64) async throws {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
          if state.generation != generation { return .success(()) }
          state.waiters[number] = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Void, any Error>? in
        guard let waiter = state.waiters.removeValue(forKey: number) else {
          state.cancelled.insert(number)
          return nil
        }
        return waiter
      }
      waiter?.resume(throwing: CancellationError())
    }
    state.withLock { _ = $0.cancelled.remove(number) }
  }
}
