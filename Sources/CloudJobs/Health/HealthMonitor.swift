import CloudJobsCore
import Logging
import Synchronization

/// Collects what a runtime notices, and logs a problem once when it begins and once when it is over.
final class HealthMonitor: Sendable {
  private struct State: Sendable {
    var health: HealthState
    var logged: Set<JobHealth.Problem.Code> = []
  }

  private let state: Mutex<State>
  private let logger: Logger

  init(_ health: HealthState, logger: Logger) {
    state = Mutex(State(health: health))
    self.logger = logger
  }

  /// Notes something.
  func note<Result: Sendable>(_ change: (inout HealthState) -> sending Result) -> Result {
    state.withLock { change(&$0.health) }
  }

  /// What needs attention now.
  func problems(at now: Timestamp) -> [JobHealth.Problem] {
    state.withLock { $0.health.problems(at: now) }
  }

  /// Logs the problems that are new, and those that are over.
  func log(at now: Timestamp) {
    let (begun, ended) = state.withLock { state in
      let problems = state.health.problems(at: now)
      let begun = problems.filter { !state.logged.contains($0.code) }
      let codes = Set(problems.map(\.code))
      let ended = state.logged.filter { !codes.contains($0) }.sorted { $0.rawValue < $1.rawValue }
      state.logged = codes
      return (begun, ended)
    }
    for problem in begun { logger.warning("\(problem.message)", metadata: ["problem": "\(problem.code.rawValue)"]) }
    for code in ended { logger.notice("A problem is over.", metadata: ["problem": "\(code.rawValue)"]) }
  }
}
