#if Server
import CloudJobs
import CloudJobsCore
import Synchronization

/// Computations that a page may take some time for: few at a time, each on a thread of its own.
///
/// The shared pool of threads stays free for deliveries, heartbeats and other pages, however many visitors ask.
final class LongComputation: Sendable {
  private struct State {
    var active = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  /// The computations of this process.
  static let shared = LongComputation(limit: 2, waitingLimit: 32)

  private let limit: Int
  private let waitingLimit: Int
  private let state = Mutex(State())

  /// Creates a place for computations.
  ///
  /// - Parameters:
  ///   - limit: the maximum number of computations at once.
  ///   - waitingLimit: the maximum number of further ones that wait.
  init(limit: Int, waitingLimit: Int) {
    (self.limit, self.waitingLimit) = (limit, waitingLimit)
  }

  /// The number of computations that wait.
  var waiting: Int { state.withLock { $0.waiters.count } }

  /// Computes a value on a thread of its own.
  ///
  /// - Parameter compute: the computation.
  /// - Returns: the value.
  /// - Throws: ``/CloudJobsCore/JobError`` `overloaded` if too many wait already, or if there is no thread.
  func run<Value: Sendable>(_ compute: @escaping @Sendable () -> Value) async throws(JobError) -> Value {
    guard waiting < waitingLimit else {
      throw JobError(.overloaded, "Other forecasts and calendars are being computed. Load the page again in a moment.")
    }
    await withCheckedContinuation { continuation in
      let mayStart = state.withLock { state in
        guard state.active < limit else {
          state.waiters.append(continuation)
          return false
        }
        state.active += 1
        return true
      }
      if mayStart { continuation.resume() }
    }
    defer { finish() }
    let value: Value? = await withCheckedContinuation { continuation in
      if !DedicatedThread.start({ continuation.resume(returning: compute()) }) { continuation.resume(returning: nil) }
    }
    guard let value else { throw JobError(.overloaded, "The system has no thread left. Load the page again later.") }
    return value
  }

  /// Gives the place of an ended computation to the one that waits for longest.
  private func finish() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
      state.active -= 1
      return nil
    }
    next?.resume()
  }
}
#endif
