#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import Foundation

/// A process that writes to a store's file concurrently with others and may be killed at any moment.
///
/// ```
/// store-stress increment <file> <count> <name>   repeatedly adds 1 to the run "counter", creates "<name>-<i>"
/// store-stress claim <file> <count> <name>       tries to create the runs "claim-0" … before other processes do
/// store-stress lead <file> <terms> <name>        leads that many times, and tells the begin and the end of each term
/// store-stress measure <file> <commits> <callers> <group limit>
/// ```
///
/// Each commit is reported by one line on standard output after it is durable.
@main
struct StoreStress {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 4, let count = Int(arguments[2]) else { throw Misuse() }
    switch arguments[0] {
    case "increment": try await increment(try open(arguments[1]), count, arguments[3])
    case "claim": try await claim(try open(arguments[1]), count, arguments[3])
    case "lead": try await lead(try open(arguments[1]), count, arguments[3])
    case "measure":
      let limit = arguments.count > 4 ? Int(arguments[4]) : nil
      try await measure(try open(arguments[1], groupLimit: limit ?? 256), count, callers: Int(arguments[3]) ?? 1)
    default: throw Misuse()
    }
  }

  /// Opens the file with a longer busy timeout than usual, as the machine may be busy with other tests.
  private static func open(_ path: String, groupLimit: Int = 256) throws -> SQLiteStore {
    try SQLiteStore(path: path, clock: .system, busyTimeout: .seconds(60), groupLimit: groupLimit)
  }

  private static func increment(_ store: SQLiteStore, _ count: Int, _ name: String) async throws {
    let counter = run("counter")
    report("ready")
    var done = 0
    while done < count {
      let record = try await store.read(jobs: [], runs: [counter.id]).runs[counter.id]
      var next = try record?.run.get() ?? counter
      next.reenqueues += 1
      let mark = "\(name)-\(done)"
      do throws(StoreError) {
        _ = try await store.commit([
          .putRun(next, record.map { .version($0.version) } ?? .absent), .putRun(run(mark), .absent),
        ])
        report(mark)
        done += 1
      } catch {
        if error.code != .conflict { throw error }
      }
    }
  }

  private static func claim(_ store: SQLiteStore, _ count: Int, _ name: String) async throws {
    report("ready")
    for number in 0..<count {
      var claimed = run("claim-\(number)")
      claimed.reason = name
      do throws(StoreError) {
        _ = try await store.commit([.putRun(claimed, .absent)])
        report("claim-\(number)")
      } catch {
        if error.code != .conflict { throw error }
      }
    }
  }

  /// Leads some times, and tells the begin and the end of each term with the time.
  private static func lead(_ store: SQLiteStore, _ count: Int, _ name: String) async throws {
    let runtime = JobRuntime(try JobRegistry {}, store: store, authentication: .trustLoopback)
    report("ready")
    for _ in 0..<count {
      try await runtime.whileLeading("stress", for: .seconds(2)) { term in
        report("\(now) begin \(term.number)")
        try await SystemClock().sleep(for: .milliseconds(30))
        report("\(now) end \(term.number)")
      }
    }
  }

  /// Commits claims and results of runs, as the runtime does.
  private static func measure(_ store: SQLiteStore, _ commits: Int, callers: Int) async throws {
    let clock = ContinuousClock()
    let elapsed = try await clock.measure {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in 0..<callers {
          group.addTask {
            for number in 0..<(commits / callers / 2) {
              var claimed = run("run \(caller) \(number)")
              claimed.fence = 1
              claimed.status = .running
              claimed.wakeAt = .distantFuture
              _ = try await store.commit([.putRun(claimed, .absent)])
              claimed.status = .succeeded
              claimed.wakeAt = nil
              _ = try await store.commit([.putRun(claimed, .fence(1))])
            }
          }
        }
        try await group.waitForAll()
      }
    }
    let rate = Int64(commits) * 1_000_000 / max(elapsed.microseconds, 1)
    report("\(commits) commits by \(callers) callers: \(rate) a second")
  }

  private static func run(_ name: String) -> Run {
    Run(
      id: RunID(job: "stress", occurrence: .key(name)), job: "stress", trigger: .manual, maxAttempts: 1,
      notBefore: .epoch, createdAt: .epoch)
  }

  /// The time of the machine in microseconds, which all processes share.
  private static var now: Int64 { SystemClock().now().microseconds }

  private static func report(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}

/// Invalid arguments.
private struct Misuse: Error {}
#else
/// A placeholder for builds without the trait SQLite.
@main
struct StoreStress {
  static func main() {}
}
#endif
