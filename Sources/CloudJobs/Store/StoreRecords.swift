public import CloudJobsCore

/// The result of a read by id.
public struct StoreReading: Sendable {
  /// The store's time.
  public var time: Timestamp
  /// The job documents that exist.
  public var jobs: [JobID: JobRecord]
  /// The runs that exist.
  public var runs: [RunID: RunRecord]
  /// The ledgers that exist.
  public var ledgers: [LedgerID: LedgerRecord]

  /// Creates a result.
  public init(
    time: Timestamp, jobs: [JobID: JobRecord], runs: [RunID: RunRecord], ledgers: [LedgerID: LedgerRecord] = [:]
  ) {
    self.time = time
    self.jobs = jobs
    self.runs = runs
    self.ledgers = ledgers
  }
}

/// A ledger as stored.
public struct LedgerRecord: Sendable {
  /// The id.
  public var id: LedgerID
  /// The version.
  public var version: Version
  /// The time of the latest change.
  public var changedAt: Timestamp
  /// The ledger; nil if the stored document is invalid, which counts as empty.
  public var ledger: Ledger?

  /// Creates a record.
  public init(id: LedgerID, version: Version, changedAt: Timestamp, ledger: Ledger?) {
    self.id = id
    self.version = version
    self.changedAt = changedAt
    self.ledger = ledger
  }

  /// Decodes a stored ledger.
  public init(id: LedgerID, version: Version, changedAt: Timestamp, fields: JSONValue) {
    self.init(id: id, version: version, changedAt: changedAt, ledger: try? Ledger(fields: fields))
  }
}

extension Optional<Ledger> {
  /// Whether any run waits by the account of a limit.
  package var hasWaiters: Bool { if case .limits(let account) = self { account.hasWaiters } else { false } }
}

extension Optional<LedgerRecord> {
  /// Returns the ledger after a change.
  ///
  /// - Parameters:
  ///   - change: the change.
  ///   - now: the time of the change.
  /// - Returns: the ledger after it.
  /// - Throws: ``StoreError``: `refused` if a limit is reached, `conflict` if a run need not wait.
  package func applying(_ change: LedgerChange, at now: Timestamp) throws(StoreError) -> Ledger {
    do throws(LedgerFault) {
      let ledger = self?.ledger?.limits ?? LimitLedger()
      return .limits(try ledger.applying(change, changedAt: self?.changedAt, at: now))
    } catch {
      throw StoreError(error)
    }
  }

  /// Changes the ledger in place, so that nothing is copied; its version and time are those of before.
  ///
  /// - Parameters:
  ///   - change: the change.
  ///   - id: the id of the ledger.
  ///   - now: the time of the change.
  /// - Throws: ``StoreError``: `refused` if a limit is reached, `conflict` if a run need not wait. The account is as it
  ///   was, without what has expired.
  package mutating func apply(_ change: LedgerChange, to id: LedgerID, at now: Timestamp) throws(StoreError) {
    let changedAt = self?.changedAt
    var account = self?.ledger?.limits ?? LimitLedger()
    // The account has one owner now, so that its tables are not copied when they change.
    self?.ledger = nil
    defer { self?.ledger = .limits(account) }
    do throws(LedgerFault) {
      try account.apply(change, changedAt: changedAt, at: now)
    } catch {
      throw StoreError(error)
    }
    if self == nil { self = LedgerRecord(id: id, version: Version(0), changedAt: now, ledger: nil) }
  }
}

extension StoreError {
  /// Creates the error of a change that must not be made.
  package init(_ fault: LedgerFault) {
    switch fault {
    case .refused(let refusal): self.init(refusal)
    case .hasNoRoom: self.init(.conflict, "The limit has no room for a permit that is kept.")
    case .hasRoom: self.init(.conflict, "The limit has room again. Read it again, and plan again.")
    }
  }
}

/// A job's document as stored, which may be invalid.
public struct JobRecord: Sendable {
  /// The document's id, valid or not.
  public var id: String
  /// The version.
  public var version: Version
  /// The document, or the error of its invalid field.
  public var document: Result<JobDocument, JobError>
  /// The time by which ``JobStore/dueJobs(after:limit:)`` lists the job, even if its document is invalid; nil if it
  /// does not list it, as for a `state.nextRun` in a form that the store's index does not order among times.
  public var nextRun: Timestamp?
  /// `state.quarantine` as stored, even if the document is invalid.
  public var quarantine: String?
  /// The unknown fields of the document.
  public var unknownFields: [JobConfiguration.UnknownField] = []

  /// Creates a record.
  public init(
    id: String, version: Version, document: Result<JobDocument, JobError>, nextRun: Timestamp?,
    quarantine: String? = nil
  ) {
    self.id = id
    self.version = version
    self.document = document
    self.nextRun = nextRun
    self.quarantine = quarantine
  }

  /// Decodes a stored document; an invalid one yields its error.
  public init(id: String, version: Version, fields: JSONValue) {
    self.id = id
    self.version = version
    nextRun = fields["state"]?["nextRun"].flatMap { value in
      value.string.flatMap { Timestamp(rfc3339: $0) } ?? value.integer.map { Timestamp(milliseconds: $0) }
    }
    quarantine = fields["state"]?["quarantine"]?.string
    unknownFields = JobConfiguration.unknownFields(of: fields)
    do throws(JobError) {
      document = .success(try JobDocument(id: try JobID(id), fields: fields))
    } catch {
      document = .failure(error)
    }
  }
}

/// A run as stored, which may be invalid.
public struct RunRecord: Sendable {
  /// The document's id.
  public var id: RunID
  /// The version.
  public var version: Version
  /// The run, or the error of its invalid field.
  public var run: Result<Run, JobError>

  /// Whether the stored document is invalid.
  package var isUnreadable: Bool {
    if case .failure = run { true } else { false }
  }

  /// Creates a record.
  public init(id: RunID, version: Version, run: Result<Run, JobError>) {
    self.id = id
    self.version = version
    self.run = run
  }

  /// Decodes a stored run; an invalid one yields its error.
  public init(id: RunID, version: Version, fields: JSONValue) {
    self.id = id
    self.version = version
    do throws(JobError) {
      run = .success(try Run(id: id, fields: fields))
    } catch {
      run = .failure(error)
    }
  }
}

/// A page of a list.
public struct StorePage<Record: Sendable>: Sendable {
  /// The records in the list's order.
  public var records: [Record]
  /// The cursor of the next page; nil at the end of the list.
  public var next: StoreCursor?
  /// The store's time.
  public var time: Timestamp

  /// Creates a page.
  public init(records: [Record], next: StoreCursor?, time: Timestamp) {
    self.records = records
    self.next = next
    self.time = time
  }
}

/// A position in a list: the sort key and the id of the last record of a page.
public struct StoreCursor: Hashable, Sendable {
  /// The sort key: microseconds since 1970 if the list is ordered by a time, otherwise 0.
  public var key: Int64
  /// The id of the last record.
  public var id: String

  /// Creates a cursor.
  public init(key: Int64, id: String) {
    self.key = key
    self.id = id
  }
}

/// A filter of runs; nil values match every run.
public struct RunFilter: Hashable, Sendable {
  /// The job.
  public var job: JobID?
  /// The statuses, any of which matches.
  public var statuses: Set<RunStatus>?
  /// The earliest time of creation.
  public var createdFrom: Timestamp?
  /// The time before which runs were created.
  public var createdBefore: Timestamp?
  /// The correlation id.
  public var correlationID: String?

  /// Creates a filter.
  public init(
    job: JobID? = nil, statuses: Set<RunStatus>? = nil, createdFrom: Timestamp? = nil,
    createdBefore: Timestamp? = nil, correlationID: String? = nil
  ) {
    self.job = job
    self.statuses = statuses
    self.createdFrom = createdFrom
    self.createdBefore = createdBefore
    self.correlationID = correlationID
  }

  /// Returns whether a run matches.
  public func matches(_ run: Run) -> Bool {
    (job == nil || job == run.job) && (statuses?.contains(run.status) ?? true)
      && (createdFrom.map { run.createdAt >= $0 } ?? true) && (createdBefore.map { run.createdAt < $0 } ?? true)
      && (correlationID.map { wanted in run.correlationID.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false } ?? true)
  }
}

/// A filter of entries of the pass journal; nil values match every entry.
public struct JournalFilter: Hashable, Sendable {
  /// The id of a job's document: entries with at least one line about it match.
  public var job: String?
  /// The earliest time.
  public var from: Timestamp?
  /// The latest time.
  public var until: Timestamp?
  /// Whether the earliest entries come first.
  public var isAscending: Bool

  /// Creates a filter.
  public init(
    job: String? = nil, from: Timestamp? = nil, until: Timestamp? = nil, isAscending: Bool = false
  ) {
    self.job = job
    self.from = from
    self.until = until
    self.isAscending = isAscending
  }

  /// The text that the stored JSON of an entry contains if a line is about ``job``; nil if any entry matches.
  ///
  /// No other entry contains it: a quotation mark within a value is escaped.
  package var textOfLine: String? { job.map { "\"job\":" + JSONValue.string($0).text } }

  /// Returns whether an entry matches.
  public func matches(_ entry: PassJournalEntry) -> Bool {
    (from.map { entry.time >= $0 } ?? true) && (until.map { entry.time <= $0 } ?? true)
      && (job.map { job in entry.lines.contains { $0.job.utf8.elementsEqual(job.utf8) } } ?? true)
  }
}
