/// What the prerequisites of a run allow.
package enum PrerequisiteVerdict: Hashable, Sendable {
  /// All of them have ended.
  case met
  /// This one has not ended.
  case wait(for: RunID)
  /// One did not succeed, and the run must not start.
  case failed(reason: String)
}

extension Run {
  /// The time after which a run checks its prerequisites even if none has delivered it.
  package static let prerequisiteRecheck = Duration.hours(1)

  /// Returns what the prerequisites allow.
  ///
  /// A run waits for one prerequisite at a time: when that ends, the next unfinished one is looked for. So each run is
  /// delivered as often as its prerequisites end in the order of the list, and no counter is shared.
  ///
  /// - Parameter statuses: the statuses of the prerequisites; absent for a run that no longer exists.
  /// - Returns: the verdict.
  package func prerequisiteVerdict(under statuses: [RunID: RunStatus]) -> PrerequisiteVerdict {
    if failedPrerequisite == .cancel {
      for id in prerequisites {
        switch statuses[id] {
        case .failed?, .cancelled?: return .failed(reason: RunReason.Text.prerequisiteFailed(id, exists: true))
        case nil: return .failed(reason: RunReason.Text.prerequisiteFailed(id, exists: false))
        case .scheduled?, .pending?, .running?, .succeeded?: continue
        }
      }
    }
    let unfinished = prerequisites.first { statuses[$0].map { !$0.isTerminal } ?? false }
    return unfinished.map { .wait(for: $0) } ?? .met
  }

  /// Returns the run with other prerequisites in the place of some.
  ///
  /// - Parameter others: the runs that stand for prerequisites, by their ids.
  /// - Returns: the run.
  package func waiting(insteadFor others: [RunID: RunID]) -> Run {
    var run = self
    run.prerequisites = prerequisites.map { others[$0] ?? $0 }
    return run
  }

  /// Returns the run waiting for a prerequisite.
  package func awaiting(_ prerequisite: RunID, at now: Timestamp) -> Run {
    var run = self
    run.status = .scheduled
    run.lease = nil
    run.awaiting = prerequisite
    run.reason = RunReason.Text.prerequisite(prerequisite)
    run.wakeAt = max(now, notBefore) + Self.prerequisiteRecheck
    run.reenqueues = reenqueues.successor
    return run
  }

  /// Returns the run that has another one to deliver when it ends.
  package func amended(withDependent id: RunID) -> Run {
    var run = self
    if !run.dependents.contains(id) { run.dependents.append(id) }
    run.amendments = amendments.successor
    return run
  }

  /// Returns the run due for delivery, after the prerequisite that it waited for has ended; nil if it waits for another
  /// one or not at all.
  package func released(by prerequisite: RunID, _ settings: PlanSettings, at now: Timestamp) -> Run? {
    guard awaiting == prerequisite, status == .scheduled || status == .pending else { return nil }
    var run = waiting(until: max(now, notBefore), why: nil, settings)
    run.awaiting = nil
    run.reenqueues = reenqueues.successor
    return run
  }
}
