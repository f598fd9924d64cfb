public import CloudJobsCore

/// The health of a runtime, for its operator.
public struct JobHealth: Hashable, Sendable {
  /// The status of a report.
  public enum Status: String, Hashable, Sendable {
    /// There are no problems.
    case ok
    /// Requests are served, but ``JobHealth/problems`` need attention.
    case degraded
    /// The instance shuts down and admits no more work.
    case draining
  }

  /// A problem that needs an operator's attention.
  public struct Problem: Hashable, Sendable {
    /// The kinds of problems.
    public enum Code: String, Hashable, Sendable, CaseIterable {
      /// The store is unreachable or refuses calls.
      case storeUnavailable
      /// The store's time is ahead of this machine's clock.
      case clockBehind
      /// Jobs are overdue.
      case overdueJobs
      /// Runs are overdue.
      case overdueRuns
      /// Runs of jobs that are not registered are overdue.
      case unregisteredJobs
      /// Job documents are invalid; their jobs do not run by their schedules.
      case documentsSetAside
      /// Stored runs are invalid.
      case unreadableRuns
      /// The memory is nearly used up.
      case memoryLow
    }

    /// The kind of problem.
    public var code: Code
    /// The problem and its remedy.
    public var message: String
    /// The time at which it was first noticed, by the local clock; nil if unknown.
    public var since: Timestamp?
  }

  /// The status.
  public var status: Status
  /// The time at which the runtime was created, by the local clock.
  public var startedAt: Timestamp
  /// The time of the last successful master pass or worker's poll, by the local clock; nil if there was none.
  public var lastPass: Timestamp?
  /// The number of deliveries in process.
  public var activeDeliveries: Int
  /// The number of registered jobs.
  public var registeredJobs: Int
  /// The problems.
  public var problems: [Problem]
}

extension JobHealth {
  /// The report as the health route answers it.
  ///
  /// It contains no names of jobs or documents, as the route requires no credentials.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "status": .string(status.rawValue), "startedAt": .string("\(startedAt)"),
      "jobs": .integer(Int64(registeredJobs)), "active": .integer(Int64(activeDeliveries)),
      "problems": .array(
        problems.map { problem in
          var members: [String: JSONValue] = [
            "code": .string(problem.code.rawValue), "message": .string(problem.message),
          ]
          members["since"] = problem.since.map { .string("\($0)") }
          return .object(members)
        }),
    ]
    members["lastPass"] = lastPass.map { .string("\($0)") } ?? JSONValue.null
    return .object(members)
  }
}
