import CloudJobsCore
import Synchronization

/// A signal that wakes the worker of this process: after an enqueue, at the end of an attempt, or at a shutdown.
///
/// A call while no task waits is kept, so that none is lost between a query and the wait after it.
final class WakeUp: Sendable {
  private struct State {
    var isSet = false
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  /// Wakes the waiting tasks, or the next one to wait.
  func call() {
    let waiters = state.withLock { state in
      state.isSet = state.waiters.isEmpty
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }

  /// Waits for a call, until a deadline, or until the task is cancelled.
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

/// An event that happens once, and that many tasks may wait for.
package final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var next = 0
    var waiters: [Int: AsyncStream<Never>.Continuation] = [:]
  }

  private let state = Mutex(State())

  /// Creates a latch that is not open.
  package init() {}

  /// Whether the event has happened.
  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Opens the latch: all waiting tasks resume, and later ones do not wait.
  package func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.finish() }
  }

  /// Waits until the latch is open, or until the task is cancelled.
  package func wait() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    let key: Int? = state.withLock { state in
      if state.isOpen { return nil }
      state.next += 1
      state.waiters[state.next] = continuation
      return state.next
    }
    guard let key else { return }
    for await _ in stream {}
    state.withLock { _ = $0.waiters.removeValue(forKey: key) }
  }
}
