#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// A page of an ordered list: one record more than asked for tells whether there is a next page.
struct ListQuery: Sendable {
  /// The statement; its last parameter is the limit.
  let sql: String
  private let keyColumn: Int
  private let limit: Int

  /// A query.
  ///
  /// - Parameters:
  ///   - selection: `SELECT … FROM …`; the first column is the record's id.
  ///   - keyColumn: the index of the column with the sort key of the cursor.
  ///   - limit: the records asked for.
  ///   - conditions: what holds for each record, with `?` for each argument.
  ///   - order: by what the list is ordered.
  init(_ selection: String, keyColumn: Int, limit: Int, conditions: [String], order: String) {
    let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    sql = "\(selection)\(filter) ORDER BY \(order) LIMIT ?"
    self.keyColumn = keyColumn
    self.limit = StoreLimits.page(limit)
  }

  /// The arguments for a cursor's place.
  static func place(_ cursor: StoreCursor?) -> [any DatabaseValueConvertible & Sendable] {
    cursor.map { [$0.key, SQLiteText.value($0.id)] } ?? []
  }

  /// Performs the query.
  ///
  /// A row that is no record, which only a hand in the file can make, is left out and does not end the list.
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
#endif
