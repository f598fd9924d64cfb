#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Synchronization
import Testing

@testable import CloudJobsGoogle

@Suite("A collection written by the Dart runtime")
struct DartCollectionTests {
  private let clock = VirtualClock(start: Self.time("10:02:00"), sleep: .skips(upTo: .seconds(5)))
  private let service: EmulatedFirestore
  private let ran = Runs()

  init() {
    service = EmulatedFirestore(clock: clock)
  }

  private static func time(_ text: String) -> Timestamp {
    Timestamp(rfc3339: "2025-11-21T\(text)Z") ?? .epoch
  }

  /// The documents of served jobs, by id; 10:00 was missed while no service ran.
  private static let served: [String: JSONValue] = [
    "typed": [
      "type": ["stringValue": "periodic"], "enabled": ["booleanValue": true], "interval": ["doubleValue": 300],
      "startAt": ["timestampValue": "2025-01-01T00:00:00Z"], "createdBy": ["stringValue": "console"],
      "place": ["geoPointValue": ["latitude": 52.5, "longitude": 13.4]], "blob": ["bytesValue": "AAEC"],
      "history": ["arrayValue": ["values": [["timestampValue": "2025-11-01T00:00:00Z"], ["nullValue": nil]]]],
      "state": state([
        "nextRun": ["timestampValue": "2025-11-21T10:00:00Z"], "lastRun": ["timestampValue": "2025-11-21T09:55:00Z"],
        "status": ["stringValue": "success"], "retries": ["integerValue": "0"],
        "shard": ["mapValue": ["fields": ["at": ["timestampValue": "2025-11-21T09:00:00Z"]]]],
      ]),
    ],
    "text": [
      "enabled": ["booleanValue": true], "interval": ["doubleValue": 300], "priority": ["doubleValue": 5],
      "startAt": ["stringValue": "2025-01-01T00:00:00.000"], "endAt": ["stringValue": "2026-12-31T23:59:59.000Z"],
      "state": state([
        "nextRun": ["stringValue": "2025-11-21T10:00:00.000"], "lastRun": ["stringValue": "2025-11-21T09:55:00.000"],
        "note": ["stringValue": "2025-11-21T09:55:00.000Z"],
      ]),
    ],
    "offset": [
      "enabled": ["booleanValue": true], "interval": ["integerValue": "300"],
      "state": state(["nextRun": ["stringValue": "2025-11-21T11:00:00+01:00"]]),
    ],
    "millis": [
      "enabled": ["booleanValue": true], "interval": ["doubleValue": 300],
      "startAt": ["integerValue": "1735689600000"],
      "skipDates": ["arrayValue": ["values": [["integerValue": "1766534400000"], ["stringValue": "2025-12-25"]]]],
      "state": state(["nextRun": ["integerValue": "1763719200000"], "epoch": ["doubleValue": 41.0]]),
    ],
    "float": [
      "enabled": ["booleanValue": true], "interval": ["doubleValue": 300],
      "state": state(["nextRun": ["doubleValue": 1_763_719_200_000.0]]),
    ],
    "nulls": [
      "enabled": ["booleanValue": true], "interval": ["doubleValue": 300], "cron": ["nullValue": nil],
      "startAt": ["nullValue": nil], "skipDates": ["nullValue": nil],
      "state": state(["nextRun": ["nullValue": nil], "lastRun": ["nullValue": nil], "status": ["nullValue": nil]]),
    ],
    "stateless": ["enabled": ["booleanValue": true], "interval": ["doubleValue": 300]],
  ]

  /// Documents with an unreadable part, by id.
  private static let malformed: [String: JSONValue] = [
    "badInterval": [
      "interval": ["stringValue": "often"], "state": state(["nextRun": ["timestampValue": "2025-11-21T10:00:00Z"]]),
    ],
    "badCron": ["cron": ["integerValue": "7"], "state": state(["nextRun": ["stringValue": "2025-11-21T10:00:00Z"]])],
    "badState": [
      "legacy": ["booleanValue": true],
      "state": state(["nextRun": ["integerValue": "1763719200000"], "epoch": ["stringValue": "many"]]),
    ],
  ]

  private static let disabled: JSONValue = [
    "enabled": ["booleanValue": false], "interval": ["doubleValue": 300],
    "state": state(["nextRun": ["stringValue": "2025-11-21T10:00:00Z"]]),
  ]

  /// A document of a job that only another service has.
  private static let foreign: JSONValue = [
    "enabled": ["booleanValue": true], "state": state(["nextRun": ["stringValue": "2025-11-21T10:00:00Z"]]),
  ]

  private static let all = served.merging(malformed) { $1 }
    .merging(["disabled": disabled, "foreign": foreign]) { $1 }

  private static func state(_ fields: JSONValue) -> JSONValue { ["mapValue": ["fields": fields]] }

  @Test("Each job runs once for each of its times from the first pass on, and nothing is lost or written needlessly")
  func loads() async throws {
    try await seed(Self.all)
    let runtime = try await runtime()
    let first = await runtime.runMasterPass()
    #expect((first.error, first.isComplete) == (nil, true))
    let overdue = ["float", "millis", "offset", "text", "typed"]
    #expect(ran.all == Dictionary(uniqueKeysWithValues: overdue.map { ($0, [Self.time("10:00:00")]) }))
    for _ in 3...10 {
      clock.advance(by: .minutes(1))
      #expect(await runtime.runMasterPass().error == nil)
    }
    let later = ["10:05:00", "10:10:00"].map(Self.time)
    for id in Self.served.keys {
      #expect(ran.all[id] == (overdue.contains(id) ? [Self.time("10:00:00")] : []) + later, "\(id)")
    }
    #expect(Set(ran.all.keys) == Set(Self.served.keys))

    let left = try await documents(Self.all.keys.sorted())
    for (id, before) in Self.all {
      let after = try #require(left[id])
      #expect(Self.foreignParts(after) == Self.foreignParts(before), "\(id)")
    }
    for id in Self.served.keys {
      let next = left[id]?["state"]?["mapValue"]?["fields"]?["nextRun"]
      #expect(next == ["timestampValue": "2025-11-21T10:15:00Z"], "\(id)")
    }
    for (id, field) in [("badInterval", "interval"), ("badCron", "cron"), ("badState", "state.epoch")] {
      let state = left[id]?["state"]?["mapValue"]?["fields"]
      #expect(state?["quarantine"]?["stringValue"]?.string?.contains(field) == true, "\(id)")
      #expect(state?["nextRun"] == nil, "\(id)")
    }
    #expect(left["foreign"] == Self.foreign)
  }

  @Test("Idle passes, with and without housekeeping, and a second start write nothing")
  func idle() async throws {
    try await seed(Self.all)
    let runtime = try await runtime()
    while clock.now() < Self.time("10:10:00") {
      _ = await runtime.runMasterPass()
      clock.advance(by: .minutes(1))
    }
    _ = await runtime.runMasterPass()
    let writes = service.usage.writes
    _ = await runtime.runMasterPass()
    #expect(service.usage.writes == writes)
    _ = try await self.runtime()
    #expect(service.usage.writes == writes)
    clock.advance(by: .minutes(1))
    let reads = service.usage.reads
    #expect(await runtime.runMasterPass().due == 0)
    #expect((service.usage.reads - reads, service.usage.writes - writes) == (1, 0))
  }

  @Test("A time written as text while the service runs is served after the next housekeeping")
  func laterText() async throws {
    try await seed(["typed": ["interval": ["integerValue": "3600"]]])
    let runtime = try await runtime()
    try await seed([
      "typed": [
        "interval": ["integerValue": "300"], "state": Self.state(["nextRun": ["stringValue": "2025-11-21T10:00:00Z"]]),
      ]
    ])
    for _ in 3...6 {
      clock.advance(by: .minutes(1))
      _ = await runtime.runMasterPass()
    }
    #expect(ran.all["typed"] == [Self.time("10:05:00")])
  }

  /// Writes documents as any client of the REST API does.
  private func seed(_ documents: [String: JSONValue]) async throws {
    let writes = documents.map { (id, fields) -> JSONValue in
      ["update": ["name": .string(EmulatedFirestore.configuration.name("jobs", id)), "fields": fields]]
    }
    _ = try await call("commit", ["writes": .array(writes)])
  }

  /// Returns the fields of stored documents as typed values, by id.
  private func documents(_ ids: [String]) async throws -> [String: JSONValue] {
    let names = ids.map { JSONValue.string(EmulatedFirestore.configuration.name("jobs", $0)) }
    var found = [String: JSONValue]()
    for element in try await call("batchGet", ["documents": .array(names)]).array ?? [] {
      guard let name = element["found"]?["name"]?.string, let id = name.split(separator: "/").last else { continue }
      found[String(id)] = element["found"]?["fields"]
    }
    return found
  }

  private func call(_ method: String, _ body: JSONValue) async throws -> JSONValue {
    let request = HTTPExchangeRequest(
      method: .post, url: "http://host:1\(EmulatedFirestore.configuration.path(method))", body: body.encoded)
    let response = try await service.send(request)
    try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    return try JSONValue(parsing: response.body)
  }

  /// Returns a document without the state members that the runtime maintains.
  private static func foreignParts(_ fields: JSONValue) -> [String: JSONValue] {
    var members = fields.object ?? [:]
    let own = [
      "lastRun", "nextRun", "status", "retries", "epoch", "lastRunId", "lastDuration", "consecutiveFailures",
      "plannedFor", "quarantine",
    ]
    let state = members.removeValue(forKey: "state")?["mapValue"]?["fields"]?.object ?? [:]
    for (name, value) in state where !own.contains(name) { members["state." + name] = value }
    return members
  }

  private func runtime() async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = "one"
    options.clock = clock
    let ids = Self.all.keys.filter { $0 != "foreign" }.sorted()
    let jobs = try JobRegistry {
      for id in ids {
        PeriodicJob(JobID(stringLiteral: id), every: .hours(1)) { [ran] context in
          ran.add(context)
          return .done
        }
      }
    }
    return try await JobRuntime.prepared(
      jobs, store: service.store(), queue: NoQueue(), authentication: .trustLoopback, options: options)
  }

  /// Returns the times for which jobs have run, by job, in order.
  private final class Runs: Sendable {
    private let times = Mutex<[String: [Timestamp]]>([:])

    var all: [String: [Timestamp]] { times.withLock { $0 } }

    func add(_ context: JobContext) {
      times.withLock { $0[context.jobID.rawValue, default: []].append(context.scheduledFor ?? .epoch) }
    }
  }
}
#endif
