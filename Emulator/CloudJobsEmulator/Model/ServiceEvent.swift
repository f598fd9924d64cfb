package import CloudJobsCore

/// An event that a driver passes to a service.
package enum ServiceEvent: Hashable, Sendable {
  /// Time has passed or a request was served; the service processes what is due.
  case wake
  /// A delivery has ended; an ID that is not in flight is ignored.
  case completed(DeliveryID, DeliveryOutcome)
  /// The driver was restarted and repeats the deliveries that were in flight.
  ///
  /// Their deadlines start again; deliveries whose task or job no longer exists end.
  case resumed
}

/// An action that a service requests from its driver.
package enum ServiceAction: Hashable, Sendable {
  /// Make a delivery and report its outcome.
  case deliver(DeliveryRequest)
  /// No action: the record of how an attempt ended and what follows.
  case settled(Settlement)
}

/// The result of an attempt, or of a task that ended without one.
package struct Settlement: Hashable, Sendable {
  /// The consequence for the task or execution.
  package enum Verdict: Hashable, Sendable {
    /// It succeeded.
    case succeeded
    /// Another attempt follows at a time.
    case retry(at: Timestamp)
    /// It was abandoned, with the limit or reason.
    case abandoned(String)
    /// The outcome has no effect, with the reason.
    case ignored(String)
  }

  /// The delivery's ID, or nil if the subject ended without an attempt.
  package var id: DeliveryID?
  /// The full name of the task or job.
  package var subject: String
  /// The number of attempts so far.
  package var attempt: Int
  /// The outcome of the attempt, or nil if there was none.
  package var outcome: DeliveryOutcome?
  /// The consequence for the task or execution.
  package var verdict: Verdict
}

extension Settlement: CustomStringConvertible {
  /// The settlement as one line.
  package var description: String {
    let result = outcome.map { "\($0)" } ?? "no attempt"
    return switch verdict {
    case .succeeded: "\(subject) attempt \(attempt): \(result), done"
    case .retry(let time): "\(subject) attempt \(attempt): \(result), retry at \(time)"
    case .abandoned(let rule): "\(subject) attempt \(attempt): \(result), given up: \(rule)"
    case .ignored(let why): "\(subject) attempt \(attempt): \(result), ignored: \(why)"
    }
  }
}
