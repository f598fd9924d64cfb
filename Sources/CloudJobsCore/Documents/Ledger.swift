/// The name of a ledger.
///
/// A ledger is a small document that instances share: the account of a limit, the holder of a unique key, the entry of
/// a worker, or the leader among instances.
public struct LedgerID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The kinds of ledgers, by the first part of their names.
  public enum Family: String, Hashable, Sendable, CaseIterable {
    /// The limits of jobs.
    case job
    /// The limits of groups.
    case group
    /// The unique keys of jobs.
    case unique
    /// The workers of a store.
    case worker
    /// The leaders among instances.
    case leader

    /// The beginning of the names.
    package var prefix: String { rawValue + "/" }
    /// The first text behind all names.
    package var end: String { rawValue + "0" }
  }

  /// The family of the ledger.
  public var family: Family { Family.allCases.first { rawValue.hasPrefix($0.prefix) } ?? .job }
  /// The name as stored, such as `job/…` or `worker/…`.
  public let rawValue: String
  /// The name as stored.
  public var description: String { rawValue }

  /// Creates an id from its stored form.
  ///
  /// - Parameter text: the stored form.
  /// - Throws: ``JobError`` `invalidField` if it has another form.
  public init(_ text: String) throws(JobError) {
    let isKnown = Family.allCases.contains { text.hasPrefix($0.prefix) }
    guard isKnown, text.utf8.count <= 512, !text.utf8.contains(0) else {
      let prefixes = Family.allCases.map(\.prefix).joined(separator: ", ")
      throw JobError(.invalidField, "A ledger's id begins with one of \(prefixes).", field: "ledger")
    }
    rawValue = text
  }

  private init(unchecked text: String) {
    rawValue = text
  }

  /// The ledger of a job's limits.
  public static func job(_ job: JobID) -> LedgerID { LedgerID(unchecked: "job/\(job.rawValue)") }

  /// The ledger of a group's limit; a name that is no valid job id is hashed.
  public static func group(_ name: String) -> LedgerID { LedgerID(unchecked: "group/" + plain(name)) }

  /// The entry of a worker; a name that is no valid job id is hashed.
  public static func worker(_ name: String) -> LedgerID { LedgerID(unchecked: "worker/" + plain(name)) }

  /// The ledger of the leader among the instances that campaign under a name; one that is no valid job id is hashed.
  public static func leader(_ name: String) -> LedgerID { LedgerID(unchecked: "leader/" + plain(name)) }

  private static func plain(_ name: String) -> String {
    JobID.fault(of: name) == nil ? name : "#" + SHA256.hexDigest(of: name.utf8)
  }

  /// The ledger of a job's unique key.
  public static func unique(_ job: JobID, key: String) -> LedgerID {
    LedgerID(unchecked: "unique/\(job.rawValue)/\(SHA256.hexDigest(of: key.utf8))")
  }

  /// The order of the names by their bytes.
  public static func < (left: LedgerID, right: LedgerID) -> Bool {
    left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
  }
}

/// The contents of a ledger.
public enum Ledger: Hashable, Sendable {
  /// The account of a job's or a group's limits.
  case limits(LimitLedger)
  /// The holder of a unique key.
  case unique(UniqueLedger)
  /// The entry of a worker.
  case worker(WorkerRecord)
  /// The leader among instances.
  case leader(LeaderLedger)

  /// The time after which the ledger may be deleted: it says nothing then that its absence does not.
  public var expireAt: Timestamp {
    switch self {
    case .limits(let ledger): ledger.expireAt
    case .unique(let ledger): ledger.expireAt
    case .worker(let record): record.expireAt
    case .leader(let ledger): ledger.expireAt
    }
  }

  /// The account of limits; nil for another kind.
  package var limits: LimitLedger? { if case .limits(let ledger) = self { ledger } else { nil } }
  /// The holder of a unique key; nil for another kind.
  package var unique: UniqueLedger? { if case .unique(let ledger) = self { ledger } else { nil } }
  /// The entry of a worker; nil for another kind.
  package var worker: WorkerRecord? { if case .worker(let record) = self { record } else { nil } }
  /// The leader among instances; nil for another kind.
  package var leader: LeaderLedger? { if case .leader(let ledger) = self { ledger } else { nil } }
}

/// A change to a ledger that a store applies within a commit, by ``LimitLedger/applying(_:changedAt:at:)``.
public enum LedgerChange: Hashable, Sendable {
  /// An attempt takes a permit; refused if a limit is reached.
  case take(LimitPermit)
  /// Runs give their permits back, and what is reserved for them; without effect for those that hold none.
  case give([RunID])
  /// A permit is kept until a time for a run that waits, so that no other finds room in its place; a conflict if there
  /// is none.
  case reserve(LimitPermit)
  /// A run that was refused a permit waits for one; a conflict if there is room by now.
  case enlist(LimitPermit)
  /// Runs no longer wait.
  case dismiss([RunID])
  /// More runs that were found waiting are listed.
  case list([RunID], hasMore: Bool)
}

/// A request for a permit.
public struct LimitPermit: Hashable, Sendable {
  /// The run.
  public var run: RunID
  /// The end of the attempt's lease, at which the permit expires if it is not given back.
  public var until: Timestamp
  /// The limit.
  public var limit: JobLimit
  /// The place among those that wait: higher first.
  public var priority: Int

  /// Creates a request.
  public init(_ run: RunID, until: Timestamp, _ limit: JobLimit, priority: Int = 0) {
    self.priority = priority
    self.run = run
    self.until = until
    self.limit = limit
  }
}

/// The refusal of a permit.
public struct LimitRefusal: Hashable, Sendable {
  /// The ledger of the limit.
  public var ledger: LedgerID
  /// The time from which on another try makes sense.
  public var retryAt: Timestamp
  /// The limit that is reached, in words.
  public var reason: String

  /// Creates a refusal.
  public init(_ ledger: LedgerID, retryAt: Timestamp, reason: String) {
    self.ledger = ledger
    self.retryAt = retryAt
    self.reason = reason
  }
}

/// The reason why a change of a ledger is not applied.
public enum LedgerFault: Error, Hashable, Sendable {
  /// A limit is reached.
  case refused(LimitRefusal)
  /// The run need not wait: there is room.
  case hasRoom
  /// No permit can be kept: there is no room.
  case hasNoRoom
}

extension Ledger {
  /// Creates a ledger from its stored form.
  ///
  /// - Parameter fields: an object.
  /// - Throws: ``JobError`` `invalidField` with the first invalid field.
  public init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    switch try reader.string("kind") {
    case "limits": self = .limits(try LimitLedger(reader))
    case "unique": self = .unique(try UniqueLedger(reader))
    case "worker": self = .worker(try WorkerRecord(reader))
    case "leader": self = .leader(try LeaderLedger(reader))
    default: throw JobError(.invalidField, "Expected limits, unique, worker or leader.", field: "kind")
    }
  }

  /// The stored form; times are RFC 3339 text.
  public var fields: JSONValue {
    switch self {
    case .limits(let ledger): ledger.fields
    case .unique(let ledger): ledger.fields
    case .worker(let record): record.fields
    case .leader(let ledger): ledger.fields
    }
  }
}
