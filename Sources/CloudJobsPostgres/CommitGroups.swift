#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// The way in which a commit is executed; a group has commits of one kind.
enum CommitKind: Hashable, Sendable {
  /// One new run: an `INSERT` for all commits of a group.
  case insert
  /// One stored run under a precondition: an `UPDATE` for all commits of a group.
  case update
  /// Anything else: the documents are locked and read, and the preconditions are checked in this process.
  case mixed
}

/// A document that commits of one group may not both write.
enum CommitTarget: Hashable, Sendable {
  case job(JobID)
  case run(RunID)
  case ledger(LedgerID)
  case journal(String)
  case log(RunID, Int64)
}

/// What a commit writes, as far as its group depends on it.
struct CommitProfile: Sendable {
  /// The way of execution.
  let kind: CommitKind
  /// The number of writes.
  let weight: Int
  /// The documents that it alone writes.
  let targets: [CommitTarget]
  /// The accounts of limits, which any number of commits may change one after the other.
  let accounts: [CommitTarget]

  /// Creates the profile of a commit.
  init(_ writes: [Write]) {
    weight = writes.count
    kind =
      switch (writes.count, writes.first) {
      case (1, .putRun(_, .absent)?): .insert
      case (1, .putRun(_, .version)?), (1, .putRun(_, .fence)?), (1, .putRun(_, .attempt)?): .update
      default: .mixed
      }
    targets = writes.compactMap { write in
      switch write {
      case .putRun(let run, _): .run(run.id)
      case .deleteRun(let id, _): .run(id)
      case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _): .job(id)
      case .putLedger(let id, _, _): .ledger(id)
      case .changeLedger: nil
      case .putJournal(let entry): .journal(entry.id)
      case .putLog(let entry): .log(entry.run, entry.sequence)
      }
    }
    accounts = writes.compactMap { if case .changeLedger(let id, _) = $0 { .ledger(id) } else { nil } }
  }
}

/// The choice of the commits that share a transaction.
enum CommitGroups {
  /// The maximum number of commits in one group.
  static let countLimit = 256
  /// The maximum number of writes in one group, apart from its first commit.
  static let weightLimit = 1_000
  /// The maximum number of waiting commits that are considered.
  static let window = 1_024

  /// Returns the places of the waiting commits that make the next group.
  ///
  /// The first commit decides the kind. A commit that writes a document of another one waits for the next group, so
  /// that each is decided by what the other has left. Commits wait at the same time, so their order is free; the first
  /// one is always taken, so that none waits forever.
  ///
  /// - Parameters:
  ///   - waiting: the profiles of the waiting commits, the oldest first.
  ///   - countLimit: the maximum number of commits.
  /// - Returns: ascending places; none if nothing waits.
  static func next(of waiting: some Collection<CommitProfile>, countLimit: Int = countLimit) -> [Int] {
    var places: [Int] = []
    var weight = 0
    var written: Set<CommitTarget> = []
    var changed: Set<CommitTarget> = []
    guard let kind = waiting.first?.kind else { return [] }
    for (place, commit) in waiting.prefix(window).enumerated() where commit.kind == kind {
      if places.count >= countLimit { break }
      if !places.isEmpty {
        if weight + commit.weight > weightLimit { break }
        let isFree =
          commit.targets.allSatisfy { !written.contains($0) && !changed.contains($0) }
          && commit.accounts.allSatisfy { !written.contains($0) }
        if !isFree { continue }
      }
      places.append(place)
      weight += commit.weight
      written.formUnion(commit.targets)
      changed.formUnion(commit.accounts)
    }
    return places
  }
}

extension Write {
  /// Whether other processes should look for due work after this write.
  ///
  /// A new or rescheduled run is work for anyone. The claim of a run, and the end of an attempt with its retry, are
  /// known to the process that makes them, and come due later.
  var makesWorkSooner: Bool {
    switch self {
    case .putRun(let run, let precondition):
      switch precondition {
      case .fence, .attempt: false
      case .none, .absent, .version: run.wakeAt != nil && run.status != .running
      }
    case .putConfiguration: true
    case .deleteRun, .patchState, .deleteJob, .putLedger, .changeLedger, .putJournal, .putLog: false
    }
  }
}
#endif
