#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import CloudJobsTesting
import Synchronization
import Testing

@testable import CloudJobsGoogle

@Suite("Delays beyond what Cloud Tasks takes")
struct StagingTests {
  @Test("A run in 100 days goes there in stages, executes once, and no stage counts as an attempt")
  func stages() async throws {
    let clock = SettableClock(Timestamp(seconds: 1_795_000_000))
    let start = clock.now()
    let exchange = ScriptedExchange { _ in HTTPClientResponse(status: 200) }
    let configuration = CloudTasksConfiguration(
      project: "p", location: "l", queue: "q", handler: "https://s/jobs")
    let executed = Mutex<[Timestamp]>([])
    var options = RuntimeOptions()
    options.clock = StandingClock(time: clock)
    let runtime = try await JobRuntime(
      try JobRegistry {
        EndpointJob("job") { _ in
          executed.withLock { $0.append(clock.now()) }
          return .done
        }
      }, store: MemoryStore(clock: clock), queue: CloudTasksQueue(configuration, in: .at(exchange, clock)),
      authentication: .trustLoopback, options: options)
    let id = try await runtime.enqueue(in: .days(100), "job").id
    var delivered = 0
    while delivered < exchange.all.count {
      let task = try #require(try JSONValue(parsing: exchange.all[delivered].body)["task"])
      let time = try #require(task["scheduleTime"]?.string.flatMap { Timestamp(rfc3339: $0) })
      #expect(time - clock.now() <= .hours(720))
      try await clock.sleep(until: time)
      let body = try #require(task["httpRequest"]?["body"]?.string.flatMap { Base64.decode($0) })
      #expect(await runtime.handleRequest(body: body, peer: .inProcess).status == 200)
      delivered += 1
    }
    #expect(delivered == 4)
    #expect(executed.withLock { $0 } == [start + .days(100)])
    let run = try #require(try await runtime.store.read(jobs: [], runs: [id]).runs[id]).run.get()
    #expect((run.status, run.attempt, run.failures, run.handoffs) == (.succeeded, 1, 0, 0))
    let names = try exchange.all.map { try JSONValue(parsing: $0.body)["task"]?["name"]?.string }
    #expect(Set(names).count == 4)
  }
}
#endif
