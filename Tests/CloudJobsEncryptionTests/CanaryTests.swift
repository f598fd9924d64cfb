#if Encryption && SQLite && Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsEncryption
import CloudJobsHTTP
import CloudJobsSQLite
import CloudJobsServer
import HTTPTypes
import Logging
import Synchronization
import TestSupport
import Testing

/// Everything that a service leaves behind or shows: its files, its log, its events and its answers.
private struct Traces {
  var files: [String: [UInt8]] = [:]
  var log: [String] = []
  var events: [String] = []
  var answers: [String: String] = [:]

  /// The places in which a text occurs.
  func places(of text: String) -> [String] {
    files.filter { $0.value.firstRange(of: Array(text.utf8)) != nil }.map { "file \($0.key)" }.sorted()
      + (log + events).filter { $0.contains(text) }
      + answers.filter { $0.value.contains(text) }.map { "answer \($0.key): \($0.value)" }.sorted()
  }
}

private struct Order: Codable, Sendable {
  var name: String
  var note: String
}

/// An error that quotes a payload in the ways of Swift programs: descriptions, JSON, and a part of a value.
private struct QuotingError: Error, CustomStringConvertible {
  let description: String

  init(_ order: Order) {
    description = "\(order) \(String(reflecting: order.note)) \(JSONText(["n": .string(order.note)])) \(order.name)"
  }
}

@Suite("A canary in a payload", .serialized)
struct CanaryTests {
  private static let canary = "canary-7d1f3a9b"
  private static let payload = #"{"name":"\#(canary)","note":"for \"\#(canary)\" from ö,\n \#(canary)"}"#
  private static let order = Order(name: canary, note: "for \"\(canary)\" from ö,\n \(canary)")

  private func jobs(_ store: SQLiteStore) throws -> JobRegistry {
    let quick = RetryPolicy(maxAttempts: 2, backoff: .fixed(.milliseconds(20)), jitter: .none)
    return try JobRegistry {
      EndpointJob("echo", input: Order.self, output: Order.self) { order, _ in .done(order) }
      EndpointJob("quote", input: Order.self) { order, _ in throw QuotingError(order) }.retry(quick)
        .onError { _, _ in throw JobFailure.failed(Self.canary) }
      EndpointJob("refuse", input: Order.self) { order, _ in
        throw JobFailure.permanent("No \(order.note)", kind: order.name)
      }
      EndpointJob("cancel", input: Order.self) { order, _ in .cancel(reason: "not for \(order.name)") }
      EndpointJob("log", input: Order.self) { order, context in
        context.logger.error("\(order)", metadata: ["name": "\(order.name)", "list": ["\(order.note)"]])
      }
      .onComplete { context, _ in context.logger.error("\(Self.canary)") }
      EndpointJob("effect", input: Order.self) { order, context in
        _ = try await store.perform(effect: "e", for: context) { _ in order }
      }
      EndpointJob("parent", input: Order.self) { order, context in
        _ = try await context.enqueue("echo", order)
      }
    }
  }

  /// Runs a service over a file until all of its runs have ended, and collects what it leaves.
  private func traces(_ configure: (inout RuntimeOptions) throws -> Void) async throws -> Traces {
    let folder = try DataFolder()
    let recorder = LogRecorder()
    let events = Mutex<[String]>([])
    var options = RuntimeOptions()
    options.logger = recorder.logger
    try configure(&options)
    let store = try SQLiteStore(path: folder.path("jobs.db"))
    let runtime = JobRuntime(
      try jobs(store), store: store, authentication: .trustLoopback,
      options: options)
    runtime.events.subscribe { event in events.withLock { $0.append("\(event)") } }
    var traces = Traces()
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let server = JobServer(runtime, configuration: JobServerConfiguration(port: 0)) { ready.yield($0) }
    let client = CurlHTTPClient()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      var iterator = ports.makeAsyncIterator()
      let port = try #require(await iterator.next())
      func ask(_ path: String, _ body: String? = nil) async throws -> JSONValue {
        let answer = try await client.send(
          HTTPExchangeRequest(
            method: body == nil ? .get : .post, url: "http://127.0.0.1:\(port)/jobs/\(path)", headers: [:],
            body: Array((body ?? "").utf8), timeout: .seconds(10)))
        traces.answers["\(path) \(body?.prefix(20) ?? "")"] = String(decoding: answer.body, as: UTF8.self)
        return try JSONValue(parsing: answer.body)
      }
      for job in ["echo", "quote", "refuse", "cancel", "log", "effect", "parent"] {
        _ = try await ask("trigger", #"{"jobId":"\#(job)","payload":\#(Self.payload)}"#)
        try await runtime.enqueue(JobID(job), Self.order)
      }
      _ = try await ask("trigger", #"{"jobId":"echo","payload":{"name":["\#(Self.canary)"]}}"#)
      _ = try await ask("trigger", #"{"jobId":"echo","key":"x","delay":"1h","payload":\#(Self.payload)}"#)
      _ = try await ask("trigger", #"{"jobId":"echo","payload":"\#(Self.canary)"#)
      while try await ask("runs?status=running,pending,scheduled&limit=500")["runs"]?.array?.count ?? 0 > 1 {
        try await runtime.clock.sleep(until: runtime.clock.now() + .milliseconds(20))
      }
      let runs = try await ask("runs?payload=true&limit=500")["runs"]?.array ?? []
      #expect(runs.count == 17)
      for run in runs { _ = try await ask("runs/\(run["id"]?.string ?? "")") }
      for path in ["runs", "runs?overdue=true&payload=true", "jobs", "jobs/quote", "health"] { _ = try await ask(path) }
      traces.files = try folder.contents()
      group.cancelAll()
    }
    await client.shutDown()
    for (name, bytes) in try folder.contents() { traces.files["closed \(name)"] = bytes }
    (traces.log, traces.events) = (recorder.lines, events.withLock { $0 })
    return traces
  }

  @Test("With encryption, it appears in no file, log line, event or answer")
  func encrypted() async throws {
    let traces = try await traces { options in
      let key = try EncryptionKeyRing.Key(id: "k1", bytes: [UInt8](repeating: 1, count: 32))
      options.payloadCodec = AESGCMPayloadCodec(try EncryptionKeyRing(current: key))
    }
    #expect(traces.places(of: Self.canary) == [])
    #expect(traces.files.keys.contains("jobs.db-wal") && traces.files.values.contains { !$0.isEmpty })
    #expect(traces.log.contains { $0.contains("[redacted]") } && traces.events.contains { $0.contains("[redacted]") })
    #expect(traces.answers.values.contains { $0.contains(#""encrypted""#) })
  }

  @Test("Without it, each of the places shows it: the search finds what is there")
  func plain() async throws {
    let traces = try await traces { _ in }
    let places = traces.places(of: Self.canary)
    for start in ["file jobs.db-wal", "answer runs?payload", "answer trigger", "error: ", "JobEvent("] {
      #expect(places.contains { $0.hasPrefix(start) }, "\(start)")
    }
  }

  @Test("Redacted fields appear in the files only")
  func redacted() async throws {
    let traces = try await traces { $0.redactedFields = ["name", "note"] }
    let places = traces.places(of: Self.canary)
    #expect(!places.isEmpty && places.allSatisfy { $0.hasPrefix("file ") || $0.hasPrefix("closed ") }, "\(places)")
  }
}
#endif
