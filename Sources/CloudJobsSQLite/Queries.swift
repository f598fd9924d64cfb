#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// A query for a page of an ordered list; one extra record tells whether another page follows.
struct ListQuery: Sendable {
  /// The statement; its last parameter is the limit.
  let sql: String
  private let keyColumn: Int
  private let limit: Int

  /// Creates a query.
  ///
  /// - Parameters:
  ///   - selection: `SELECT … FROM …`; the first column is the record's id.
  ///   - keyColumn: the index of the column with the sort key of the cursor.
  ///   - limit: the maximum number of records.
  ///   - conditions: the SQL conditions, with `?` for each argument.
  ///   - order: the `ORDER BY` terms.
  init(_ selection: String, keyColumn: Int, limit: Int, conditions: [String], order: String) {
    let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    sql = "\(selection)\(filter) ORDER BY \(order) LIMIT ?"
    self.keyColumn = keyColumn
    self.limit = StoreLimits.page(limit)
  }

  /// Returns the arguments for a cursor.
  static func arguments(after cursor: StoreCursor?) -> [any DatabaseValueConvertible & Sendable] {
    cursor.map { [$0.key, SQLiteText.value($0.id)] } ?? []
  }

  /// Runs the query.
  ///
  /// A row that is not a valid record, which only manual editing produces, is left out without ending the list.
  func page<Record>(
    _ database: Database, _ time: Timestamp, _ arguments: [any DatabaseValueConvertible & Sendable],
    _ record: (Row) -> Record?
  ) throws -> StorePage<Record> {
    let arguments = (arguments as [any DatabaseValueConvertible]) + [limit + 1]
    let rows = try Row.fetchAll(
      database.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    let last = rows.count > limit ? rows[limit - 1] : nil
    return StorePage(
      records: rows.prefix(limit).compactMap(record),
      next: last.map { StoreCursor(key: $0[keyColumn], id: $0[0]) }, time: time)
  }
}

/// A query for the runs that match a filter, in a form that an index serves in the list's order.
struct RunQuery: Sendable {
  let list: ListQuery
  let arguments: [any DatabaseValueConvertible & Sendable]

  private static let order = "created_at DESC, id DESC"

  /// Returns the query; nil if no run can match.
  static func make(_ filter: RunFilter, after cursor: StoreCursor?, limit: Int) -> RunQuery? {
    var conditions = [String]()
    var arguments = [any DatabaseValueConvertible & Sendable]()
    if let correlationID = filter.correlationID {
      conditions.append("correlation_id = ?")
      arguments.append(SQLiteText.value(correlationID))
    }
    if let job = filter.job {
      // The planner should use the more selective of two indexes; `+` hides a column from it.
      conditions.append(filter.correlationID == nil ? "job = ?" : "+job = ?")
      arguments.append(job.rawValue)
    }
    let range = range(filter, cursor)
    let statuses = filter.statuses.map { $0.sorted { $0.rawValue < $1.rawValue } }
    if let statuses, statuses.isEmpty { return nil }
    if let statuses, statuses.count < RunStatus.allCases.count {
      if conditions.isEmpty, statuses.count > 1 {
        return make(statuses, range, limit: limit)
      }
      let list = statuses.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      conditions.append(conditions.isEmpty ? condition(statuses[0]) : "+status IN (\(list))")
    }
    let list = ListQuery(
      "SELECT \(RunRecord.columns), created_at FROM runs", keyColumn: 5, limit: limit,
      conditions: conditions + range.conditions, order: order)
    return RunQuery(list: list, arguments: arguments + range.arguments)
  }

  /// Returns the condition of a status, from which the planner sees that the partial index has it.
  private static func condition(_ status: RunStatus) -> String {
    "status = '\(status.rawValue)'" + (status == .succeeded ? "" : " AND status <> 'succeeded'")
  }

  /// Returns the query for several statuses: the latest runs of each status by its index, and the latest of all those.
  private static func make(_ statuses: [RunStatus], _ range: Range, limit: Int) -> RunQuery {
    var arguments = [any DatabaseValueConvertible & Sendable]()
    let parts = statuses.map { status in
      let conditions = ([condition(status)] + range.conditions).joined(separator: " AND ")
      return "SELECT * FROM (SELECT rowid FROM runs WHERE \(conditions) ORDER BY \(order) LIMIT ?)"
    }
    let union = parts.joined(separator: " UNION ALL ")
    for _ in statuses {
      arguments += range.arguments
      arguments += [StoreLimits.page(limit) + 1] as [any DatabaseValueConvertible & Sendable]
    }
    let list = ListQuery(
      "SELECT \(RunRecord.columns), created_at FROM runs", keyColumn: 5, limit: limit,
      conditions: ["rowid IN (\(union))"], order: "+created_at DESC, id DESC")
    return RunQuery(list: list, arguments: arguments)
  }

  private typealias Range = (conditions: [String], arguments: [any DatabaseValueConvertible & Sendable])

  /// Returns the conditions of the time range and the cursor.
  private static func range(_ filter: RunFilter, _ cursor: StoreCursor?) -> Range {
    var range: Range = ([], [])
    if let from = filter.createdFrom {
      range.conditions.append("created_at >= ?")
      range.arguments.append(from.microseconds)
    }
    if let before = filter.createdBefore {
      range.conditions.append("created_at < ?")
      range.arguments.append(before.microseconds)
    }
    if cursor != nil {
      range.conditions.append("(created_at, id) < (?, ?)")
      range.arguments += ListQuery.arguments(after: cursor)
    }
    return range
  }
}
#endif
