#if SQLite
import CloudJobs
import CloudJobsCore
@testable import CloudJobsSQLite
import Foundation
import GRDB
import Testing

@Suite("Store file")
struct SQLiteFileTests {
  @Test("The writer waits for the disk: WAL and synchronous=FULL hold after opening and after commits")
  func durability() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    for _ in 0..<3 {
      let (journal, synchronous) = try await store.pool.writeWithoutTransaction { database in
        (
          try String.fetchOne(database, sql: "PRAGMA journal_mode"),
          try Int.fetchOne(database, sql: "PRAGMA synchronous")
        )
      }
      #expect(journal == "wal")
      #expect(synchronous == 2, "FULL is 2, https://www.sqlite.org/pragma.html#pragma_synchronous")
      _ = try await store.commit([.patchState("one", JobStatePatch(), .none)])
    }
    withExtendedLifetime(folder) {}
  }

  private func modes(in folder: TemporaryFolder) throws -> [String: Int] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("."))
    return try Dictionary(
      uniqueKeysWithValues: names.map { name in
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path(name))[.posixPermissions] as? Int
        return (name, try #require(mode))
      })
  }

  @Test("A new file and the two beside it are accessible only to their owner; an existing file keeps its mode")
  func modes() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    _ = try await store.commit([.patchState("one", JobStatePatch(), .none)])
    #expect(try modes(in: folder) == ["store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600])
    withExtendedLifetime(store) {}

    let shared = try TemporaryFolder()
    #expect(FileManager.default.createFile(atPath: shared.path(), contents: nil))
    try FileManager.default.setAttributes([.posixPermissions: 0o660], ofItemAtPath: shared.path())
    let second = try SQLiteStore(path: shared.path())
    _ = try await second.commit([.patchState("one", JobStatePatch(), .none)])
    #expect(try modes(in: shared) == ["store.db": 0o660, "store.db-wal": 0o660, "store.db-shm": 0o660])
    withExtendedLifetime(second) {}
  }

  @Test("A link to a missing file leads to one that only its owner can access")
  func linkedMode() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: folder.path(), withDestinationPath: folder.path("target.db"))
    let store = try SQLiteStore(path: folder.path())
    #expect(try modes(in: folder)["target.db"] == 0o600)
    withExtendedLifetime(store) {}
  }

  @Test("8 concurrent openings create the tables once, and all of them work")
  func simultaneousOpenings() async throws {
    for _ in 0..<5 {
      let folder = try TemporaryFolder()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<8 {
          group.addTask {
            let store = try await openOnThread(folder.path())
            _ = try await store.commit([.patchState(try JobID("job-\(number)"), JobStatePatch(), .absent)])
          }
        }
        try await group.waitForAll()
      }
      let store = try SQLiteStore(path: folder.path())
      #expect(try await store.jobs(after: nil, limit: 10).records.count == 8)
      #expect(Set(try await store.jobs(after: nil, limit: 10).records.map(\.version)).count == 8)
    }
  }

  @Test("A file that is not a database is rejected as invalid, and stays unchanged")
  func foreignFile() throws {
    let folder = try TemporaryFolder()
    let text = Data(String(repeating: "This is a letter and no database. ", count: 200).utf8)
    try text.write(to: URL(filePath: folder.path("letter.txt")))
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: folder.path("letter.txt")) }
    #expect(error.code == .invalid)
    #expect(error.nativeCode == "SQLITE_NOTADB")
    #expect(error.message.contains("not an SQLite database"))
    #expect(try Data(contentsOf: URL(filePath: folder.path("letter.txt"))) == text)
  }

  @Test("A path that can't be opened is reported with its remedy", arguments: ["missing/store.db", "."])
  func badPath(_ path: String) throws {
    let folder = try TemporaryFolder()
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: folder.path(path)) }
    #expect(error.code == .unavailable)
    #expect(error.nativeCode?.hasPrefix("SQLITE_CANTOPEN") == true)
    #expect(error.message.contains("folder"))
  }

  @Test("A path that names no file is rejected", arguments: ["", ":memory:", "file:store.db?mode=memory"])
  func noPath(_ path: String) throws {
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: path) }
    #expect(error.code == .invalid)
  }

  @Test(
    "A folder in which no file can be created is reported as unavailable",
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/self")))
  func unwritableFolder() throws {
    // The kernel's own folder accepts no file, not even from root, whom no permission stops.
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: "/proc/self/store.db") }
    #expect(error.code == .unavailable)
  }

  @Test("A read-only folder is reported as unavailable", .enabled(if: geteuid() != 0))
  func readOnlyFolder() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.url.path)
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: folder.path()) }
    #expect(error.code == .unavailable)
  }

  @Test("A file of a later program version is rejected, and stays unchanged")
  func laterSchema() async throws {
    let folder = try TemporaryFolder()
    do {
      let store = try SQLiteStore(path: folder.path())
      try await store.pool.write { try $0.execute(sql: "UPDATE store SET schema = 99") }
    }
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: folder.path()) }
    #expect(error.code == .invalid)
    #expect(error.message.contains("99"))
  }

  @Test("A file of each earlier schema is migrated, and keeps its jobs and runs", arguments: 1..<SQLiteSchema.latest)
  func earlierSchema(version: Int) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("new.db")
    let new = try SQLiteStore(path: path)
    let id = RunID(job: "job", occurrence: .key("one"))
    var run = Run(
      id: id, job: "job", trigger: .task, status: .scheduled, maxAttempts: 3, notBefore: .epoch, createdAt: .epoch)
    (run.input, run.wakeAt, run.correlationID) = (JSONText(["a": 1]), .epoch + .seconds(60), "cause")
    run.queue = "mail"
    var configuration = JobConfiguration()
    configuration.interval = .seconds(90)
    _ = try await new.commit([.putConfiguration("job", configuration, .absent), .putRun(run, .absent)])
    let old = try DatabaseQueue(path: folder.path())
    try await old.writeWithoutTransaction { database in
      try SQLiteSchema.migrate(database, to: version)
      // The columns that the first version had.
      let jobs = "id, version, configuration, state, next_run"
      let runs =
        "id, version, job, status, created_at, wake_at, expire_at, correlation_id, fence, document, input, output"
      try database.execute(sql: "ATTACH DATABASE ? AS fresh", arguments: [path])
      try database.execute(
        sql: """
          INSERT INTO jobs (\(jobs)) SELECT \(jobs) FROM fresh.jobs;
          INSERT INTO runs (\(runs)) SELECT \(runs) FROM fresh.runs;
          UPDATE store SET (last_version, last_time) = (SELECT last_version, last_time FROM fresh.store);
          DETACH DATABASE fresh
          """)
    }
    #expect(try await schema(of: old).version == version)
    try old.close()
    for _ in 0..<2 {
      let store = try SQLiteStore(path: folder.path())
      #expect(try await schema(of: store.pool) == schema(of: new.pool))
      let reading = try await store.read(jobs: ["job"], runs: [id])
      #expect(try reading.runs[id]?.run.get() == run)
      #expect(try reading.jobs["job"]?.document.get().configuration == configuration)
      #expect(try await store.dueTimes(within: .days(1)).earliest == run.wakeAt)
      let waiting = try await store.waitingRunCounts(tellingApart: ["mail"])
      #expect(waiting == [WaitingRunCount(status: .scheduled, queue: "mail", count: 1)])
      let line = RunLogLine(time: .epoch, level: "info", message: "A line.")
      _ = try await store.commit([
        .putRun(run, .fence(0)), .putLog(RunLogEntry(run: id, sequence: 1, lines: [line], expireAt: .distantFuture)),
      ])
      #expect(try await store.log(of: id, after: nil, limit: 9).flatMap(\.lines) == [line])
    }
    withExtendedLifetime(folder) {}
  }

  private struct Schema: Equatable, Sendable {
    var version: Int?
    var objects: [String]
  }

  /// Returns the schema version of a file, and the text that made each of its tables and indexes.
  private func schema(of database: some DatabaseReader) async throws -> Schema {
    try await database.read { database in
      Schema(
        version: try Int.fetchOne(database, sql: "SELECT schema FROM store"),
        objects: try String.fetchAll(
          database, sql: "SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_schema ORDER BY name"))
    }
  }

  @Test("A file locked by another process is reported as unavailable after the busy timeout")
  func lockedFile() async throws {
    let folder = try TemporaryFolder()
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: folder.path(), configuration: configuration)
    try await other.writeWithoutTransaction { try $0.execute(sql: "CREATE TABLE other (id); BEGIN EXCLUSIVE") }
    let error = try #require(throws: StoreError.self) {
      try SQLiteStore(path: folder.path(), busyTimeout: .milliseconds(100))
    }
    #expect(error.code == .unavailable)
    #expect(error.nativeCode == "SQLITE_BUSY")
    try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
    _ = try await SQLiteStore(path: folder.path()).commit([])
  }

  @Test("Another program's tables of the same names are not touched")
  func foreignTables() async throws {
    let folder = try TemporaryFolder()
    let other = try DatabaseQueue(path: folder.path())
    try await other.write { try $0.execute(sql: "CREATE TABLE runs (miles); INSERT INTO runs VALUES (26)") }
    let error = try #require(throws: StoreError.self) { try SQLiteStore(path: folder.path()) }
    #expect(error.code == .invalid)
    #expect(error.message.contains("another program"))
    #expect(error.message.contains(folder.path()))
    #expect(try await other.read { try Int.fetchAll($0, sql: "SELECT miles FROM runs") } == [26])
    #expect(try await other.read { try $0.tableExists("store") } == false)
  }

  @Test("A file that is moved or replaced while open is reported as unavailable until it is put back")
  func moved() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    _ = try await store.commit([.patchState("job", JobStatePatch(), .none)])
    try FileManager.default.moveItem(atPath: folder.path(), toPath: folder.path() + ".old")
    for isReplaced in [false, true] {
      if isReplaced { #expect(FileManager.default.createFile(atPath: folder.path(), contents: nil)) }
      let write = await #expect(throws: StoreError.self) {
        try await store.commit([.patchState("job", JobStatePatch(), .none)])
      }
      #expect(write?.code == .unavailable && write?.message.contains(folder.path()) == true)
      let read = await #expect(throws: StoreError.self) { try await store.jobs(after: nil, limit: 1) }
      #expect(read?.code == .unavailable)
    }
    try FileManager.default.removeItem(atPath: folder.path())
    try FileManager.default.moveItem(atPath: folder.path() + ".old", toPath: folder.path())
    #expect(try await store.jobs(after: nil, limit: 1).records.map(\.id) == ["job"])
  }

  @Test("A file whose versions are exhausted rejects commits, and still answers reads")
  func usedUp() async throws {
    let folder = try TemporaryFolder()
    let store = try SQLiteStore(path: folder.path())
    try await store.pool.writeWithoutTransaction {
      try $0.execute(sql: "UPDATE store SET last_version = ?", arguments: [Int64.max])
    }
    let error = await #expect(throws: StoreError.self) {
      try await store.commit([.patchState("job", JobStatePatch(), .none)])
    }
    #expect(error?.code == .invalid)
    #expect(try await store.jobs(after: nil, limit: 1).records.isEmpty)
  }

  @Test("A damaged file is reported as damaged")
  func damage() async throws {
    let folder = try TemporaryFolder()
    do {
      let store = try SQLiteStore(path: folder.path())
      _ = try await store.commit((0..<200).map { .patchState(try JobID("job-\($0)"), JobStatePatch(), .none) })
      try await store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    }
    let file = try FileHandle(forUpdating: URL(filePath: folder.path()))
    try file.seek(toOffset: 4_096)
    try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096 * 30))
    try file.close()
    await #expect(throws: StoreError.self) {
      do throws(StoreError) {
        let store = try SQLiteStore(path: folder.path())
        _ = try await store.jobs(after: nil, limit: 500)
      } catch {
        #expect(error.code == .invalid)
        #expect(error.nativeCode?.hasPrefix("SQLITE_CORRUPT") == true)
        throw error
      }
    }
  }

  /// Opens a store on its own thread, because opening blocks.
  private func openOnThread(_ path: String) async throws -> SQLiteStore {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try SQLiteStore(path: path) }) }
    }
  }
}
#endif
