#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// A query for a page of an ordered list; one extra record tells whether another page follows.
///
/// The current time comes with the page in one statement, as `now.time`: in the only row without a record if the page
/// is empty.
struct ListQuery: Sendable {
  private let columns: String
  private let table: String
  private let key: String
  private let order: String
  private let limit: Int
  private var conditions: [String] = []
  private var parameters = Parameters()

  /// Creates a query.
  ///
  /// - Parameters:
  ///   - columns: the columns of a record; the first one is its id.
  ///   - table: the table, with its schema.
  ///   - key: the sort key of the cursor, a number.
  ///   - order: the `ORDER BY` terms; `key` is the sort key.
  ///   - limit: the maximum number of records.
  ///   - floor: the earliest current time.
  init(_ columns: String, of table: String, key: String, order: String, limit: Int, floor: Int64) {
    self.columns = columns
    self.table = table
    self.key = key
    self.order = order
    self.limit = StoreLimits.page(limit)
    parameters.append(floor)
  }

  /// Adds a condition, in which `?` is the place of the parameter that is added.
  mutating func require(_ condition: String, _ append: (inout Parameters) -> Void) {
    append(&parameters)
    conditions.append(condition.replacing("?", with: "$\(parameters.types.count)"))
  }

  /// Adds a condition without a parameter.
  mutating func require(_ condition: String) {
    conditions.append(condition)
  }

  /// Adds the condition that a record is behind a cursor.
  ///
  /// - Parameters:
  ///   - cursor: the cursor.
  ///   - comparison: `>` for an ascending list, `<` for a descending one.
  ///   - id: adds the id of the cursor.
  mutating func require(after cursor: StoreCursor, _ comparison: String, id: (inout Parameters) -> Void) {
    parameters.append(cursor.key)
    let place = parameters.types.count
    id(&parameters)
    conditions.append("(\(key), id) \(comparison) ($\(place), $\(place + 1))")
  }

  private func selection(_ more: [String] = []) -> String {
    let conditions = conditions + more
    let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    // The limit stands in the text, so that the plan of the prepared statement knows it.
    return "SELECT \(columns), \(key) AS key FROM \(table)\(filter) ORDER BY \(order) LIMIT \(limit + 1)"
  }

  /// Returns the statement.
  ///
  /// - Parameters:
  ///   - time: the SQL of the current time, whose parameter is the first one.
  ///   - alternatives: conditions of which one must hold, each served by an index of its own.
  /// - Returns: the statement, whose rows are the time, the record and the key.
  func statement(_ time: String, anyOf alternatives: [String] = []) -> Statement {
    var page = selection(alternatives.count == 1 ? alternatives : [])
    if alternatives.count > 1 {
      let parts = alternatives.map { "(\(selection([$0])))" }.joined(separator: " UNION ALL ")
      page = "SELECT * FROM (\(parts)) AS part ORDER BY \(order) LIMIT \(limit + 1)"
    }
    let sql = """
      WITH now AS MATERIALIZED (SELECT \(time) AS time)
      SELECT now.time, page.* FROM now LEFT JOIN LATERAL (\(page)) AS page ON true
      """
    var statement = Statement(sql)
    statement.parameters = parameters
    return statement
  }

  /// Returns the page of an answer.
  ///
  /// A row that is not a valid record, which only manual editing produces, is left out without ending the list.
  ///
  /// - Parameters:
  ///   - result: the rows.
  ///   - keyColumn: the index of the column with the key.
  ///   - id: returns the id of a row for the cursor.
  ///   - record: returns the record of a row; nil if it has none.
  /// - Returns: the page, with the time of the answer in microseconds.
  func page<Record>(
    _ result: QueryResult, keyColumn: Int, id: (Int) -> String?, _ record: (Int) -> Record?
  ) -> (records: [Record], next: StoreCursor?, time: Int64?) {
    let count = result.count > 0 && result.int64(0, keyColumn) != nil ? result.count : 0
    let last = count > limit ? limit - 1 : nil
    return (
      (0..<min(count, limit)).compactMap(record),
      last.map { StoreCursor(key: result.int64($0, keyColumn) ?? 0, id: id($0) ?? "") },
      result.count > 0 ? result.int64(0, 0) : nil
    )
  }
}

/// A query for the runs that match a filter, in a form that an index serves in the list's order.
struct RunQuery: Sendable {
  /// The list.
  private(set) var list: ListQuery
  /// The statuses of which one must hold.
  private(set) var alternatives: [String] = []

  /// Creates the query; nil if no run can match.
  ///
  /// - Parameters:
  ///   - filter: the filter.
  ///   - cursor: the end of the previous page.
  ///   - limit: the maximum number of records.
  ///   - schema: the schema of the tables.
  ///   - floor: the earliest current time.
  init?(_ filter: RunFilter, after cursor: StoreCursor?, limit: Int, _ schema: SchemaName, floor: Int64) {
    list = ListQuery(
      RunRecord.columns, of: "\(schema.sql).runs", key: "created_at", order: "key DESC, id DESC", limit: limit,
      floor: floor)
    if let correlationID = filter.correlationID {
      // The index has a hash of the value, which may be too long for it.
      list.require("sha256(correlation_id) = sha256(?) AND correlation_id = ?") { $0.append(Array(correlationID.utf8)) }
    }
    if let job = filter.job { list.require("job = ?") { $0.append(job.rawValue) } }
    if let from = filter.createdFrom { list.require("created_at >= ?") { $0.append(from.microseconds) } }
    if let before = filter.createdBefore { list.require("created_at < ?") { $0.append(before.microseconds) } }
    if let cursor, let id = try? RunID(cursor.id) { list.require(after: cursor, "<") { $0.append(id.bytes) } }
    guard let statuses = filter.statuses, statuses.count < RunStatus.allCases.count else { return }
    if statuses.isEmpty { return nil }
    // As literals, so that the planner knows that the partial index has them.
    let literals = statuses.map { "'\($0.rawValue)'" }.sorted()
    if filter.job == nil, filter.correlationID == nil {
      alternatives = literals.map { "status = \($0)" }
    } else {
      list.require("status IN (\(literals.joined(separator: ", ")))")
    }
  }
}
#endif
