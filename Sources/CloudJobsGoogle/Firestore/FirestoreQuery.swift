#if HTTP
import CloudJobs
import CloudJobsCore

/// A query of one collection in a fixed order, with a page limit.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery>.
struct FirestoreQuery: Sendable {
  private let configuration: FirestoreConfiguration
  private let collection: String
  /// The time field that the order begins with, before the id; nil to order by id alone.
  private let time: String?
  private let isDescending: Bool
  private var filters: [JSONValue] = []
  private var start: StoreCursor?
  /// The ids of a list by id: from the first, and before the second.
  private var range: (first: String, end: String)?
  private var namesOnly = false

  private init(_ configuration: FirestoreConfiguration, _ collection: String, by time: String?, descending: Bool) {
    self.configuration = configuration
    self.collection = collection
    self.time = time
    isDescending = descending
  }

  /// Returns the query for jobs that are due at a time.
  static func due(_ now: Timestamp, after cursor: StoreCursor?, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(
      configuration, configuration.jobs, by: FirestoreFieldPath.text("state", "nextRun"), descending: false)
    query.limit(to: "LESS_THAN_OR_EQUAL", now)
    query.start = cursor
    return query
  }

  /// Returns the query for runs whose wake time has come.
  static func waking(_ now: Timestamp, after cursor: StoreCursor?, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.runs, by: "wakeAt", descending: false)
    query.limit(to: "LESS_THAN_OR_EQUAL", now)
    query.start = cursor
    return query
  }

  /// Returns the query for job documents by id.
  static func jobs(after cursor: StoreCursor?, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.jobs, by: nil, descending: false)
    query.start = cursor
    return query
  }

  /// Returns the query for the ledgers of a family by id.
  static func ledgers(
    in family: LedgerID.Family, after cursor: StoreCursor?, _ configuration: FirestoreConfiguration
  ) -> Self {
    var query = Self(configuration, configuration.ledgers, by: nil, descending: false)
    query.start = cursor
    query.range = (FirestoreDocumentID.encode(family.prefix), FirestoreDocumentID.encode(family.prefix) + "~")
    return query
  }

  /// Returns the query for runs that match a filter, latest first; nil if none can match.
  static func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, _ configuration: FirestoreConfiguration
  ) -> Self? {
    var query = Self(configuration, configuration.runs, by: "createdAt", descending: true)
    if let job = filter.job { query.equal("job", job.rawValue) }
    if let cause = filter.correlationID { query.equal("correlationId", cause) }
    if let statuses = filter.statuses, statuses.count < RunStatus.allCases.count {
      if statuses.isEmpty { return nil }
      let values = statuses.map(\.rawValue).sorted().map { FirestoreValue.string($0) }
      if values.count == 1 {
        query.filters.append(Self.filter("status", "EQUAL", values[0]))
      } else {
        query.filters.append(Self.filter("status", "IN", ["arrayValue": ["values": .array(values)]]))
      }
    }
    if let first = filter.createdFrom { query.limit(to: "GREATER_THAN_OR_EQUAL", first) }
    if let end = filter.createdBefore { query.limit(to: "LESS_THAN", end) }
    query.start = cursor
    return query
  }

  /// Returns the query for the runs of a status and, unless it is nil, of a queue.
  static func count(of status: RunStatus, in queue: String?, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.runs, by: nil, descending: false)
    query.equal("status", status.rawValue)
    if let queue { query.equal("queue", queue) }
    return query
  }

  /// Returns the query for the runs of a status that were created in a span of time, which the index of lists serves.
  static func count(
    of status: RunStatus, from start: Timestamp, before end: Timestamp, _ configuration: FirestoreConfiguration
  ) -> Self {
    var query = Self(configuration, configuration.runs, by: "createdAt", descending: true)
    query.equal("status", status.rawValue)
    query.limit(to: "GREATER_THAN_OR_EQUAL", start)
    query.limit(to: "LESS_THAN", end)
    return query
  }

  /// Returns the query for the names of runs whose ids have a prefix of hexadecimal digits, by id.
  static func runs(withPrefix prefix: String, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.runs, by: nil, descending: false)
    // The digits end with f, which g follows.
    query.range = (prefix, prefix + "g")
    query.namesOnly = true
    return query
  }

  /// Returns the query for journal entries that match a filter.
  static func journal(matching filter: JournalFilter, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.journal, by: "time", descending: !filter.isAscending)
    if let job = filter.job { query.filters.append(Self.filter("jobs", "ARRAY_CONTAINS", FirestoreValue.string(job))) }
    if let from = filter.from { query.limit(to: "GREATER_THAN_OR_EQUAL", from) }
    if let until = filter.until { query.limit(to: "LESS_THAN_OR_EQUAL", until) }
    return query
  }

  /// Returns the query for a run's log, oldest entry first.
  static func log(of run: RunID, after sequence: Int64?, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.logs, by: nil, descending: false)
    query.equal("run", run.rawValue)
    query.start = sequence.map { StoreCursor(key: 0, id: FirestoreDocumentID.log(run, $0)) }
    return query
  }

  /// Returns the query for the names of a collection's expired documents.
  static func expired(_ now: Timestamp, in collection: String, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, collection, by: "expireAt", descending: false)
    query.limit(to: "LESS_THAN_OR_EQUAL", now)
    query.namesOnly = true
    return query
  }

  /// Returns the query for the names of journal entries before a time, oldest first.
  static func oldJournal(before time: Timestamp, _ configuration: FirestoreConfiguration) -> Self {
    var query = Self(configuration, configuration.journal, by: "time", descending: false)
    query.limit(to: "LESS_THAN", time)
    query.namesOnly = true
    return query
  }

  /// The body of `runAggregationQuery` that counts the results.
  var countBody: JSONValue {
    [
      "structuredAggregationQuery": [
        "structuredQuery": .object(structuredQuery), "aggregations": [["alias": "count", "count": [:]]],
      ]
    ]
  }

  /// Returns the body of `runQuery` with a limit.
  func body(limit: Int) -> JSONValue {
    var query = structuredQuery
    query["limit"] = .integer(Int64(limit))
    return ["structuredQuery": .object(query)]
  }

  private var structuredQuery: [String: JSONValue] {
    let direction: JSONValue = isDescending ? "DESCENDING" : "ASCENDING"
    let orders = [time, "__name__"].compactMap { path in
      path.map { ["field": Self.field($0), "direction": direction] as JSONValue }
    }
    var query: [String: JSONValue] = [
      "from": [["collectionId": .string(collection)]], "orderBy": .array(orders),
    ]
    if filters.count == 1 { query["where"] = filters[0] }
    if filters.count > 1 { query["where"] = ["compositeFilter": ["op": "AND", "filters": .array(filters)]] }
    if namesOnly { query["select"] = ["fields": [Self.field("__name__")]] }
    if let range {
      func bound(_ id: String) -> JSONValue {
        ["values": [FirestoreValue.reference(configuration.name(collection, id))], "before": true]
      }
      (query["startAt"], query["endAt"]) = (bound(range.first), bound(range.end))
    }
    if let start {
      let name = FirestoreValue.reference(configuration.name(collection, start.id))
      let key = time.map { _ in FirestoreValue.timestamp(Timestamp(microseconds: start.key)) }
      query["startAt"] = ["values": .array([key, name].compactMap { $0 }), "before": false]
    }
    return query
  }

  private mutating func equal(_ field: String, _ text: String) {
    filters.append(Self.filter(field, "EQUAL", FirestoreValue.string(text)))
  }

  private mutating func limit(to comparison: String, _ bound: Timestamp) {
    guard let time else { return }
    filters.append(Self.filter(time, comparison, FirestoreValue.timestamp(bound)))
  }

  private static func filter(_ path: String, _ operation: String, _ value: JSONValue) -> JSONValue {
    ["fieldFilter": ["field": field(path), "op": .string(operation), "value": value]]
  }

  private static func field(_ path: String) -> JSONValue { ["fieldPath": .string(path)] }
}

/// Field paths in masks and queries.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery#FieldReference>.
enum FirestoreFieldPath {
  /// Returns segments joined by dots; those that are not simple identifiers are quoted in backticks.
  static func text(_ segments: String...) -> String {
    segments.map { quoted($0) }.joined(separator: ".")
  }

  private static func quoted(_ segment: String) -> String {
    let bytes = segment.utf8
    let isSimple =
      !bytes.isEmpty && bytes.first.map { !isDigit($0) } ?? false
      && bytes.allSatisfy { isDigit($0) || isLetter($0) }
    if isSimple { return segment }
    var text = "`"
    for scalar in segment.unicodeScalars {
      if scalar == "`" || scalar == "\\" { text.unicodeScalars.append("\\") }
      text.unicodeScalars.append(scalar)
    }
    return text + "`"
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }
}
#endif
