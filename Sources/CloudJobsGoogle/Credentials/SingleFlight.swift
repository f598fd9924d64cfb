#if HTTP
import CloudJobsCore
import Synchronization

/// Coalesces concurrent calls: one caller does the work, and all callers share its outcome.
///
/// The work runs in the task of the leading caller. If that task is cancelled and the work fails, a waiting caller
/// takes the lead, so that no caller fails because of another's cancellation.
final class SingleFlight<Value: Sendable>: Sendable {
  private enum Turn: Sendable {
    case lead
    case follow(Result<Value, JobError>)
    case cancelled
  }

  private struct Waiter {
    var number: UInt64
    var continuation: CheckedContinuation<Turn, Never>
  }

  private struct State {
    var isBusy = false
    var lastNumber: UInt64 = 0
    var waiters: [Waiter] = []
    var cancelled: Set<UInt64> = []
  }

  private let cancelledCode: JobError.Code
  private let state = Mutex(State())

  /// Creates an idle instance.
  ///
  /// - Parameter cancelledCode: the error code for calls that are cancelled while they wait.
  init(cancelledCode: JobError.Code = .credentialsUnavailable) {
    self.cancelledCode = cancelledCode
  }

  /// Whether a caller is doing the work.
  var isBusy: Bool { state.withLock { $0.isBusy } }

  /// Does the work, or waits for the caller that does.
  ///
  /// - Parameter work: the work; it should first check whether an earlier leader has already done it.
  /// - Returns: the outcome of the work.
  /// - Throws: the work's error, or the error for cancelled calls if the calling task is cancelled while it waits.
  func run(_ work: () async throws(JobError) -> Value) async throws(JobError) -> Value {
    switch await turn() {
    case .follow(let result): return try result.get()
    case .cancelled: throw JobError(cancelledCode, "The call was cancelled while it waited for another's request.")
    case .lead:
      let result: Result<Value, JobError>
      do throws(JobError) {
        result = .success(try await work())
      } catch {
        result = .failure(error)
      }
      finish(result)
      return try result.get()
    }
  }

  private func turn() async -> Turn {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    let turn = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let turn: Turn? = state.withLock { state in
          if state.cancelled.contains(number) { return .cancelled }
          if !state.isBusy {
            state.isBusy = true
            return .lead
          }
          state.waiters.append(Waiter(number: number, continuation: continuation))
          return nil
        }
        if let turn { continuation.resume(returning: turn) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> Waiter? in
        guard let index = state.waiters.firstIndex(where: { $0.number == number }) else {
          state.cancelled.insert(number)
          return nil
        }
        return state.waiters.remove(at: index)
      }
      waiter?.continuation.resume(returning: .cancelled)
    }
    state.withLock { _ = $0.cancelled.remove(number) }
    return turn
  }

  private func finish(_ result: Result<Value, JobError>) {
    let isAbandoned = if case .failure = result { Task.isCancelled } else { false }
    let (waiters, turn) = state.withLock { state -> ([Waiter], Turn) in
      if isAbandoned, !state.waiters.isEmpty { return ([state.waiters.removeFirst()], .lead) }
      defer {
        state.isBusy = false
        state.waiters = []
      }
      return (state.waiters, .follow(result))
    }
    for waiter in waiters { waiter.continuation.resume(returning: turn) }
  }
}
#endif
