#if SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import Foundation

/// A process that works on a store's file beside others, to be started several times and killed at any moment.
///
/// ```
/// store-hammer increment <file> <count> <name>   adds 1 to the run "counter" and makes the run "<name>-<i>", as often
/// store-hammer claim <file> <count> <name>       tries to make the runs "claim-0" … before others do
/// store-hammer measure <file> <commits> <callers> <group limit>
/// ```
///
/// What is on the disk is told on standard output: one line for each commit, after it.
@main
struct StoreHammer {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 4, let count = Int(arguments[2]) else { throw Misuse() }
    switch arguments[0] {
    case "increment": try await increment(try open(arguments[1]), count, arguments[3])
    case "claim": try await claim(try open(arguments[1]), count, arguments[3])
    case "measure":
      let limit = arguments.count > 4 ? Int(arguments[4]) : nil
      try await measure(try open(arguments[1], groupLimit: limit ?? 256), count, callers: Int(arguments[3]) ?? 1)
    default: throw Misuse()
    }
  }

  /// Opens the file with more patience than usual, as the machine may be busy with other tests.
  private static func open(_ path: String, groupLimit: Int = 256) throws -> SQLiteStore {
    try SQLiteStore(path: path, clock: .system, busyTimeout: .seconds(60), groupLimit: groupLimit)
  }

  private static func increment(_ store: SQLiteStore, _ count: Int, _ name: String) async throws {
    let counter = run("counter")
    tell("ready")
    var done = 0
    while done < count {
      let record = try await store.read(jobs: [], runs: [counter.id]).runs[counter.id]
      var next = try record?.run.get() ?? counter
      next.handoffs += 1
      let mark = "\(name)-\(done)"
      do throws(StoreError) {
        _ = try await store.commit([
          .putRun(next, record.map { .version($0.version) } ?? .absent), .putRun(run(mark), .absent),
        ])
        tell(mark)
        done += 1
      } catch {
        if error.code != .conflict { throw error }
      }
    }
  }

  private static func claim(_ store: SQLiteStore, _ count: Int, _ name: String) async throws {
    tell("ready")
    for number in 0..<count {
      var claimed = run("claim-\(number)")
      claimed.reason = name
      do throws(StoreError) {
        _ = try await store.commit([.putRun(claimed, .absent)])
        tell("claim-\(number)")
      } catch {
        if error.code != .conflict { throw error }
      }
    }
  }

  /// Commits claims and finishes of runs, as the runtime would.
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
    tell("\(commits) commits by \(callers) callers: \(rate) a second")
  }

  private static func run(_ name: String) -> Run {
    Run(
      id: RunID(job: "hammer", occurrence: .key(name)), job: "hammer", trigger: .manual, maxAttempts: 1,
      notBefore: .epoch, createdAt: .epoch)
  }

  private static func tell(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}

/// The arguments are not as described.
private struct Misuse: Error {}
#else
/// A process that has nothing to do without the trait SQLite.
@main
struct StoreHammer {
  static func main() {}
}
#endif
