import CloudJobsCore
import Synchronization

/// A clock that a test moves by hand.
final class ManualClock: JobClock {
  private struct State {
    var now: Timestamp
    var last = 0
    var sleepers: [Int: (deadline: Timestamp, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var cancelled: Set<Int> = []
  }

  private let state: Mutex<State>

  init(_ start: Timestamp = World.start) {
    state = Mutex(State(now: start))
  }

  func now() -> Timestamp {
    state.withLock { $0.now }
  }

  /// How many tasks sleep.
  var sleepers: Int { state.withLock { $0.sleepers.count } }

  func advance(by span: Duration) {
    let due = state.withLock { state in
      state.now = state.now + span
      let due = state.sleepers.filter { $0.value.deadline <= state.now }
      for key in due.keys { state.sleepers[key] = nil }
      return due.values.sorted { $0.deadline < $1.deadline }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  func sleep(until deadline: Timestamp) async throws {
    let key = state.withLock { state in
      state.last += 1
      return state.last
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(key) != nil { return .failure(CancellationError()) }
          if deadline <= state.now { return .success(()) }
          state.sleepers[key] = (deadline, continuation)
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: key)
        if sleeper == nil { state.cancelled.insert(key) }
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }
}
