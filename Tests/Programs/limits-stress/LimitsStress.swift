#if HTTP && SQLite && PostgreSQL
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsPostgres
import CloudJobsSQLite
import Foundation
import Logging
import Synchronization
import TestSupport

/// One of several processes that share a store and execute limited and unlimited jobs.
///
/// ```
/// limits-stress sqlite:<file> <records file>                 on a file
/// limits-stress postgres://<…> <records file>                on a server
/// limits-stress firestore:<host:port> <records file>         on an emulator
/// ```
///
/// Each attempt appends two lines to the records file: `start <job> <run> <scheduled for> <time>` and
/// `end <job> <run> - <time>`, with the wall clock's time in microseconds. Commands on standard input, one a line, are
/// each answered by one line:
///
/// ```
/// enqueue <job> <count>      enqueues runs                           done
/// unique <from> <count>      enqueues runs with the keys <from> …    new <created runs>
/// work                       starts a worker                         done
/// left <job>                                                         left <runs that have not ended>
/// pass <time>                sets the clock, and runs a master pass  done
/// ```
///
/// The end of the input drains the runtime.
@main
enum LimitsStress {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let colon = arguments[1].firstIndex(of: ":") else { throw Misuse() }
    let (kind, place) = (arguments[1][..<colon], String(arguments[1][arguments[1].index(after: colon)...]))
    let clock = SettableClock()
    let store: any JobStore
    switch kind {
    case "sqlite": store = try SQLiteStore(path: place, clock: clock, busyTimeout: .seconds(60))
    case "postgres": store = try await PostgresStore.open(arguments[1], options: postgresOptions(clock))
    default: store = .firestore(try GoogleCloud(emulator: place, project: "stress", client: CurlHTTPClient()))
    }
    let record = Record(path: arguments[2])
    var options = RuntimeOptions()
    options.clock = clock
    options.logger.logLevel = .critical
    options.housekeeping = .hours(1)
    let runtime = JobRuntime(try registry(record), store: store, authentication: .trustLoopback, options: options)
    try await runtime.prepare()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for await line in CommandLines.all() {
        let words = line.split(separator: " ").map(String.init)
        if words == ["work"] {
          var options = JobWorker.Options()
          options.pollInterval = kind == "sqlite" ? .milliseconds(100) : .milliseconds(500)
          options.concurrency = 8
          let worker = JobWorker(runtime, options: options)
          group.addTask { await worker.run() }
          CommandLines.answer("done")
        } else {
          CommandLines.answer(try await perform(words, runtime, clock))
        }
      }
      await runtime.drain()
      try await group.waitForAll()
    }
  }

  /// The jobs: two that are limited, one without limits, and one whose limits never bind; three that a pass runs, also
  /// if a minute begins while a run of the minute before executes.
  private static func registry(_ record: Record) throws -> JobRegistry {
    try JobRegistry {
      EndpointJob("limited") { context in try await record.attempt(context, .milliseconds(20)) }.maxConcurrent(3)
      EndpointJob("rated") { context in try await record.attempt(context, .zero) }
        .rate(RateLimit(20, per: .seconds(1)))
      EndpointJob("plain") { context in try await record.attempt(context, .milliseconds(200)) }
      EndpointJob("wide") { context in try await record.attempt(context, .milliseconds(200)) }
        .maxConcurrent(1_000).rate(RateLimit(1_000_000, per: .seconds(1)))
      EndpointJob("unique") { context in try await record.attempt(context, .milliseconds(5)) }
      PeriodicJob("every", every: .minutes(1)) { context in try await record.attempt(context, .zero) }
        .misfire(.catchUp(1_000)).overlap(.allow)
      PeriodicJob("second", every: .minutes(2)) { context in try await record.attempt(context, .zero) }
        .misfire(.catchUp(1_000)).overlap(.allow).maxConcurrent(1)
      PeriodicJob("hourly", every: .hours(1)) { context in try await record.attempt(context, .zero) }
        .misfire(.catchUp(1_000)).overlap(.allow).group("passes", maxConcurrent: 2).rate(RateLimit(5, per: .hours(1)))
    }
  }

  private static func perform(
    _ words: [String], _ runtime: JobRuntime, _ clock: SettableClock
  ) async throws -> String {
    switch (words.first, words.dropFirst().first, words.last.flatMap { Int64($0) }) {
    case ("enqueue"?, let job?, let count?):
      try await runtime.enqueue((0..<count).map { _ in EnqueueRequest(try JobID(job)) })
      return "done"
    case ("unique"?, let from?, let count?):
      var new = 0
      let first = Int64(from) ?? 0
      for key in first..<(first + count) {
        let uniqueness = Uniqueness("\(key)", within: .seconds(3_600), states: Set(RunStatus.allCases))
        new += try await runtime.enqueue("unique", unique: uniqueness).isNew ? 1 : 0
      }
      return "new \(new)"
    case ("left"?, let job?, _):
      let filter = RunFilter(job: try JobID(job), statuses: [.scheduled, .pending, .running])
      return "left \(try await runtime.store.runs(matching: filter, after: nil, limit: 500).records.count)"
    case ("pass"?, _, let time?):
      clock.set(Timestamp(microseconds: time))
      let summary = await runtime.runMasterPass()
      return summary.error.map { "failed \($0)" } ?? "done"
    default: throw Misuse()
    }
  }

  private static func postgresOptions(_ clock: SettableClock) -> PostgresOptions {
    var options = PostgresOptions()
    options.clock = clock
    options.requestTimeout = .seconds(60)
    return options
  }
}

/// The system's clock, until it is set to a time.
private final class SettableClock: JobClock {
  private let time = Mutex<Timestamp?>(nil)

  func set(_ time: Timestamp) { self.time.withLock { $0 = time } }

  func now() -> Timestamp { time.withLock { $0 } ?? SystemClock().now() }

  func sleep(until deadline: Timestamp) async throws {
    // A time that was set does not pass by itself: real time passes in its place.
    let span = deadline - now()
    try await SystemClock().sleep(until: SystemClock().now() + span)
  }
}

/// The file of the attempts, apart from the store.
private final class Record: Sendable {
  private let descriptor: Int32

  init(path: String) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
  }

  func attempt(_ context: JobContext, _ span: Duration) async throws {
    write("start", context, context.scheduledFor.map { "\($0.microseconds)" } ?? "-")
    if span > .zero { try await SystemClock().sleep(for: span) }
    write("end", context, "-")
  }

  private func write(_ word: String, _ context: JobContext, _ detail: String) {
    let line = "\(word) \(context.jobID) \(context.runID) \(detail) \(SystemClock().now().microseconds)\n"
    let bytes = Array(line.utf8)
    // One call appends one line as a whole.
    _ = Foundation.write(descriptor, bytes, bytes.count)
  }
}

/// Invalid arguments or commands.
private struct Misuse: Error {}
#else
/// A placeholder for builds without the traits HTTP, SQLite and PostgreSQL.
@main
enum LimitsStress {
  static func main() {}
}
#endif
