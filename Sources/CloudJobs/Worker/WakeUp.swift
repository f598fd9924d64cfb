import CloudJobsCore
import Synchronization

/// Wakes the worker of this process: by an enqueue, by an attempt that ended, or by the start of a shutdown.
///
/// A call while nobody waits is kept, so that none is lost between a look at the store and the wait after it.
final class WakeUp: Sendable {
  private struct State {
    var isSet = false
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  /// Wakes whoever waits, or the next one to wait.
  func call() {
    let waiters = state.withLock { state in
      state.isSet = state.waiters.isEmpty
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }

  /// Waits for a call, until a time at the latest, or until the task is cancelled.
  func wait(until deadline: Timestamp, _ clock: any JobClock) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait() }
      group.addTask { try? await clock.sleep(until: deadline) }
      await group.next()
      group.cancelAll()
    }
  }

  private func wait() async {
    let key = state.withLock { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.isSet || Task.isCancelled {
            state.isSet = false
            return true
          }
          state.waiters[key] = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: key) }?.resume()
    }
  }
}
