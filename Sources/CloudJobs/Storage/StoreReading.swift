public import CloudJobsCore

/// What a store answered to a read by id.
public struct StoreReading: Sendable {
  /// The store's time.
  public var time: Timestamp
  /// The job documents that exist.
  public var jobs: [JobID: JobRecord]
  /// The runs that exist.
  public var runs: [RunID: RunRecord]

  /// An answer.
  public init(time: Timestamp, jobs: [JobID: JobRecord], runs: [RunID: RunRecord]) {
    self.time = time
    self.jobs = jobs
    self.runs = runs
  }
}

/// A job's document as stored, which may not be readable.
public struct JobRecord: Sendable {
  /// The document's id, whatever it is.
  public var id: String
  /// Its version.
  public var version: Version
  /// The document, or which field can't be read.
  public var document: Result<JobDocument, JobError>
  /// The time by which ``JobStore/dueJobs(after:limit:)`` lists it, also where the document can't be read; nil where it
  /// does not, also where `state.nextRun` is of a form that the store's index does not order among times.
  public var nextRun: Timestamp?
  /// `state.quarantine` as stored, also where the document can't be read.
  public var quarantine: String?
  /// Fields of the document that are not read.
  public var unknownFields: [JobConfiguration.UnknownField] = []

  /// A record.
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

  /// Decodes a stored document; one that can't be read is kept as the error that says why.
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

/// A run as stored, which may not be readable.
public struct RunRecord: Sendable {
  /// The document's id.
  public var id: RunID
  /// Its version.
  public var version: Version
  /// The run, or which field can't be read.
  public var run: Result<Run, JobError>

  /// Whether the stored document is damaged.
  package var isUnreadable: Bool {
    if case .failure = run { true } else { false }
  }

  /// A record.
  public init(id: RunID, version: Version, run: Result<Run, JobError>) {
    self.id = id
    self.version = version
    self.run = run
  }

  /// Decodes a stored run; one that can't be read is kept as the error that says why.
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

/// Some records of a longer list.
public struct StorePage<Record: Sendable>: Sendable {
  /// The records in the list's order.
  public var records: [Record]
  /// Where the next page begins; nil where the list has ended.
  public var next: StoreCursor?
  /// The store's time.
  public var time: Timestamp

  /// A page.
  public init(records: [Record], next: StoreCursor?, time: Timestamp) {
    self.records = records
    self.next = next
    self.time = time
  }
}

/// A place in a list: the sort key and the id of the last record answered.
public struct StoreCursor: Hashable, Sendable {
  /// The sort key: microseconds since 1970 where the list is ordered by a time, otherwise 0.
  public var key: Int64
  /// The id of the last record.
  public var id: String

  /// A place.
  public init(key: Int64, id: String) {
    self.key = key
    self.id = id
  }
}

/// Which runs a list holds; what is nil does not matter.
public struct RunFilter: Hashable, Sendable {
  /// Runs of this job.
  public var job: JobID?
  /// Runs in one of these states.
  public var statuses: Set<RunStatus>?
  /// Runs made at this time or later.
  public var createdFrom: Timestamp?
  /// Runs made before this time.
  public var createdBefore: Timestamp?
  /// Runs of this cause.
  public var correlationID: String?

  /// A filter.
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

  /// Whether a run is one of these.
  public func matches(_ run: Run) -> Bool {
    (job == nil || job == run.job) && (statuses?.contains(run.status) ?? true)
      && (createdFrom.map { run.createdAt >= $0 } ?? true) && (createdBefore.map { run.createdAt < $0 } ?? true)
      && (correlationID.map { wanted in run.correlationID.map { $0.utf8.elementsEqual(wanted.utf8) } ?? false } ?? true)
  }
}
