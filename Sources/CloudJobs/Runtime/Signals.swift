import CloudJobsCore
import Synchronization

/// The signals that wake the workers of this process: after an enqueue, at the end of an attempt, or at a shutdown.
final class WakeUps: Sendable {
  private let signals = Mutex<[ObjectIdentifier: WakeUp]>([:])

  /// Lets a signal be called with all others.
  func add(_ signal: WakeUp) { signals.withLock { $0[ObjectIdentifier(signal)] = signal } }

  /// Removes a signal.
  func remove(_ signal: WakeUp) { signals.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(signal)) } }

  /// Tells all workers that there may be new work.
  func call() {
    for signal in signals.withLock({ Array($0.values) }) { signal.call(withNews: true) }
  }
}

/// A signal that wakes one worker.
///
/// A call while it does not wait is kept, so that none is lost between a query and the wait after it.
final class WakeUp: Sendable {
  private struct State {
    var isSet = false
    var hasNews = false
    var waiter: (key: Int, continuation: CheckedContinuation<Void, Never>)?
    var lastKey = 0
  }

  private let state = Mutex(State())

  /// Wakes the worker, or lets its next wait end at once.
  ///
  /// - Parameter isNews: whether there may be new work; otherwise there is only room for what is known.
  func call(withNews isNews: Bool = false) {
    let waiter = state.withLock { state in
      state.hasNews = state.hasNews || isNews
      state.isSet = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.continuation.resume()
  }

  /// Returns whether there may be new work, and forgets it.
  func takeNews() -> Bool {
    state.withLock { state in
      defer { state.hasNews = false }
      return state.hasNews
    }
  }

  /// Waits for a call, until a deadline, or until the task is cancelled; only one task may wait.
  ///
  /// - Parameters:
  ///   - deadline: the latest time.
  ///   - clock: the clock of the deadline.
  /// - Returns: false if the deadline came first.
  @discardableResult
  func wait(until deadline: Timestamp, _ clock: any JobClock) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await self.wait()
        return true
      }
      group.addTask {
        try? await clock.sleep(until: deadline)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }

  private func wait() async {
    let key = state.withLock { state in
      state.lastKey += 1
      return state.lastKey
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.isSet || Task.isCancelled {
            state.isSet = false
            return true
          }
          state.waiter = (key, continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        guard state.waiter?.key == key else { return CheckedContinuation<Void, Never>?.none }
        defer { state.waiter = nil }
        return state.waiter?.continuation
      }
      waiter?.resume()
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
