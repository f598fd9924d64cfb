/// The entry of a worker in the list of a store's workers.
///
/// A worker writes it with each heartbeat, and deletes it when it has stopped. The time of the last heartbeat is that
/// of the entry's last change, by the store's clock. The entry decides nothing: the runs of a worker that died are free
/// when their leases have expired, whatever the list says.
public struct WorkerRecord: Hashable, Sendable {
  /// The name for people: by default the host and the process, such as `web-3:417`.
  public var name: String
  /// The name under which the worker's process holds leases.
  public var owner: String
  /// The time at which the worker started, by its own clock.
  public var startedAt: Timestamp
  /// The number of heartbeats so far.
  public var heartbeats = 0
  /// The time without a heartbeat after which the worker counts as lost.
  public var staleAfter: Duration
  /// The maximum number of attempts at once.
  public var concurrency: Int
  /// The number of attempts and due jobs in process.
  public var active = 0
  /// The number of attempts and due jobs that were processed since the start.
  public var processed = 0
  /// Whether it starts the schedules of jobs.
  public var runsSchedules = true
  /// Whether it executes runs.
  public var executesRuns = true
  /// Whether it starts nothing any more, and waits for the end of what is under way.
  public var isStopping = false
  /// The time after which the entry may be deleted.
  public var expireAt: Timestamp

  /// The time for which the entry of a worker without heartbeats is kept.
  public static let retention = Duration.hours(1)

  /// Creates the entry of a worker that starts.
  public init(name: String, owner: String, startedAt: Timestamp, staleAfter: Duration, concurrency: Int) {
    self.name = name
    self.owner = owner
    self.startedAt = startedAt
    self.staleAfter = staleAfter
    self.concurrency = concurrency
    expireAt = startedAt + Self.retention
  }
}

extension WorkerRecord {
  init(_ reader: FieldReader) throws(JobError) {
    self.init(
      name: try reader.required("name", reader.string("name")),
      owner: try reader.required("owner", reader.string("owner")),
      startedAt: try reader.required("startedAt", reader.timestamp("startedAt")),
      staleAfter: try reader.required("staleAfter", reader.long("staleAfter").map { .microseconds($0) }),
      concurrency: try reader.required("concurrency", reader.int("concurrency", 0...Int.max)))
    heartbeats = try reader.int("heartbeats", 0...Int.max) ?? 0
    active = try reader.int("active", 0...Int.max) ?? 0
    processed = try reader.int("processed", 0...Int.max) ?? 0
    runsSchedules = try reader.bool("runsSchedules") ?? true
    executesRuns = try reader.bool("executesRuns") ?? true
    isStopping = try reader.bool("stopping") ?? false
    expireAt = try reader.required("expireAt", reader.timestamp("expireAt"))
  }

  var fields: JSONValue {
    [
      "kind": "worker", "name": .string(name), "owner": .string(owner), "startedAt": .string(startedAt.description),
      "heartbeats": .integer(Int64(heartbeats)), "staleAfter": .integer(staleAfter.microseconds),
      "concurrency": .integer(Int64(concurrency)), "active": .integer(Int64(active)),
      "processed": .integer(Int64(processed)), "runsSchedules": .bool(runsSchedules),
      "executesRuns": .bool(executesRuns), "stopping": .bool(isStopping), "expireAt": .string(expireAt.description),
    ]
  }
}
