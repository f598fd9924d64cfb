#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import Logging
import Synchronization
import Testing

@testable import CloudJobsServer

/// A clock that leaps to the end of each sleep.
final class LeapingClock: JobClock {
  private let time = Mutex(Timestamp(seconds: 1_780_000_000))

  func now() -> Timestamp { time.withLock { $0 } }

  func sleep(until deadline: Timestamp) async throws {
    try Task.checkCancellation()
    time.withLock { $0 = max($0, deadline) }
    await Task.yield()
  }
}

/// A runtime over a store in memory, and its dashboard as a browser on this machine uses it.
struct RunPagesFixture {
  let clock = LeapingClock()
  let memory: MemoryStore
  let runtime: JobRuntime
  private let dashboard: Dashboard

  init(_ role: DashboardRole = .full, redactedFields: Set<String> = []) async throws {
    memory = MemoryStore(clock: clock)
    var options = RuntimeOptions()
    (options.clock, options.redactedFields) = (clock, redactedFields)
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let registry = try JobRegistry {
      EndpointJob("mail") { _ in .done }
      EndpointJob("charge") { _ in .done }
    }
    runtime = JobRuntime(registry, store: memory, authentication: .trustLoopback, options: options)
    try await runtime.prepare()
    dashboard = Dashboard(runtime, DashboardOptions(access: .loopback(role)))
  }

  /// Returns a page under that of the dashboard.
  func get(_ target: String) async throws -> (status: Int, text: String, response: PageResponse) {
    try await send(.get, target, "")
  }

  /// Sends a form.
  func post(
    _ target: String, _ form: [(String, String)] = []
  ) async throws -> (status: Int, text: String, response: PageResponse) {
    let body = form.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    return try await send(.post, target, body)
  }

  private func send(
    _ method: HTTPRequest.Method, _ target: String, _ body: String
  ) async throws -> (status: Int, text: String, response: PageResponse) {
    guard case .page(let page) = await reply(to: method, target, body) else {
      throw JobError(.internalError, "The dashboard answered \(target) with a stream.")
    }
    return (page.status.code, String(decoding: page.body, as: UTF8.self), page)
  }

  /// Returns the reply to a request.
  func reply(
    to method: HTTPRequest.Method, _ target: String, _ body: String = "", lastEventID: String? = nil
  ) async -> Dashboard.Reply {
    var request = HTTPRequest(
      method: method, scheme: "http", authority: "localhost:8080", path: "/dashboard" + target)
    if method == .post {
      request.headerFields[.contentType] = "application/x-www-form-urlencoded"
      request.headerFields[HTTPField.Name("Sec-Fetch-Site")!] = "same-origin"
    }
    if let lastEventID { request.headerFields[HTTPField.Name("Last-Event-ID")!] = lastEventID }
    return await dashboard.respond(to: request, peer: .address("127.0.0.1")) { _ in Array(body.utf8) }
  }

  /// A run that was created some seconds ago.
  func run(
    _ name: String, job: JobID = "mail", _ status: RunStatus = .pending, age: Int = 60, input: JSONValue? = nil
  ) -> Run {
    let created = clock.now() - .seconds(age)
    var run = Run(
      id: RunID(job: job, occurrence: .key(name)), job: job, trigger: .task, input: input.map { JSONText($0) },
      status: status, maxAttempts: 3, notBefore: created, createdAt: created)
    if status == .scheduled { run.notBefore = clock.now() + .hours(1) }
    if status.isTerminal {
      (run.startedAt, run.finishedAt, run.attempt) = (created + .seconds(1), created + .seconds(3), 1)
    }
    if status == .failed {
      run.failures = 1
      run.failure = RunFailure(kind: "refused", message: "The server refused \(name).")
    }
    return run
  }

  /// Stores runs.
  func put(_ runs: [Run]) async throws {
    for start in stride(from: 0, to: runs.count, by: StoreLimits.batch) {
      _ = try await memory.commit(runs[start..<min(runs.count, start + StoreLimits.batch)].map { .putRun($0, .none) })
    }
  }

  /// Returns a run as it is stored.
  func stored(_ id: RunID) async throws -> Run? { try await runtime.run(withID: id) }

  /// Returns the hidden fields of a page's form.
  static func hiddenFields(_ page: String) -> [(String, String)] {
    page.split(separator: "<input type=\"hidden\" name=\"").dropFirst().compactMap { part in
      let name = part.prefix { $0 != "\"" }
      let rest = part.dropFirst(name.count)
      guard rest.hasPrefix("\" value=\"") else { return nil }
      let value = rest.dropFirst(9).prefix { $0 != "\"" }
      return (String(name), unescaped(String(value)))
    }
  }

  private static func unescaped(_ text: String) -> String {
    var text = text
    for (entity, character) in [
      ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&amp;", "&"),
    ] {
      text = text.split(separator: entity, omittingEmptySubsequences: false).joined(separator: character)
    }
    return text
  }
}
#endif
