#if SQLite
import CloudJobs
import CloudJobsSQLite
import Foundation
import Logging
import Synchronization

/// Measures a worker over an SQLite file: how late delayed runs start, and what an idle minute costs.
///
///     swift run -c release worker-benchmark [runs] [idle seconds]
@main
enum WorkerBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let (runs, idle) = (arguments.first ?? 1_000, arguments.dropFirst().first ?? 60)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("worker-benchmark-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = CountingStore(try SQLiteStore(path: folder.appendingPathComponent("jobs.db").path))
    var options = RuntimeOptions()
    options.logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    let runtime = JobRuntime(
      try JobRegistry {
        EndpointJob("job") { _ in .done }
        PeriodicJob("daily", cron: "0 2 * * *") { _ in .done }
      }, store: store, authentication: .trustLoopback, options: options)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await JobWorker(runtime).run() }
      do {
        try await lateness(of: runs, runtime, store)
        try await idleCost(seconds: idle, store)
      } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
      }
      await runtime.drain(within: .seconds(1))
    }
  }

  /// Enqueues runs whose times are spread over 20 s, and reads from the store when each began.
  private static func lateness(of count: Int, _ runtime: JobRuntime, _ store: CountingStore) async throws {
    let start = Date()
    let times = (0..<count).map { runtime.clock.now() + .seconds(2) + .milliseconds($0 * 20_000 / count) }
    try await runtime.enqueue(times.map { EnqueueRequest("job", start: .at($0)) })
    var done: [Run] = []
    while done.count < count, Date().timeIntervalSince(start) < 60 {
      try await Task.sleep(for: .milliseconds(500))
      done = []
      var cursor: StoreCursor?
      repeat {
        let page = try await store.base.runs(
          matching: RunFilter(statuses: [.succeeded]), after: cursor, limit: StoreLimits.batch)
        done += page.records.compactMap { try? $0.run.get() }
        cursor = page.next
      } while cursor != nil
    }
    let late = done.compactMap { run in run.startedAt.map { ($0 - run.notBefore).components } }
      .map { Double($0.seconds) * 1_000 + Double($0.attoseconds) / 1e15 }.sorted()
    guard !late.isEmpty else { return show("no run has ended") }
    show("delayed runs: \(late.count) of \(count) have run")
    for (name, part) in [("median", 0.5), ("p99", 0.99), ("max", 1)] {
      show("  lateness \(name): \(format(late[min(late.count - 1, Int(Double(late.count) * part))])) ms")
    }
  }

  /// Counts the processor's time and the calls to the store while nothing is due.
  private static func idleCost(seconds: Int, _ store: CountingStore) async throws {
    try await Task.sleep(for: .seconds(1))
    store.reset()
    let before = processorSeconds()
    try await Task.sleep(for: .seconds(seconds))
    let used = processorSeconds() - before
    let calls = store.counts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
    let share = format(used / Double(seconds) * 100)
    show("idle for \(seconds) s: \(format(used * 1_000)) ms of processor time (\(share) %)")
    show("  calls to the store: \(calls)")
  }

  private static func processorSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }

  private static func format(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func show(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}

/// An SQLite store that counts the calls to it.
final class CountingStore: DueTimeStore, PurgingStore {
  let base: SQLiteStore
  private let state = Mutex<[String: Int]>([:])

  init(_ base: SQLiteStore) {
    self.base = base
  }

  var counts: [String: Int] { state.withLock { $0 } }

  func reset() { state.withLock { $0 = [:] } }

  private func count(_ name: String = #function) {
    state.withLock { $0[String(name.prefix { $0 != "(" }), default: 0] += 1 }
  }

  func dueTimes() async throws(StoreError) -> DueTimes {
    count()
    return try await base.dueTimes()
  }

  func read(jobs: [JobID], runs: [RunID], ledgers: [LedgerID]) async throws(StoreError) -> StoreReading {
    count()
    return try await base.read(jobs: jobs, runs: runs, ledgers: ledgers)
  }

  func dueJobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    count()
    return try await base.dueJobs(after: cursor, limit: limit)
  }

  func wakingRuns(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<RunRecord> {
    count()
    return try await base.wakingRuns(after: cursor, limit: limit)
  }

  func jobs(after cursor: StoreCursor?, limit: Int) async throws(StoreError) -> StorePage<JobRecord> {
    count()
    return try await base.jobs(after: cursor, limit: limit)
  }

  func runs(
    matching filter: RunFilter, after cursor: StoreCursor?, limit: Int
  ) async throws(StoreError) -> StorePage<RunRecord> {
    count()
    return try await base.runs(matching: filter, after: cursor, limit: limit)
  }

  func journal(until time: Timestamp, limit: Int) async throws(StoreError) -> [PassJournalEntry] {
    count()
    return try await base.journal(until: time, limit: limit)
  }

  func log(of run: RunID, after sequence: Int64?, limit: Int) async throws(StoreError) -> [RunLogEntry] {
    count()
    return try await base.log(of: run, after: sequence, limit: limit)
  }

  func commit(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    count()
    return try await base.commit(writes)
  }

  func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeExpired(limit: limit)
  }

  func purgeLogs(limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeLogs(limit: limit)
  }

  func purgeLedgers(limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeLedgers(limit: limit)
  }

  func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    count()
    return try await base.purgeJournal(before: time, limit: limit)
  }
}
#else
/// The benchmark needs the trait SQLite.
@main
enum WorkerBenchmark {
  static func main() {}
}
#endif
