public import CloudJobsCore

/// What an operator should know about a runtime, as of one moment.
public struct JobHealth: Hashable, Sendable {
  /// The summary of a report.
  public enum Status: String, Hashable, Sendable {
    /// Nothing is wrong.
    case ok
    /// Requests are served, but ``JobHealth/problems`` need attention.
    case degraded
    /// The instance shuts down and takes no more work.
    case draining
  }

  /// Something that needs an operator's attention.
  public struct Problem: Hashable, Sendable {
    /// The kinds of problems.
    public enum Code: String, Hashable, Sendable, CaseIterable {
      /// The store can't be reached or refuses.
      case storeUnavailable
      /// The store's time is ahead of this machine's clock.
      case clockBehind
      /// Jobs are due and have not been run for longer than they should.
      case overdueJobs
      /// Runs are due and have not been delivered for longer than they should.
      case overdueRuns
      /// Runs are overdue whose jobs are not registered.
      case unregisteredJobs
      /// Job documents are invalid; their jobs do not run by their schedules.
      case documentsSetAside
      /// Stored runs can't be read.
      case unreadableRuns
    }

    /// Which kind.
    public var code: Code
    /// What is wrong, and the remedy.
    public var message: String
    /// When it was first noticed, by the local clock; nil where that is not known.
    public var since: Timestamp?
  }

  /// The summary.
  public var status: Status
  /// When the runtime was made, by the local clock.
  public var startedAt: Timestamp
  /// When a master pass or the worker last looked at the store and succeeded, by the local clock; nil if none has.
  public var lastPass: Timestamp?
  /// Deliveries that are processed now.
  public var activeDeliveries: Int
  /// Registered jobs.
  public var registeredJobs: Int
  /// What needs attention.
  public var problems: [Problem]
}

extension JobHealth {
  /// The report as the health route answers it.
  ///
  /// It holds no names of jobs or documents: the route asks for no credentials.
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
