#if PostgreSQL
import CloudJobs
import CloudJobsCore
@testable import CloudJobsPostgres
import Synchronization
import Testing

@Suite("The I/O thread of PostgreSQL", .enabled(if: PostgresServer.isInstalled, PostgresServer.remedy))
struct PostgresDriverTests {
  private func client(
    _ server: PostgresServer, connections: Int = 3, timeout: Duration = .seconds(10), maxWaiting: Int = 10_000
  ) throws -> PostgresClient {
    var options = PostgresOptions()
    (options.connections, options.requestTimeout, options.maxWaiting) = (connections, timeout, maxWaiting)
    return PostgresClient(try options.clientOptions(server.connection, try SchemaName("driver")))
  }

  /// Returns a client with a short time limit, once it is connected.
  private func impatientClient() async throws -> PostgresClient {
    let client = try client(PostgresServer.shared.get(), timeout: .seconds(2))
    while number(await client.perform([echo(1)])) != 1 {}
    return client
  }

  private func number(_ result: Result<Response, RequestFailure>) -> Int64? {
    (try? result.get())?.results.last?.int64(0, 0)
  }

  private func echo(_ number: Int64) -> Statement { Statement("SELECT $1::int8") { $0.append(number) } }

  @Test("1000 requests at once get their own answers")
  func order() async throws {
    let client = try client(PostgresServer.shared.get(), connections: 3)
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<1_000 {
        group.addTask {
          let result = await client.perform([echo(Int64(number)), echo(Int64(-number)), echo(Int64(number))])
          return (try? result.get())?.results.map { $0.int64(0, 0) } == [1, -1, 1].map { $0 * Int64(number) }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
    await client.close()
  }

  @Test("An error fails its request as a whole, and none beside it")
  func errors() async throws {
    let client = try client(PostgresServer.shared.get())
    _ = await client.perform([Statement(callers: "CREATE TABLE IF NOT EXISTS public.driver_errors (a int8)", [])])
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<300 {
        group.addTask {
          let insert = Statement("INSERT INTO public.driver_errors VALUES ($1)") { $0.append(Int64(number)) }
          if number.isMultiple(of: 3) {
            // A statement that is first prepared behind the failure must still work in the next request.
            let result = await client.perform([insert, Statement("SELECT 1 / 0"), echo(1)])
            guard case .failure(.server(let error)) = result else { return unexpected("\(result)") }
            #expect(error.sqlState == "22012")
          } else {
            let result = await client.perform([insert, echo(Int64(number))])
            #expect(number == Int(self.number(result) ?? -1))
          }
        }
      }
    }
    let count = await client.perform([Statement("SELECT count(*) FROM public.driver_errors")])
    #expect(number(count) == 200)
    _ = await client.perform([Statement(callers: "DROP TABLE public.driver_errors", [])])
    await client.close()
  }

  @Test("Values of all types come back as they were")
  func values() async throws {
    let client = try client(PostgresServer.shared.get())
    let texts: [String?] = ["", "é 🚀 \\ \" { } , NULL", nil, "NULL"]
    let bytes: [[UInt8]?] = [[], [0, 1, 255], nil, Array(repeating: 7, count: 100_000)]
    let numbers: [Int64?] = [.min, 0, nil, .max]
    let statement = Statement("SELECT * FROM unnest($1::text[], $2::bytea[], $3::int8[])") {
      $0.append(texts)
      $0.append(bytes)
      $0.append(numbers)
    }
    let rows = try await client.perform([statement]).get().results[0]
    #expect((0..<4).map { rows.text($0, 0) } == texts)
    #expect((0..<4).map { rows.bytes($0, 1) } == bytes)
    #expect((0..<4).map { rows.int64($0, 2) } == numbers)
    let empty = Statement("SELECT cardinality($1::text[])::int8, $2::text IS NULL, $3::bytea") {
      $0.append([String?]())
      $0.append(nil as String?)
      $0.append([] as [UInt8]?)
    }
    let row = try await client.perform([empty]).get().results[0]
    #expect(row.int64(0, 0) == 0 && row.bool(0, 1) == true && row.bytes(0, 2) == [])
    await client.close()
  }

  @Test("A terminated connection fails what was under way on it, and is replaced")
  func terminated() async throws {
    let client = try client(PostgresServer.shared.get(), connections: 3)
    #expect(number(await client.perform([echo(1)])) == 1)
    let result = await client.perform([Statement("SELECT pg_terminate_backend(pg_backend_pid())"), echo(1)])
    guard case .failure(let failure) = result else { return unexpected("\(result)") }
    #expect(StoreError(failure, mayCommit: true).code == .unknownOutcome)
    for number in 0..<20 { #expect(self.number(await client.perform([echo(Int64(number))])) == Int64(number)) }
    await client.close()
  }

  @Test("A statement that takes too long is cancelled, and changes nothing")
  func statementTimeout() async throws {
    let client = try await impatientClient()
    let result = await client.perform([Statement("SELECT pg_sleep(30)")])
    guard case .failure(.server(let error)) = result else { return unexpected("\(result)") }
    #expect(error.sqlState == "57014")
    #expect(number(await client.perform([echo(1)])) == 1)
    await client.close()
  }

  @Test("A server that does not answer costs the time limit, and what was sent is unknown")
  func hang() async throws {
    let client = try await impatientClient()
    // The server's own limit is off, as if the server had stopped.
    let statements = [Statement("SET LOCAL statement_timeout = 0"), Statement("SELECT pg_sleep(10)")]
    let result = await client.perform(statements)
    guard case .failure(.lost) = result else { return unexpected("\(result)") }
    while number(await client.perform([echo(1)])) != 1 {}
    await client.close()
  }

  @Test("A full queue refuses further requests at once")
  func fullQueue() async throws {
    let client = try client(PostgresServer.shared.get(), connections: 3, maxWaiting: 5)
    let refused = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<100 {
        group.addTask {
          if case .failure(.queueFull(limit: 5)) = await client.perform([echo(1)]) { 1 } else { 0 }
        }
      }
      return await group.reduce(0, +)
    }
    // Those that come before the first connection is made wait; the others are refused.
    #expect(refused > 0 && refused <= 95)
    #expect(number(await client.perform([echo(1)])) == 1)
    await client.close()
  }

  @Test("A reserved connection belongs to its owner, and others go on beside it")
  func reservation() async throws {
    let client = try client(PostgresServer.shared.get(), connections: 3)
    let lease = try await client.reserve().get()
    let begun = try await client.perform([Statement("BEGIN")], on: lease).get()
    #expect(begun.isInTransaction)
    let backend = Statement("SELECT pg_backend_pid()::int8")
    let own = number(await client.perform([backend], on: lease))
    for _ in 0..<10 { #expect(number(await client.perform([backend])) != own) }
    #expect(number(await client.perform([backend], on: lease)) == own)
    client.release(lease, isClean: false)
    guard case .failure(.lost) = await client.perform([backend], on: lease) else {
      return unexpected("The lease has ended.")
    }
    await client.close()
  }

  @Test("A closed client refuses requests, and closing twice is harmless")
  func closing() async throws {
    let client = try client(PostgresServer.shared.get())
    #expect(number(await client.perform([echo(1)])) == 1)
    await client.close()
    await client.close()
    guard case .failure(.closed) = await client.perform([echo(1)]) else { return unexpected("It is closed.") }
    guard case .failure(.closed) = await client.reserve() else { return unexpected("It is closed.") }
  }

  @Test(
    "A server that is killed and started again is used again; nothing that was confirmed is lost",
    .timeLimit(.minutes(2)))
  func restart() async throws {
    let server = try PostgresServer(settings: ["fsync=on"])
    let database = server.database()
    let store = try await database.open { $0.connections = 3 }
    let confirmed = Shared<[RunID]>([])
    let unknown = Shared(0)
    let isOver = Shared(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          var number = 0
          while !isOver.withLock({ $0 }) {
            number += 1
            let run = sampleRun("task \(task) run \(number)")
            do throws(StoreError) {
              _ = try await store.commit([.putRun(run, .absent)])
              confirmed.withLock { $0.append(run.id) }
            } catch {
              #expect(error.code == .unavailable || error.code == .unknownOutcome, "\(error)")
              if error.code == .unknownOutcome { unknown.withLock { $0 += 1 } }
              try await SystemClock.system.sleep(for: .milliseconds(20))
            }
          }
        }
      }
      for _ in 0..<2 {
        while confirmed.withLock({ $0.count }) < 200 { try await SystemClock.system.sleep(for: .milliseconds(10)) }
        try server.stop("immediate")
        try await SystemClock.system.sleep(for: .milliseconds(200))
        try server.start(["fsync=on"])
        let count = confirmed.withLock { $0.count }
        while confirmed.withLock({ $0.count }) < count + 100 {
          try await SystemClock.system.sleep(for: .milliseconds(10))
        }
      }
      isOver.withLock { $0 = true }
      try await group.waitForAll()
    }
    let ids = confirmed.withLock { $0 }
    for start in stride(from: 0, to: ids.count, by: 500) {
      let part = Array(ids[start..<min(start + 500, ids.count)])
      #expect(try await store.read(jobs: [], runs: part).runs.count == part.count)
    }
    let stored = try database.number("SELECT count(*) FROM runs")
    #expect((ids.count...ids.count + unknown.withLock { $0 }).contains(stored))
    await store.close()
    try server.remove()
  }
}

/// A value that the tasks of a test change.
final class Shared<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  init(_ value: Value) {
    state = Mutex(value)
  }

  func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    state.withLock { value in body(&value) }
  }
}

/// Records an answer that a test did not expect.
func unexpected(_ answer: String) { Issue.record("unexpected: \(answer)") }

/// Returns a run that waits.
func sampleRun(_ name: String, job: JobID = "sample", wakeAt: Timestamp? = nil) -> Run {
  let time = Timestamp(seconds: 1_767_225_600)
  var run = Run(
    id: RunID(job: job, occurrence: .key(name)), job: job, trigger: .task, maxAttempts: 3, notBefore: time,
    createdAt: time)
  run.wakeAt = wakeAt
  return run
}
#endif
