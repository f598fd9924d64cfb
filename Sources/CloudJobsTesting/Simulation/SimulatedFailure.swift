import CloudJobsCore
import CloudJobsEmulator
import Synchronization

/// A failure that a simulation can inject (``SimulatedRuntime/fail(_:times:)``).
public struct SimulatedFailure: Hashable, Sendable, CustomStringConvertible {
  private enum Kind: String {
    case store, commitConflict, lostCommitResponse, queue, lostTask, delivery, lostResponse, duplicateDelivery
  }

  private let kind: Kind

  /// The name of the failure.
  public var description: String { kind.rawValue }

  /// A call to the store fails, and changes nothing.
  public static let store = SimulatedFailure(kind: .store)
  /// A commit is refused, as if another instance had been faster.
  public static let commitConflict = SimulatedFailure(kind: .commitConflict)
  /// A commit takes place, and its response is lost.
  public static let lostCommitResponse = SimulatedFailure(kind: .lostCommitResponse)
  /// The queue refuses a call that enqueues tasks.
  public static let queue = SimulatedFailure(kind: .queue)
  /// The queue acknowledges a task, and loses it.
  public static let lostTask = SimulatedFailure(kind: .lostTask)
  /// A delivery does not reach the service; for a duration, it is the downtime of the service.
  ///
  /// The queue delivers its task again; what a scheduler fires meanwhile is missed.
  public static let delivery = SimulatedFailure(kind: .delivery)
  /// A delivery is processed, and its response is lost, so that the queue delivers again.
  public static let lostResponse = SimulatedFailure(kind: .lostResponse)
  /// A delivery comes twice at once.
  public static let duplicateDelivery = SimulatedFailure(kind: .duplicateDelivery)
}

extension SimulatedRuntime {
  /// Lets the next calls fail.
  ///
  /// Ticks of the master job count as no delivery here.
  ///
  /// - Parameters:
  ///   - failure: the failure.
  ///   - count: the number of calls, deliveries or tasks; it replaces an earlier number for the same failure.
  public func fail(_ failure: SimulatedFailure, times count: Int = 1) {
    faults.set(failure, times: count)
  }

  /// Lets all calls within a duration from now fail, ticks of the master job included.
  ///
  /// - Parameters:
  ///   - failure: the failure.
  ///   - span: the duration; it replaces an earlier one for the same failure.
  public func fail(_ failure: SimulatedFailure, for span: Duration) {
    faults.set(failure, until: now + span)
  }

  /// Ends all failures.
  public func endFailures() { faults.clear() }

  /// Returns how often a failure has happened, by which a test can check that it tests it.
  ///
  /// - Parameter failure: the failure.
  /// - Returns: the number of calls that failed.
  public func count(of failure: SimulatedFailure) -> Int { faults.count(of: failure) }
}

/// The failures that a simulation injects.
final class SimulatedFaults: Sendable {
  private struct Plan {
    var times = 0
    var until = Timestamp.distantPast
    var count = 0
  }

  private let plans = Mutex<[SimulatedFailure: Plan]>([:])
  private let clock: VirtualClock

  init(clock: VirtualClock) {
    self.clock = clock
  }

  func set(_ failure: SimulatedFailure, times: Int) {
    plans.withLock { $0[failure, default: Plan()].times = max(0, times) }
  }

  func set(_ failure: SimulatedFailure, until time: Timestamp) {
    plans.withLock { $0[failure, default: Plan()].until = time }
  }

  func clear() {
    plans.withLock { plans in
      plans = plans.mapValues { Plan(count: $0.count) }
    }
  }

  func count(of failure: SimulatedFailure) -> Int { plans.withLock { $0[failure]?.count ?? 0 } }

  /// Returns whether a call fails now.
  ///
  /// - Parameters:
  ///   - failure: the failure.
  ///   - isCounted: whether the call is one of those whose number is given.
  /// - Returns: whether it fails; then it counts.
  func strikes(_ failure: SimulatedFailure, isCounted: Bool = true) -> Bool {
    let now = clock.now()
    return plans.withLock { plans in
      guard var plan = plans[failure] else { return false }
      if now >= plan.until {
        guard isCounted, plan.times > 0 else { return false }
        plan.times -= 1
      }
      plan.count += 1
      plans[failure] = plan
      return true
    }
  }
}
