#if Server && HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes
import Logging
import Testing

@testable import CloudJobsServer

/// A runtime with jobs of all kinds over a store in memory, and its dashboard as a browser on this machine uses it.
struct JobPagesFixture {
  /// An input with a confidential field.
  struct Charge: JobInput {
    static let jobID: JobID = "charge"
    var amount: Int
    var card: String?
  }

  let clock = LeapingClock()
  let memory: MemoryStore
  let runtime: JobRuntime
  private let dashboard: Dashboard

  init(
    _ role: DashboardRole = .full, redactedFields: Set<String> = ["card"], title: String = "CloudJobs",
    @JobRegistryBuilder jobs: () -> [any JobHandler] = { JobPagesFixture.jobs }
  ) async throws {
    memory = MemoryStore(clock: clock)
    var options = RuntimeOptions()
    (options.clock, options.redactedFields) = (clock, redactedFields)
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    runtime = JobRuntime(
      try JobRegistry { jobs() }, store: memory, authentication: .trustLoopback, options: options)
    try await runtime.prepare()
    dashboard = Dashboard(runtime, DashboardOptions(title: title, access: .loopback(role)))
  }

  static var jobs: [any JobHandler] {
    [
      EndpointJob("mail") { _ in .done },
      EndpointJob(Charge.self) { _, _ in },
      PeriodicJob("cleanup", every: .minutes(30)) { _ in .done },
      PeriodicJob("report", cron: "30 2 * * *", in: "Europe/Berlin") { _ in .done },
    ]
  }

  /// Returns a page under that of the dashboard.
  func get(_ target: String) async throws -> Answer { try await send(.get, target, "") }

  /// Sends a form.
  func post(_ target: String, _ form: [(String, String)] = []) async throws -> Answer {
    let body = form.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    return try await send(.post, target, body)
  }

  /// Opens the form of a job's document, and sends it with some fields changed, as a browser does.
  func edit(_ job: String, _ changes: [String: String]) async throws -> Answer {
    let page = try await get("/jobs/\(job)/edit")
    var fields = page.fields
    for (name, value) in changes { fields[name] = value }
    return try await post("/jobs/\(job)/edit", fields.map { ($0.key, $0.value) })
  }

  /// The answer to a request.
  struct Answer {
    /// The status.
    var status: Int
    /// The body.
    var text: String
    /// The path of a redirection.
    var location: String?
    /// The size of the body in bytes.
    var size: Int

    /// The fields of the page's form with their values.
    var fields: [String: String] {
      var fields: [String: String] = [:]
      for part in text.split(separator: "<input ").dropFirst() {
        let tag = part.prefix { $0 != ">" }
        guard let name = Self.attribute("name", of: tag), !tag.contains("type=\"checkbox\"") else { continue }
        fields[name] = Self.attribute("value", of: tag) ?? ""
      }
      for part in text.split(separator: "<textarea ").dropFirst() {
        guard let name = Self.attribute("name", of: part.prefix { $0 != ">" }) else { continue }
        let body = part.drop { $0 != ">" }.dropFirst()
        // A browser leaves out the first line end.
        let text = body[..<(body.firstRange(of: "</textarea>")?.lowerBound ?? body.endIndex)].drop { $0 == "\n" }
        fields[name] = Self.unescaped(String(text))
      }
      for part in text.split(separator: "<select ").dropFirst() {
        guard let name = Self.attribute("name", of: part.prefix { $0 != ">" }) else { continue }
        let body = part[..<(part.firstRange(of: "</select>")?.lowerBound ?? part.endIndex)]
        let options = body.split(separator: "<option ").dropFirst().map { $0.prefix { $0 != ">" } }
        fields[name] = options.first { $0.contains(" selected") }.flatMap { Self.attribute("value", of: $0) } ?? ""
      }
      return fields
    }

    private static func attribute(_ name: String, of tag: Substring) -> String? {
      guard let start = tag.firstRange(of: "\(name)=\"") else { return nil }
      return unescaped(String(tag[start.upperBound...].prefix { $0 != "\"" }))
    }

    private static func unescaped(_ text: String) -> String {
      [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&amp;", "&")].reduce(text) {
        $0.split(separator: $1.0, omittingEmptySubsequences: false).joined(separator: $1.1)
      }
    }
  }

  private func send(_ method: HTTPRequest.Method, _ target: String, _ body: String) async throws -> Answer {
    var request = HTTPRequest(
      method: method, scheme: "http", authority: "localhost:8080", path: "/dashboard" + target)
    if method == .post {
      request.headerFields[.contentType] = "application/x-www-form-urlencoded"
      request.headerFields[try #require(HTTPField.Name("Sec-Fetch-Site"))] = "same-origin"
    }
    let reply = await dashboard.respond(to: request, peer: .address("127.0.0.1")) { _ in Array(body.utf8) }
    guard case .page(let page) = reply else {
      throw JobError(.internalError, "The dashboard answered \(target) with a stream.")
    }
    return Answer(
      status: page.status.code, text: String(decoding: page.body, as: UTF8.self), location: page.fields[.location],
      size: page.body.count)
  }

  /// Returns the configuration of a job's document; nil without a document.
  func configuration(of job: JobID) async throws -> JobConfiguration? {
    try await memory.read(jobs: [job], runs: []).jobs[job]?.document.get().configuration
  }

  /// Returns the stored runs of a job, latest first.
  func runs(of job: JobID) async throws -> [Run] { try await runtime.runs(matching: RunFilter(job: job)).runs }

  /// Stores runs of a job.
  func put(_ count: Int, of job: JobID, _ status: RunStatus, apart: Duration = .seconds(1)) async throws {
    let runs = (0..<count).map { number in
      let created = clock.now() - .microseconds(apart.microseconds * Int64(number + 1))
      var run = Run(
        id: RunID(job: job, occurrence: .key("\(status.rawValue)-\(number)")), job: job, trigger: .task, input: nil,
        status: status, maxAttempts: 3, notBefore: created, createdAt: created)
      if status.isTerminal {
        (run.startedAt, run.finishedAt, run.attempt) = (created, created + .milliseconds(number + 1), 1)
      }
      if status == .failed { run.failure = RunFailure(kind: "refused", message: "The server refused <b>it</b>.") }
      return run
    }
    for start in stride(from: 0, to: count, by: StoreLimits.batch) {
      _ = try await memory.commit(runs[start..<min(count, start + StoreLimits.batch)].map { .putRun($0, .none) })
    }
  }
}
#endif
