public import CloudJobsCore

/// Limits and rules that all stores share.
public enum StoreLimits {
  /// The most documents of one kind in a read, records in a page and writes in a commit.
  public static let batch = 500

  /// A page's limit as stores take it: the nearest number from 1 to ``batch``.
  public static func page(_ limit: Int) -> Int {
    min(max(limit, 1), batch)
  }

  /// Checks what a read asks for.
  ///
  /// - Throws: ``StoreError`` `invalid` where it asks for more than ``batch`` documents of one kind.
  public static func check(jobs: [JobID], runs: [RunID]) throws(StoreError) {
    if max(jobs.count, runs.count) > batch {
      throw StoreError(.invalid, "A read takes at most \(batch) job documents and \(batch) runs. Split it.")
    }
  }

  /// Checks what a commit asks for, before any document is looked at.
  ///
  /// - Parameter writes: the commit's writes.
  /// - Throws: ``StoreError`` `invalid` where there are more than ``batch``, where two of them concern one document, or
  ///   where one asks for a fencing token on a job's document, which has none.
  public static func check(_ writes: [Write]) throws(StoreError) {
    if writes.count > batch {
      throw StoreError(.invalid, "A commit takes at most \(batch) writes, not \(writes.count). Split it.")
    }
    var seen = Set<Target>()
    for write in writes {
      let target = Target(write)
      if case .job = target, case .fence = write.precondition {
        throw StoreError(.invalid, "A job's document has no fencing token. Ask for its version.")
      }
      if writes.count > 1, !seen.insert(target).inserted {
        throw StoreError(.invalid, "Two writes of one commit concern the same document. Make them one write.")
      }
    }
  }

  /// The document that a write concerns.
  private enum Target: Hashable {
    case job(JobID)
    case run(RunID)
    case journal(String)

    init(_ write: Write) {
      switch write {
      case .putRun(let run, _): self = .run(run.id)
      case .deleteRun(let id, _): self = .run(id)
      case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _): self = .job(id)
      case .putJournal(let entry): self = .journal(entry.id)
      }
    }
  }
}

extension Write {
  /// What must hold for this write; an entry of the journal has no precondition.
  package var precondition: Precondition {
    switch self {
    case .putRun(_, let precondition), .deleteRun(_, let precondition), .putConfiguration(_, _, let precondition),
      .patchState(_, _, let precondition), .deleteJob(_, let precondition):
      precondition
    case .putJournal: .none
    }
  }
}

extension Precondition {
  /// Whether it holds for a document of this version and fencing token; nil means that there is none.
  package func holds(version: Version?, fence: Int64?) -> Bool {
    switch self {
    case .none: true
    case .absent: version == nil
    case .version(let expected): version == expected
    case .fence(let token): fence == token
    }
  }
}
