#if HTTP && Server
import CloudJobs
import CloudJobsTesting
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorServer
import CloudJobsEmulatorWire
import CloudJobsHTTP
import HTTPTypes
import Synchronization
import Testing

@testable import CloudJobsGoogle

/// The emulator's REST API in this process, with failures of chosen changing calls.
final class EmulatedServices: HTTPExchange {
  private let api = EmulatorAPI(LiveEmulator(state: EmulatorState()) { _ in .timedOut }) { EmulatorState() }
  private let counts = Mutex((changes: 0, failing: Int?.none))

  /// The changing calls so far.
  var changes: Int { counts.withLock { $0.changes } }

  /// The number, from 1, of the changing call that fails; nil for none.
  func fail(at number: Int?) { counts.withLock { $0 = (0, number) } }

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    if request.method != .get {
      let isFailing = counts.withLock { counts in
        counts.changes += 1
        return counts.changes == counts.failing
      }
      if isFailing { return HTTPExchangeResponse(status: 403) }
    }
    let target = request.url.split(separator: "/", maxSplits: 3)[2...].joined(separator: "/")
    let answer = await api.respond(
      to: RESTRequest(method: request.method.rawValue, target: "/\(target)", body: request.body))
    return HTTPExchangeResponse(status: answer.status, body: answer.body.encoded)
  }

  func call(_ method: String, _ target: String, _ body: JSONValue? = nil) async -> JSONValue {
    await api.respond(to: RESTRequest(method: method, target: target, body: body?.encoded ?? [])).body
  }
}

@Suite("Sync with the emulator")
struct CloudSyncTests {
  private typealias Sample = SyncSample
  private let services = EmulatedServices()
  private var sync: CloudSync { CloudSync(Sample.configuration, in: .at(services)) }
  private static let report = "\(Sample.parent)/jobs/cloud-jobs-report"
  private static let definitions = [
    Sample.scheduled("report", "0 2 * * *"), Sample.scheduled("other", "0 3 * * *"),
    JobDefinition(id: "pass", kind: .periodic, schedule: .every(.seconds(5))),
  ]

  @Test("After a sync the next plan finds nothing to do, and makes no changing call")
  func idempotent() async throws {
    let documents = Sample.documents(Self.definitions, ["other": ["enabled": false]])
    let plan = try await sync.sync(documents)
    #expect(plan.changes.allSatisfy { $0.action == .create } && plan.changes.count == 4)
    let calls = services.changes
    #expect(try await sync.sync(documents).isEmpty)
    #expect(services.changes == calls)
    #expect(await services.call("GET", "/v1/\(Sample.parent)/jobs/cloud-jobs-other")["state"] == "PAUSED")
  }

  @Test("An edited cron expression is synchronized; disabling pauses, enabling resumes")
  func edits() async throws {
    try await sync.sync(Sample.documents(Self.definitions))
    for (fields, schedule, state) in [
      (["cron": "15 4 * * 1"], "15 4 * * 1", "ENABLED"), (["enabled": false], "0 2 * * *", "PAUSED"),
      (["enabled": false, "cron": "@hourly"], "0 * * * *", "PAUSED"), ([:], "0 2 * * *", "ENABLED"),
    ] as [(JSONValue, JSONValue, JSONValue)] {
      try await sync.sync(Sample.documents(Self.definitions, ["report": fields]))
      let job = await services.call("GET", "/v1/\(Self.report)")
      #expect(job["schedule"] == schedule && job["state"] == state)
    }
  }

  @Test("Queues and jobs of others stay unchanged; a job that was removed from the registry is deleted")
  func ownership() async throws {
    let target: JSONValue = ["uri": "https://elsewhere.example/"]
    _ = await services.call(
      "POST", "/v1/\(Sample.parent)/jobs",
      ["name": .string("\(Sample.parent)/jobs/foreign"), "schedule": "1 1 * * *", "httpTarget": target])
    _ = await services.call("POST", "/v2/\(Sample.parent)/queues", ["name": .string("\(Sample.parent)/queues/foreign")])
    let before = [
      await services.call("GET", "/v1/\(Sample.parent)/jobs/foreign"),
      await services.call("GET", "/v2/\(Sample.parent)/queues/foreign"),
    ]
    #expect(before.allSatisfy { $0["name"] != nil })
    try await sync.sync(Sample.documents(Self.definitions))
    let plan = try await sync.sync(Sample.documents([Self.definitions[1]]))
    #expect(plan.changes.filter { $0.action == .delete }.map(\.name) == [Self.report])
    #expect(await services.call("GET", "/v1/\(Self.report)")["error"]?["code"] == 404)
    let after = [
      await services.call("GET", "/v1/\(Sample.parent)/jobs/foreign"),
      await services.call("GET", "/v2/\(Sample.parent)/queues/foreign"),
    ]
    #expect(before == after)
  }

  @Test("A failed call ends the sync with its name; the next sync completes", arguments: 1...5)
  func failure(number: Int) async throws {
    let documents = Sample.documents(Self.definitions, ["other": ["enabled": false]])
    services.fail(at: number)
    let error = await #expect(throws: JobError.self) { try await sync.sync(documents) }
    #expect(error?.code == .queueUnavailable && error?.message.contains("Sync failed at") == true)
    services.fail(at: nil)
    try await sync.sync(documents)
    #expect(try await sync.plan(documents).isEmpty)
  }

  @Test("The housekeeping of the master pass synchronizes an edited document with Cloud Scheduler")
  func housekeeping() async throws {
    let clock = VirtualClock(start: Timestamp(seconds: 1_795_000_200), sleep: .moves)
    let store = MemoryStore(clock: clock)
    let registry = try JobRegistry { ScheduledJob("report", cron: "0 2 * * *") { _ in .done } }
    try await sync.sync(registry, store: store)
    var options = RuntimeOptions()
    options.clock = clock
    options.housekeeping = .minutes(1)
    let sync = sync
    options.onHousekeeping = { documents throws(JobError) in try await sync.sync(documents) }
    let runtime = try await JobRuntime.prepared(
      registry, store: store, queue: StoreQueue(), authentication: .trustLoopback, options: options)
    var configuration = JobConfiguration()
    configuration.cron = "45 6 * * *"
    _ = try await store.commit([.putConfiguration("report", configuration, .none)])
    #expect(await runtime.runMasterPass().error == nil)
    #expect(await services.call("GET", "/v1/\(Self.report)")["schedule"] == "45 6 * * *")
    services.fail(at: 1)
    configuration.cron = "0 7 * * *"
    _ = try await store.commit([.putConfiguration("report", configuration, .none)])
    #expect(await runtime.runMasterPass().error == nil)
    #expect(await services.call("GET", "/v1/\(Self.report)")["schedule"] == "45 6 * * *")
    #expect(await runtime.runMasterPass().error == nil)
    #expect(await services.call("GET", "/v1/\(Self.report)")["schedule"] == "0 7 * * *")
  }
}
#endif
