public import CloudJobs
public import CloudJobsCore

// MARK: - Enqueue

extension SimulatedRuntime: JobClient {
  /// Enqueues runs, which wait until the test advances the time or drains.
  ///
  /// - Parameter requests: the runs to enqueue.
  /// - Returns: the runs, in the order of the requests.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``/CloudJobs/JobClient/enqueue(_:)`` does.
  @discardableResult
  public func enqueue(_ requests: [EnqueueRequest]) async throws(JobError) -> [EnqueuedRun] {
    let runtime = runtime
    return try await performAlone { try await runtime.enqueue(requests) }
  }

  /// Runs a job here and now, and nothing else.
  ///
  /// - Parameter request: the job, its input and its key; a later start is ignored.
  /// - Returns: the result of the first attempt; later attempts follow the job's policy.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``/CloudJobs/JobClient/run(_:)`` does.
  @discardableResult
  public func run(_ request: EnqueueRequest) async throws(JobError) -> DeliveryResult {
    let runtime = runtime
    return try await performAlone { try await runtime.run(request) }
  }

  /// Cancels all runs that have not ended.
  ///
  /// - Parameter job: the job; nil for all jobs.
  /// - Returns: the number of the runs.
  /// - Throws: ``/CloudJobsCore/JobError`` as ``/CloudJobs/JobRuntime/cancel(run:because:)`` does.
  @discardableResult
  public func cancelEnqueued(_ job: JobID? = nil) async throws -> Int {
    let (runtime, runs) = (runtime, try await enqueued(job))
    try await performAlone {
      for run in runs { try await runtime.cancel(run: run.id, because: "The test cancelled it.") }
    }
    return runs.count
  }

  /// Performs an operation in virtual time while nothing is delivered.
  private func performAlone<Success: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Success
  ) async throws(JobError) -> Success {
    do {
      return try await emulator.performAlone(operation)
    } catch let error as JobError {
      throw error
    } catch {
      throw JobError(.cancelled, "The test was cancelled.")
    }
  }
}

// MARK: - What is enqueued

extension SimulatedRuntime {
  /// Returns the runs that have not ended, of one job or of all.
  ///
  /// - Parameter job: the job; nil for all jobs.
  /// - Returns: the runs, their payloads decrypted, by the start of the next attempt, job and input.
  /// - Throws: the error of the store or of the payload codec.
  public func enqueued(_ job: JobID? = nil) async throws -> [Run] {
    let statuses = Set(RunStatus.allCases.filter { !$0.isTerminal })
    return try await runs(matching: RunFilter(job: job, statuses: statuses)).sorted { $0.order < $1.order }
  }

  /// Returns the runs of an input's job that have not ended.
  ///
  /// - Parameter input: the input type.
  /// - Returns: the runs, by the start of the next attempt and input.
  /// - Throws: the error of the store or of the payload codec, or `DecodingError` for an input of another type.
  public func enqueued<Input: JobInput>(_ input: Input.Type) async throws -> [TypedRun<Input>] {
    try await enqueued(Input.jobID).map { try TypedRun($0) }
  }

  /// Returns all runs of an input's job, ended ones too.
  ///
  /// - Parameter input: the input type.
  /// - Returns: the runs, by creation and input.
  /// - Throws: the errors of `enqueued(_:)`.
  public func runs<Input: JobInput>(of input: Input.Type) async throws -> [TypedRun<Input>] {
    try await runs(matching: RunFilter(job: Input.jobID)).sorted { ($0.createdAt, $0.order) < ($1.createdAt, $1.order) }
      .map { try TypedRun($0) }
  }

  /// Returns the runs that match a filter, even while the simulation lets the store fail.
  func runs(matching filter: RunFilter) async throws -> [Run] {
    var runs: [Run] = []
    var cursor: StoreCursor?
    let runtime = runtime
    repeat {
      let page = try await store.runs(matching: filter, after: cursor, limit: StoreLimits.batch)
      runs += try page.records.map { try runtime.opened(try $0.run.get()) }
      cursor = page.next
    } while cursor != nil
    return runs
  }
}

extension Run {
  /// The order of runs in a test: that of the ids says nothing to its reader.
  fileprivate var order: Order {
    Order(start: notBefore, job: job.rawValue, input: input?.description ?? "", id: id)
  }

  fileprivate struct Order: Comparable {
    var start: Timestamp
    var job: String
    var input: String
    var id: RunID

    static func < (left: Order, right: Order) -> Bool {
      (left.start, left.job, left.input, left.id) < (right.start, right.job, right.input, right.id)
    }
  }
}

// MARK: - Assertions

extension SimulatedRuntime {
  /// Asserts that a run with an input waits or is under way.
  ///
  /// Inputs are compared by their JSON, times to the second.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - delay: the time between the request for the run and its start; nil for any.
  ///   - time: the start of the next attempt; nil for any.
  ///   - key: the caller's name for the work, or the unique key; nil for any.
  ///   - count: the number of such runs; nil for at least one.
  ///   - fileID: the file of the assertion.
  ///   - line: the line of the assertion.
  /// - Returns: the runs.
  /// - Throws: ``TestFailure``, which lists what is enqueued instead, or the errors of `enqueued(_:)`.
  @discardableResult
  public func assertEnqueued<Input: JobInput>(
    _ input: Input, after delay: Duration? = nil, at time: Timestamp? = nil, key: String? = nil, count: Int? = nil,
    fileID: String = #fileID, line: Int = #line
  ) async throws -> [TypedRun<Input>] {
    let wanted = try WantedRun(input, start: (delay, time), key: key)
    return try await require(wanted, count: count, fileID, line).map { try TypedRun($0) }
  }

  /// Asserts that a run of an input's job waits or is under way; otherwise like
  /// ``assertEnqueued(_:after:at:key:count:fileID:line:)``.
  @discardableResult
  public func assertEnqueued<Input: JobInput>(
    _ input: Input.Type, after delay: Duration? = nil, at time: Timestamp? = nil, key: String? = nil,
    count: Int? = nil, fileID: String = #fileID, line: Int = #line
  ) async throws -> [TypedRun<Input>] {
    let wanted = try WantedRun(Input.jobID, nil, start: (delay, time), key: key)
    return try await require(wanted, count: count, fileID, line).map { try TypedRun($0) }
  }

  /// Asserts that a run of a job waits or is under way, by the job's id.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input; nil for any.
  ///   - delay: the time between the request for the run and its start; nil for any.
  ///   - time: the start of the next attempt; nil for any.
  ///   - key: the caller's name for the work, or the unique key; nil for any.
  ///   - count: the number of such runs; nil for at least one.
  ///   - fileID: the file of the assertion.
  ///   - line: the line of the assertion.
  /// - Returns: the runs.
  /// - Throws: ``TestFailure``, which lists what is enqueued instead, or the errors of `enqueued(_:)`.
  @discardableResult
  public func assertEnqueued(
    _ job: JobID, _ input: (any Encodable & Sendable)? = nil, after delay: Duration? = nil, at time: Timestamp? = nil,
    key: String? = nil, count: Int? = nil, fileID: String = #fileID, line: Int = #line
  ) async throws -> [Run] {
    try await require(try WantedRun(job, input, start: (delay, time), key: key), count: count, fileID, line)
  }

  /// Asserts that no run with an input waits or is under way.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - fileID: the file of the assertion.
  ///   - line: the line of the assertion.
  /// - Throws: ``TestFailure``, which lists the runs, or the errors of `enqueued(_:)`.
  public func assertNotEnqueued(
    _ input: some JobInput, fileID: String = #fileID, line: Int = #line
  ) async throws {
    try await require(try WantedRun(input), count: 0, fileID, line)
  }

  /// Asserts that no run of an input's job waits or is under way; otherwise like
  /// ``assertNotEnqueued(_:fileID:line:)``.
  public func assertNotEnqueued<Input: JobInput>(
    _ input: Input.Type, fileID: String = #fileID, line: Int = #line
  ) async throws {
    try await require(try WantedRun(Input.jobID, nil), count: 0, fileID, line)
  }

  /// Asserts that no run of a job waits or is under way, by the job's id.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input; nil for any.
  ///   - fileID: the file of the assertion.
  ///   - line: the line of the assertion.
  /// - Throws: ``TestFailure``, which lists the runs, or the errors of `enqueued(_:)`.
  public func assertNotEnqueued(
    _ job: JobID, _ input: (any Encodable & Sendable)? = nil, fileID: String = #fileID, line: Int = #line
  ) async throws {
    try await require(try WantedRun(job, input), count: 0, fileID, line)
  }

  @discardableResult
  private func require(_ wanted: WantedRun, count: Int?, _ fileID: String, _ line: Int) async throws -> [Run] {
    let all = try await enqueued()
    let found = all.filter(wanted.matches)
    if count.map({ $0 == found.count }) ?? !found.isEmpty { return found }
    let ended = try await runs(matching: RunFilter(job: wanted.job)).filter { $0.status.isTerminal }
    throw TestFailure(
      expected: wanted.text(count: count), found: wanted.report(found, of: all, ended: ended), fileID: fileID,
      line: line)
  }
}

/// The run that an assertion looks for.
private struct WantedRun {
  let job: JobID
  private let input: JSONText?
  private let start: (delay: Duration?, time: Timestamp?)
  private let key: String?
  /// Returns the JSON by which an input is compared.
  private let canonical: (JSONText?) -> JSONValue

  /// The most runs that a failure lists, and the longest input.
  private static let limits = (runs: 10, input: 200)

  init(
    _ job: JobID, _ input: (any Encodable & Sendable)?, start: (Duration?, Timestamp?) = (nil, nil), key: String? = nil
  ) throws {
    self.job = job
    self.input = try input.map { try EnqueueRequest(job, $0).payload() ?? JSONText([:]) }
    self.start = start
    self.key = key
    canonical = { $0?.value ?? [:] }
  }

  /// Looks for an input; members that its type does not decode make no difference.
  init<Input: JobInput>(_ input: Input, start: (Duration?, Timestamp?) = (nil, nil), key: String? = nil) throws {
    job = Input.jobID
    self.input = try EnqueueRequest(input).payload() ?? JSONText([:])
    self.start = start
    self.key = key
    canonical = { stored in
      let stored = stored ?? JSONText([:])
      let decoded = try? stored.decode(Input.self)
      let text = decoded.flatMap { try? EnqueueRequest($0).payload() } ?? stored
      return text.value
    }
  }

  func matches(_ run: Run) -> Bool {
    guard run.job == job else { return false }
    if let input, canonical(input) != canonical(run.input) { return false }
    if let key, run.uniqueKey != key { return false }
    if let delay = start.delay, !Self.isSame(run.notBefore, run.createdAt + delay) { return false }
    return start.time.map { Self.isSame(run.notBefore, $0) } ?? true
  }

  private static func isSame(_ left: Timestamp, _ right: Timestamp) -> Bool {
    left - right < .seconds(1) && right - left < .seconds(1)
  }

  func text(count: Int?) -> String {
    var text = count.map { "\($0) enqueued run\($0 == 1 ? "" : "s")" } ?? "an enqueued run"
    text += " of \(job)"
    if let input { text += " with the input \(Self.short(input))" }
    if let delay = start.delay { text += ", \(delay) after the request" }
    if let time = start.time { text += ", at \(time)" }
    if let key { text += ", with the key \(key)" }
    return text
  }

  /// Returns what is enqueued in place of the wanted run.
  func report(_ found: [Run], of all: [Run], ended: [Run]) -> String {
    var lines = ["\(found.isEmpty ? "none" : "\(found.count)")."]
    let others = all.filter { $0.job == job && !matches($0) }
    if !found.isEmpty { lines += ["Such runs:"] + Self.list(found) }
    if !others.isEmpty { lines += ["Other runs of the job:"] + Self.list(others) }
    if !ended.isEmpty { lines += ["Runs of the job that have ended:"] + Self.list(ended) }
    let jobs = Dictionary(grouping: all.filter { $0.job != job }, by: \.job).map { "\($0.key) (\($0.value.count))" }
    if !jobs.isEmpty { lines.append("Enqueued runs of other jobs: \(jobs.sorted().joined(separator: ", "))") }
    return lines.joined(separator: "\n")
  }

  private static func list(_ runs: [Run]) -> [String] {
    runs.prefix(limits.runs).map { "  - \($0.summary), \($0.input.map(short) ?? "without input")" }
      + (runs.count > limits.runs ? ["  - and \(runs.count - limits.runs) more"] : [])
  }

  private static func short(_ input: JSONText) -> String {
    input.description.cut(to: limits.input)
  }
}

extension Run {
  /// The run as a line of a failure.
  var summary: String {
    var text = "\(job) \(id.rawValue.prefix(12)): \(status.rawValue)"
    if attempt > 0 { text += ", attempt \(attempt)" }
    if status == .scheduled || status == .pending { text += ", starts at \(notBefore)" }
    if let uniqueKey { text += ", key \(uniqueKey)" }
    if let failure { text += ", \(failure.kind): \(failure.message)" }
    if let reason { text += ", \(reason)" }
    return text
  }
}
