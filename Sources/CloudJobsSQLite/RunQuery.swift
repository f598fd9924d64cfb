#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// The query for runs that match a filter, in a form that an index serves in the list's order.
struct RunQuery: Sendable {
  let list: ListQuery
  let arguments: [any DatabaseValueConvertible & Sendable]

  private static let order = "created_at DESC, id DESC"

  /// The query; nil where no run can match.
  static func make(_ filter: RunFilter, after cursor: StoreCursor?, limit: Int) -> RunQuery? {
    var conditions = [String]()
    var arguments = [any DatabaseValueConvertible & Sendable]()
    if let correlationID = filter.correlationID {
      conditions.append("correlation_id = ?")
      arguments.append(SQLiteText.value(correlationID))
    }
    if let job = filter.job {
      // Of two indices that could serve, the planner shall take the narrower one; `+` hides a column from it.
      conditions.append(filter.correlationID == nil ? "job = ?" : "+job = ?")
      arguments.append(job.rawValue)
    }
    let range = range(filter, cursor)
    let statuses = filter.statuses.map { $0.map(\.rawValue).sorted() }
    if let statuses, statuses.isEmpty { return nil }
    if let statuses, statuses.count < RunStatus.allCases.count {
      if conditions.isEmpty, statuses.count > 1 {
        return make(statuses, range, limit: limit)
      }
      let places = statuses.map { _ in "?" }.joined(separator: ", ")
      conditions.append(conditions.isEmpty ? "status = ?" : "+status IN (\(places))")
      arguments += statuses
    }
    let list = ListQuery(
      "SELECT \(RunRecord.columns), created_at FROM runs", keyColumn: 5, limit: limit,
      conditions: conditions + range.conditions, order: order)
    return RunQuery(list: list, arguments: arguments + range.arguments)
  }

  /// The query for one of several states: each state's latest runs by its index, and of those the latest.
  private static func make(_ statuses: [String], _ range: Range, limit: Int) -> RunQuery {
    var arguments = [any DatabaseValueConvertible & Sendable]()
    let conditions = (["status = ?"] + range.conditions).joined(separator: " AND ")
    let part = "SELECT * FROM (SELECT rowid FROM runs WHERE \(conditions) ORDER BY \(order) LIMIT ?)"
    let union = statuses.map { _ in part }.joined(separator: " UNION ALL ")
    for status in statuses {
      arguments += [status] as [any DatabaseValueConvertible & Sendable]
      arguments += range.arguments
      arguments += [StoreLimits.page(limit) + 1] as [any DatabaseValueConvertible & Sendable]
    }
    let list = ListQuery(
      "SELECT \(RunRecord.columns), created_at FROM runs", keyColumn: 5, limit: limit,
      conditions: ["rowid IN (\(union))"], order: "+created_at DESC, id DESC")
    return RunQuery(list: list, arguments: arguments)
  }

  private typealias Range = (conditions: [String], arguments: [any DatabaseValueConvertible & Sendable])

  /// The span of time, and where the page begins.
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
      range.arguments += ListQuery.place(cursor)
    }
    return range
  }
}
#endif
