public import CloudJobsCore

/// An error of a store.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds of errors, by the caller's reaction.
  public enum Code: String, Hashable, Sendable {
    /// A precondition does not hold: another writer was faster. Read again, and plan again.
    case conflict
    /// The store was unreachable or temporarily refused; nothing was changed. Retry later.
    case unavailable
    /// The response was lost; the changes may have taken place. Read again.
    case unknownOutcome
    /// A limit is reached: ``StoreError/refusal`` tells which, and when to try again.
    case refused
    /// The request is invalid, or the stored data is damaged; a retry does not help.
    case invalid
  }

  /// The kind of error.
  public var code: Code
  /// The failure and its remedy.
  public var message: String
  /// The code of the underlying error (`SQLITE_FULL`, `HTTP 503`), if there is one.
  public var nativeCode: String?
  /// The delay that the service requests before a retry, if any.
  public var retryAfter: Duration?
  /// The limit that is reached, if the code is `refused`.
  public var refusal: LimitRefusal?

  /// Creates an error.
  public init(_ code: Code, _ message: String, nativeCode: String? = nil, retryAfter: Duration? = nil) {
    self.code = code
    self.message = message
    self.nativeCode = nativeCode
    self.retryAfter = retryAfter
  }

  /// The code, the message and the underlying code.
  public var description: String {
    "\(code.rawValue): \(message)" + (nativeCode.map { " [\($0)]" } ?? "")
  }
}

extension StoreError {
  /// Creates the error of a commit that would exceed a limit.
  public init(_ refusal: LimitRefusal) {
    self.init(.refused, refusal.reason)
    self.refusal = refusal
  }

  /// Returns the error of a write whose precondition does not hold.
  package static func conflict(on write: Write) -> StoreError {
    let name =
      switch write {
      case .putRun, .deleteRun: "run"
      case .putConfiguration, .patchState, .deleteJob: "job document"
      case .putLedger, .changeLedger: "ledger"
      case .putJournal: "journal entry"
      case .putLog: "run's log"
      }
    return StoreError(.conflict, "The \(name) was changed by another writer. Read it again, and plan again.")
  }
}

/// The limits and rules that all stores share.
public enum StoreLimits {
  /// The maximum number of documents of one kind in a read, of records in a page, and of writes in a commit.
  public static let batch = 500

  /// Returns the limit of a page, clamped to 1 to ``batch``.
  public static func page(_ limit: Int) -> Int {
    min(max(limit, 1), batch)
  }

  /// Validates a read.
  ///
  /// - Throws: ``StoreError`` `invalid` for more than ``batch`` documents of one kind.
  public static func check(jobs: [JobID], runs: [RunID], ledgers: [LedgerID] = []) throws(StoreError) {
    if max(jobs.count, runs.count, ledgers.count) > batch {
      throw StoreError(
        .invalid, "A read takes at most \(batch) job documents, \(batch) runs and \(batch) ledgers. Split it.")
    }
  }

  /// Validates a commit, before any document is read.
  ///
  /// - Parameter writes: the writes.
  /// - Throws: ``StoreError`` `invalid` for more than ``batch`` writes, for two writes of one document, or for a
  ///   fencing token on a job's document, which has none.
  public static func check(_ writes: [Write]) throws(StoreError) {
    if writes.count > batch {
      throw StoreError(.invalid, "A commit takes at most \(batch) writes, not \(writes.count). Split it.")
    }
    let targets = writes.map { Target($0) }
    for (write, target) in zip(writes, targets) {
      switch write.precondition {
      case .fence, .attempt:
        guard target.hasNoFence else { break }
        throw StoreError(.invalid, "A job's document has no fencing token. Ask for its version.")
      case .none, .absent, .version: break
      }
    }
    if hasDuplicates(targets) {
      throw StoreError(.invalid, "Two writes of one commit concern the same document. Make them one write.")
    }
  }

  /// Returns whether two targets are the same; most commits have so few that a set would cost more.
  private static func hasDuplicates(_ targets: [Target]) -> Bool {
    if targets.count > 8 { return Set(targets).count < targets.count }
    return targets.indices.contains { targets[..<$0].contains(targets[$0]) }
  }

  /// The document of a write.
  package enum Target: Hashable {
    case job(JobID)
    case run(RunID)
    case ledger(LedgerID)
    case journal(String)
    case log(RunID, Int64)

    fileprivate var hasNoFence: Bool { if case .run = self { false } else { true } }

    /// Creates the target of a write.
    package init(_ write: Write) {
      switch write {
      case .putRun(let run, _): self = .run(run.id)
      case .deleteRun(let id, _): self = .run(id)
      case .putConfiguration(let id, _, _), .patchState(let id, _, _), .deleteJob(let id, _): self = .job(id)
      case .putLedger(let id, _, _), .changeLedger(let id, _): self = .ledger(id)
      case .putJournal(let entry): self = .journal(entry.id)
      case .putLog(let entry): self = .log(entry.run, entry.sequence)
      }
    }
  }
}

extension Write {
  /// The precondition of the write; an entry of a journal or a log has none.
  package var precondition: Precondition {
    switch self {
    case .putRun(_, let precondition), .deleteRun(_, let precondition), .putConfiguration(_, _, let precondition),
      .patchState(_, _, let precondition), .deleteJob(_, let precondition), .putLedger(_, _, let precondition):
      precondition
    case .putJournal, .putLog, .changeLedger: .none
    }
  }
}

extension Precondition {
  /// Returns whether the precondition holds for a document of a version, and a run's fencing token and number of
  /// amendments; nil if there is no document.
  package func holds(version: Version?, fence: Int64?, amendments: Int64?) -> Bool {
    switch self {
    case .none: true
    case .absent: version == nil
    case .version(let expected): version == expected
    case .fence(let token): fence == token
    case .attempt(let token, let known): fence == token && amendments == known
    }
  }
}
