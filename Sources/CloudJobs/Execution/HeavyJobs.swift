public import CloudJobsCore

/// The place where a runtime executes heavy work.
public struct HeavyJobs: Sendable {
  private enum Choice: Sendable {
    case here
    case subprocess
    case queue(any TaskQueue)
  }

  private let choice: Choice

  /// In this process, on the compute executor, like medium work.
  public static let here = HeavyJobs(choice: .here)

  /// In a subprocess of the same program for each attempt, which is killed at its time limit.
  ///
  /// The subprocess executes the program's `main`, in which ``JobRuntime/runSubprocessAttempt()`` takes over;
  /// `JobServer` calls it.
  public static let subprocess = HeavyJobs(choice: .subprocess)

  /// In another service with the same jobs and the same store, whose runtime has `heavy` set to ``here``.
  ///
  /// - Parameter queue: the queue that delivers to that service.
  /// - Returns: the placement.
  public static func queue(_ queue: any TaskQueue) -> HeavyJobs { HeavyJobs(choice: .queue(queue)) }

  /// The placement as a value, on which routing depends.
  public var placement: HeavyPlacement {
    switch choice {
    case .here: .here
    case .subprocess: .subprocess
    case .queue: .otherService
    }
  }

  /// The queue of the other service, if there is one.
  var otherQueue: (any TaskQueue)? {
    if case .queue(let queue) = choice { queue } else { nil }
  }
}
