/// The prices of a cloud's services, with their free tiers.
///
/// As JSON, it has the members of its properties; what is left out keeps the standard value:
///
/// ```json
/// {"currency": "EUR", "source": "our contract", "tasks": {"perMillionOperations": 0.35}}
/// ```
public struct PriceTable: Hashable, Sendable {
  /// The ISO code of the currency of all prices.
  public var currency = "USD"
  /// The day of the prices.
  public var asOf = "2026-11-27"
  /// The place where the prices are published.
  public var source = "https://cloud.google.com/pricing/list"
  /// The prices of Cloud Tasks.
  public var tasks = Tasks()
  /// The prices of Cloud Scheduler.
  public var scheduler = Scheduler()
  /// The prices of Firestore.
  public var firestore = Firestore()
  /// The prices of Cloud Run with request-based billing.
  public var run = Compute()

  /// The prices of Cloud Tasks: each API call and each delivery attempt is an operation for each chunk of its size.
  public struct Tasks: Hashable, Sendable {
    /// The price of a million operations.
    public var perMillionOperations = 0.40
    /// The operations of a month that are free.
    public var freeOperations = 1_000_000.0
    /// The size of a chunk, in bytes.
    public var chunkBytes = 32_768.0
  }

  /// The prices of Cloud Scheduler, which bills jobs and not their executions.
  public struct Scheduler: Hashable, Sendable {
    /// The price of a job a month.
    public var perJob = 0.10
    /// The jobs that are free.
    public var freeJobs = 3.0
  }

  /// The prices of Firestore; a query without results is one read.
  public struct Firestore: Hashable, Sendable {
    /// The price of 100,000 reads.
    public var per100kReads = 0.06
    /// The price of 100,000 writes.
    public var per100kWrites = 0.18
    /// The price of 100,000 deletes.
    public var per100kDeletes = 0.02
    /// The reads of a day that are free.
    public var freeReadsPerDay = 50_000.0
    /// The writes of a day that are free.
    public var freeWritesPerDay = 20_000.0
    /// The deletes of a day that are free.
    public var freeDeletesPerDay = 20_000.0
  }

  /// The prices of Cloud Run.
  public struct Compute: Hashable, Sendable {
    /// The price of a vCPU for a second.
    public var perVCPUSecond = 0.000024
    /// The price of a GiB of memory for a second.
    public var perGiBSecond = 0.0000025
    /// The price of a million requests.
    public var perMillionRequests = 0.40
    /// The vCPU-seconds of a month that are free.
    public var freeVCPUSeconds = 180_000.0
    /// The GiB-seconds of a month that are free.
    public var freeGiBSeconds = 360_000.0
    /// The requests of a month that are free.
    public var freeRequests = 2_000_000.0
    /// The milliseconds to which the time of a request is rounded up.
    public var roundingMilliseconds = 100.0
  }

  /// The list prices of Google Cloud in US dollars, those of multi-region for Firestore.
  public static let standard = PriceTable()

  /// Creates the table of ``standard``.
  public init() {}
}

extension PriceTable {
  private static let texts: [(name: String, path: any WritableKeyPath<PriceTable, String> & Sendable)] = [
    ("currency", \.currency), ("asOf", \.asOf), ("source", \.source),
  ]

  /// The numbers by the names of their members; those below 1 would divide by zero or round to nothing.
  private static let numbers:
    [(group: String, name: String, path: any WritableKeyPath<PriceTable, Double> & Sendable, least: Double)] = [
      ("tasks", "perMillionOperations", \.tasks.perMillionOperations, 0),
      ("tasks", "freeOperations", \.tasks.freeOperations, 0), ("tasks", "chunkBytes", \.tasks.chunkBytes, 1),
      ("scheduler", "perJob", \.scheduler.perJob, 0), ("scheduler", "freeJobs", \.scheduler.freeJobs, 0),
      ("firestore", "per100kReads", \.firestore.per100kReads, 0),
      ("firestore", "per100kWrites", \.firestore.per100kWrites, 0),
      ("firestore", "per100kDeletes", \.firestore.per100kDeletes, 0),
      ("firestore", "freeReadsPerDay", \.firestore.freeReadsPerDay, 0),
      ("firestore", "freeWritesPerDay", \.firestore.freeWritesPerDay, 0),
      ("firestore", "freeDeletesPerDay", \.firestore.freeDeletesPerDay, 0),
      ("run", "perVCPUSecond", \.run.perVCPUSecond, 0), ("run", "perGiBSecond", \.run.perGiBSecond, 0),
      ("run", "perMillionRequests", \.run.perMillionRequests, 0),
      ("run", "freeVCPUSeconds", \.run.freeVCPUSeconds, 0), ("run", "freeGiBSeconds", \.run.freeGiBSeconds, 0),
      ("run", "freeRequests", \.run.freeRequests, 0), ("run", "roundingMilliseconds", \.run.roundingMilliseconds, 1),
    ]

  /// Creates a table from JSON; members that are left out keep their standard values.
  ///
  /// - Parameter fields: an object.
  /// - Throws: ``JobError`` `invalidField`, which names the member that is unknown or has an invalid value.
  public init(fields: JSONValue) throws(JobError) {
    self.init()
    let reader = try FieldReader(fields, field: "prices")
    let groups = Dictionary(grouping: Self.numbers, by: \.group)
    try reader.refuseOthers(than: Set(groups.keys).union(Self.texts.map(\.name)), of: "a price table")
    for (name, path) in Self.texts {
      if let text = try reader.string(name) { self[keyPath: path] = text }
    }
    for (group, rows) in groups.sorted(by: { $0.key < $1.key }) {
      guard let value = reader.value(group) else { continue }
      let members = try FieldReader(value, prefix: "\(group).", field: group)
      try members.refuseOthers(than: Set(rows.map(\.name)), of: "\(group) in a price table")
      for row in rows {
        let found = try members.read(row.name, "a number from \(Int(row.least))") { value in
          value.double.flatMap { $0.isFinite && $0 >= row.least ? $0 : nil }
        }
        if let found { self[keyPath: row.path] = found }
      }
    }
  }

  /// The table as JSON.
  public var fields: JSONValue {
    var members: [String: JSONValue] = [:]
    for (name, path) in Self.texts { members[name] = .string(self[keyPath: path]) }
    for (group, rows) in Dictionary(grouping: Self.numbers, by: \.group) {
      members[group] = .object(
        Dictionary(uniqueKeysWithValues: rows.map { ($0.name, .double(self[keyPath: $0.path])) }))
    }
    return .object(members)
  }
}
