#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// The one row that all commits of a file share: the latest version given out, and the latest commit's time.
///
/// It is read after the transaction has the right to write, so that versions are unique across processes.
struct Ledger {
  private(set) var lastVersion: Int64
  private(set) var lastTime: Timestamp
  private var isChanged = false

  init(_ database: Database) throws {
    let statement = try database.cachedStatement(sql: "SELECT last_version, last_time FROM store")
    guard let row = try Row.fetchOne(statement) else { throw Self.damage }
    lastVersion = row[0]
    lastTime = Timestamp(microseconds: row[1])
  }

  /// The latest commit's time.
  static func lastTime(_ database: Database) throws -> Timestamp {
    let statement = try database.cachedStatement(sql: "SELECT last_time FROM store")
    guard let microseconds = try Int64.fetchOne(statement) else { throw damage }
    return Timestamp(microseconds: microseconds)
  }

  /// A version that no document has had.
  ///
  /// - Throws: ``StoreError`` `invalid` where the file's last version has been edited to the largest number.
  mutating func nextVersion() throws(StoreError) -> Int64 {
    guard lastVersion < .max else {
      throw StoreError(
        .invalid, "The file's last_version in the table store is the largest number. Restore the file from a copy.")
    }
    lastVersion += 1
    isChanged = true
    return lastVersion
  }

  /// Notes that the commit changes something that has no version afterwards.
  mutating func noteChange() {
    isChanged = true
  }

  /// Writes the row where the commit changes anything.
  func save(_ database: Database, time: Timestamp) throws {
    guard isChanged else { return }
    try database.cachedStatement(sql: "UPDATE store SET last_version = ?, last_time = ?").execute(
      arguments: [lastVersion, time.microseconds])
  }

  private static let damage = StoreError(
    .invalid, "The file has no row in its table store: it is damaged. Restore it from a copy.")
}
#endif
