#if SQLite && PostgreSQL && Server
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsPostgres
import CloudJobsSQLite
import CloudJobsServer
import Foundation
import GRDB
import Logging
import ServiceLifecycle
import TestSupport
import UnixSignals

/// A worker that shares a store with others and may be killed, stopped or cut off at any moment.
///
/// Its jobs record what they do through the fence of their run, in tables of the test's own in the store's database,
/// which have no unique constraint, so that what happens twice shows:
///
/// ```sql
/// CREATE TABLE effects (number bigint, attempt bigint, process bigint, enqueued bigint, started bigint);
/// CREATE TABLE attempts (number bigint, attempt bigint, process bigint, time bigint);
/// CREATE TABLE ticks (scheduled bigint, process bigint);
/// ```
///
/// Times are microseconds of the system's clock. Commands on standard input, one a line, are each answered by one line:
///
/// ```
/// work                       starts the worker                                    done
/// enqueue <from> <count>     enqueues `effect` with the numbers <from> …          done
/// hold <from> <count>        the same for `hold`                                  done
/// load <from> <rate> <s>     the same as `enqueue`, one by one at a rate          loaded <count> <slowest in ms>
/// schedule <schedule>        sets the schedule of `tick` in its document          done
/// left                       counts the runs that have not ended, up to 500       left <count>
/// stop                       shuts down                                           done
/// ```
///
/// A failure is answered by `failed` and the error. SIGTERM, SIGINT, `stop` and the end of the input shut down.
@main
struct WorkerStress: AsyncParsableCommand {
  @Option(help: "sqlite:FILE or postgres://…")
  var store: String

  @Option(help: "The seconds by which the clock of the runtime differs from the system's.")
  var clockOffset = 0

  @Option(help: "The longest time between two polls of the store, in milliseconds.")
  var poll = 1_000

  @Option(help: "The interval of the job tick, in seconds.")
  var tick = 1

  @Option(help: "The retention of runs that have ended, in seconds; their purge is as frequent.")
  var retention = 86_400

  func run() async {
    do {
      try await serve(Database(store))
    } catch {
      JobServer.exit(with: error)
    }
  }

  private func serve(_ database: Database) async throws {
    let runtime = try runtime(on: database)
    try await runtime.prepare()
    var worker = JobWorker.Options()
    worker.pollInterval = .milliseconds(poll)
    worker.concurrency = 16
    worker.reconcileInterval = .seconds(1)
    let start = Latch()
    let commands = Commands(runtime: runtime, start: start)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: Worker(base: JobRuntimeService(runtime, worker: worker), start: start)),
          .init(service: commands, successTerminationBehavior: .gracefullyShutdownGroup),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: runtime.options.logger))
    try await group.run()
  }

  private func runtime(on database: Database) throws -> JobRuntime {
    var options = RuntimeOptions()
    options.logger.logLevel = .error
    options.leaseMargin = .seconds(1)
    options.runLogLevel = nil
    options.housekeeping = .seconds(min(300, retention))
    if clockOffset != 0 { options.clock = ShiftedClock(offset: .seconds(clockOffset)) }
    let registry = try JobRegistry {
      configured(EndpointJob(Effect.self) { effect, context in try await database.perform(effect, context) })
      configured(EndpointJob(Hold.self) { hold, context in try await database.perform(hold, context) })
      configured(
        PeriodicJob("tick", every: .seconds(tick)) { context in try await database.tick(context) }
          .misfire(.catchUp(1_000)).overlap(.allow))
    }
    return JobRuntime(registry, store: database.store, authentication: .trustLoopback, options: options)
  }

  /// A killed worker's runs come back after the time limit and the margin of the lease: 3 seconds.
  private func configured<Job: ConfigurableJob>(_ job: Job) -> Job {
    job.timeout(.seconds(2)).retry(RetryPolicy(maxAttempts: 50, backoff: .fixed(.milliseconds(200))))
      .retention(.seconds(retention))
  }
}

/// A run whose effect takes place once; some fail in their first attempt, before the effect or after it.
private struct Effect: JobInput {
  static let jobID: JobID = "effect"
  var number: Int
  /// The time of the call.
  var at: Int64
}

/// A run whose first attempt waits for a second before its effect.
private struct Hold: JobInput {
  static let jobID: JobID = "hold"
  var number: Int
}

/// The store, and the tables of the test in its database.
private enum Database: Sendable {
  case sqlite(SQLiteStore)
  case postgres(PostgresStore)

  init(_ place: String) async throws {
    if place.hasPrefix("sqlite:") {
      self = .sqlite(
        try SQLiteStore(path: String(place.dropFirst("sqlite:".count)), clock: .system, busyTimeout: .seconds(30)))
    } else {
      self = .postgres(try await PostgresStore.open(place))
    }
  }

  var store: any JobStore {
    switch self {
    case .sqlite(let store): store
    case .postgres(let store): store
    }
  }

  func perform(_ effect: Effect, _ context: JobContext) async throws {
    let started = SystemClock().now().microseconds
    // Some are slow enough that a crash rarely finds none of them under way.
    try await SystemClock().sleep(for: .milliseconds(.random(in: 0...(effect.number % 4 == 0 ? 150 : 5))))
    let isFirst = context.attempt == 1
    if isFirst, effect.number % 10 == 7 { throw JobFailure.failed("It fails before the effect.") }
    try await insert(
      "effects", [Int64(effect.number), Int64(context.attempt), Int64(getpid()), effect.at, started], context)
    if isFirst, effect.number % 10 == 3 { throw JobFailure.failed("It fails after the effect.") }
  }

  func perform(_ hold: Hold, _ context: JobContext) async throws {
    let started = SystemClock().now().microseconds
    let row = [Int64(hold.number), Int64(context.attempt), Int64(getpid())]
    // Apart from the effect, so that an attempt that dies shows.
    try await insert("attempts", row + [started])
    if context.attempt == 1 { try await SystemClock().sleep(for: .seconds(1)) }
    try await insert("effects", row + [0, started], context)
  }

  func tick(_ context: JobContext) async throws {
    try await insert("ticks", [context.scheduledFor?.microseconds ?? 0, Int64(getpid())], context)
  }

  /// Inserts a row, through the fence of a run if there is one.
  private func insert(_ table: String, _ row: [Int64], _ context: JobContext? = nil) async throws {
    switch self {
    case .sqlite(let store):
      let sql = "INSERT INTO \(table) VALUES (\(row.map { _ in "?" }.joined(separator: ", ")))"
      let body: @Sendable (GRDB.Database) throws -> Void = { database in
        try database.execute(sql: sql, arguments: StatementArguments(row))
      }
      if let context { try await store.perform(effect: table, for: context, body) } else { try await store.write(body) }
    case .postgres(let store):
      let sql = "INSERT INTO \(table) VALUES (\(row.indices.map { "$\($0 + 1)" }.joined(separator: ", ")))"
      let body: @Sendable (PostgresTransaction) async throws -> Void = { transaction in
        try await transaction.query(sql, row.map { PostgresValue($0) })
      }
      if let context { try await store.perform(effect: table, for: context, body) } else { try await store.write(body) }
    }
  }
}

/// The service of the worker, which waits for a command to start.
private struct Worker: Service {
  var base: JobRuntimeService
  var start: Latch

  func run() async throws {
    await withGracefulShutdownHandler {
      await start.wait()
    } onGracefulShutdown: {
      start.open()
    }
    try await base.run()
  }
}

/// The service that executes the commands.
private struct Commands: Service {
  var runtime: JobRuntime
  var start: Latch

  func run() async throws {
    for await line in CommandLines.all().cancelOnGracefulShutdown() {
      do {
        CommandLines.answer(try await perform(line.split(separator: " ").map(String.init)))
      } catch {
        CommandLines.answer("failed \(error)")
      }
      if line == "stop" { return }
    }
  }

  private func perform(_ words: [String]) async throws -> String {
    let numbers = words.dropFirst().compactMap { Int($0) }
    switch (words.first, numbers.count) {
    case ("work"?, 0): start.open()
    case ("stop"?, 0): break
    case ("enqueue"?, 2): try await enqueue(numbers[0]..<(numbers[0] + numbers[1])) { .effect($0) }
    case ("hold"?, 2): try await enqueue(numbers[0]..<(numbers[0] + numbers[1])) { .hold($0) }
    case ("load"?, 3): return try await load(from: numbers[0], rate: numbers[1], seconds: numbers[2])
    case ("schedule"?, _): try await runtime.setSchedule(words.dropFirst().joined(separator: " "), for: "tick")
    case ("left"?, 0):
      let filter = RunFilter(statuses: [.scheduled, .pending, .running])
      return "left \(try await runtime.store.runs(matching: filter, after: nil, limit: 500).records.count)"
    default: throw Misuse()
    }
    return "done"
  }

  private func enqueue(_ numbers: Range<Int>, _ request: (Int) -> EnqueueRequest) async throws {
    for first in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 100) {
      try await enqueue((first..<min(first + 100, numbers.upperBound)).map(request))
    }
  }

  /// Enqueues until it succeeds: by their keys, what was enqueued already is not enqueued again.
  private func enqueue(_ requests: [EnqueueRequest]) async throws {
    while true {
      do {
        try await runtime.enqueue(requests)
        return
      } catch  where error.code == .storeUnavailable {
        try await SystemClock().sleep(for: .milliseconds(100))
      }
    }
  }

  private func load(from first: Int, rate: Int, seconds: Int) async throws -> String {
    let (clock, count) = (ContinuousClock(), rate * seconds)
    let start = clock.now
    let slowest = try await withThrowingTaskGroup(of: Duration.self) { group in
      var slowest = Duration.zero
      for number in 0..<count {
        try await Task.sleep(until: start + .nanoseconds(1_000_000_000 / rate) * number, clock: clock)
        if number >= 500, let span = try await group.next() { slowest = max(slowest, span) }
        group.addTask {
          let begin = clock.now
          try await enqueue([.effect(first + number)])
          return clock.now - begin
        }
      }
      for try await span in group { slowest = max(slowest, span) }
      return slowest
    }
    return "loaded \(count) \(slowest / .milliseconds(1))"
  }
}

extension EnqueueRequest {
  fileprivate static func effect(_ number: Int) -> EnqueueRequest {
    EnqueueRequest(Effect(number: number, at: SystemClock().now().microseconds), key: "\(number)")
  }

  fileprivate static func hold(_ number: Int) -> EnqueueRequest {
    EnqueueRequest(Hold(number: number), key: "\(number)")
  }
}

/// A clock that differs from the system's.
private struct ShiftedClock: JobClock {
  var offset: Duration

  func now() -> Timestamp { SystemClock().now() + offset }

  func sleep(until deadline: Timestamp) async throws {
    try await SystemClock().sleep(until: deadline - offset)
  }
}

/// An invalid command.
private struct Misuse: Error {}
#else
/// A placeholder for builds without the traits SQLite, PostgreSQL and Server.
@main
enum WorkerStress {
  static func main() {}
}
#endif
