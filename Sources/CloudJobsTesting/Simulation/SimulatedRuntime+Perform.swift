public import CloudJobs
public import CloudJobsCore
import CloudJobsEmulator
import Synchronization

extension SimulatedRuntime {
  /// Executes one attempt of an input's job, with a context as in production, and nothing else.
  ///
  /// What the handler enqueues waits. It may sleep by its context's clock, which takes virtual time. The job's gates
  /// but `enabled` are passed. If the attempt fails, no other follows.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - fileID: the file of the call.
  ///   - line: the line of the call.
  /// - Returns: the handler's result.
  /// - Throws: the error that the handler threw; ``TestFailure`` if it snoozed, cancelled or continues, or if it was
  ///   not called; ``/CloudJobsCore/JobError`` `timedOut`, `unknownJob` or `invalidInput`.
  @discardableResult
  public func perform<Input: JobInput>(
    _ input: Input, fileID: String = #fileID, line: Int = #line
  ) async throws -> Input.Output {
    let outcome = try await outcome(performing: input, fileID: fileID, line: line)
    return try outcome.result(of: Input.jobID, fileID, line)
  }

  /// Executes one attempt of an input's job like ``perform(_:fileID:line:)``, and returns also another outcome than a
  /// result.
  ///
  /// - Parameters:
  ///   - input: the input.
  ///   - fileID: the file of the call.
  ///   - line: the line of the call.
  /// - Returns: the outcome as the handler returned it.
  /// - Throws: the errors of ``perform(_:fileID:line:)`` but those of another outcome.
  public func outcome<Input: JobInput>(
    performing input: Input, fileID: String = #fileID, line: Int = #line
  ) async throws -> JobOutcome<Input.Output> {
    switch try await attempt(Input.jobID, try EnqueueRequest(input).payload(), nil, fileID, line) {
    case .done(let output): .done(try JobOutcome<JSONText?>.decode(Input.Output.self, from: output))
    case .snooze(let span): .snooze(span)
    case .cancel(let reason): .cancel(reason: reason)
    case .continue(let checkpoint, let delay): .continue(from: checkpoint, after: delay)
    }
  }

  /// Executes one attempt of a job of any kind, by its id; otherwise like ``perform(_:fileID:line:)``.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - input: the input.
  ///   - time: the time that the run is for, as the handler's context tells it.
  ///   - fileID: the file of the call.
  ///   - line: the line of the call.
  /// - Returns: the handler's result as JSON; nil if the job has none.
  /// - Throws: the errors of ``perform(_:fileID:line:)``.
  @discardableResult
  public func perform(
    _ job: JobID, _ input: some Encodable & Sendable = NoInput(), scheduledFor time: Timestamp? = nil,
    fileID: String = #fileID, line: Int = #line
  ) async throws -> JSONText? {
    try await attempt(job, try EnqueueRequest(job, input).payload(), time, fileID, line).result(of: job, fileID, line)
  }

  private func attempt(
    _ job: JobID, _ payload: JSONText?, _ time: Timestamp?, _ fileID: String, _ line: Int
  ) async throws -> JobOutcome<JSONText?> {
    let (key, runtime) = (attempts.nextKey(), runtime)
    let id = RunID(job: job, occurrence: .key(key))
    let delivery = Delivery(
      job: job, trigger: .manual, occurrence: .key(key), payload: payload, scheduledFor: time)
    attempts.watch(id)
    defer { attempts.forget(id) }
    let result = try await emulator.performAlone {
      let result = await runtime.deliver(delivery)
      if result.runStatus?.isTerminal == false {
        try await runtime.cancel(run: id, because: "A test performed one attempt of it.")
      }
      return result
    }
    if result.status == .rejected, let error = result.error { throw error }
    guard let performed = attempts.result(of: id) else {
      throw TestFailure(
        expected: "an attempt of \(job)", found: "\(result.status.rawValue): \(result.reason ?? "no reason")",
        fileID: fileID, line: line)
    }
    if case .failure = performed, let failure = try await store.read(jobs: [], runs: [id]).runs[id]?.run.get().failure,
      failure.kind == "timeout"
    {
      throw JobError(.timedOut, failure.message)
    }
    return try performed.get()
  }
}

extension JobOutcome {
  /// Returns the result of an attempt that has one.
  fileprivate func result(of job: JobID, _ fileID: String, _ line: Int) throws -> Output {
    let found: String
    switch self {
    case .done(let output): return output
    case .snooze(let span): found = "a snooze of \(span)"
    case .cancel(let reason): found = "its cancellation: \(reason)"
    case .continue(_, let delay): found = "its continuation after \(delay)"
    }
    throw TestFailure(expected: "a result of \(job)", found: found, fileID: fileID, line: line)
  }
}

/// Middleware that keeps the outcomes of the attempts that a test performs, with the errors that handlers throw.
final class AttemptRecorder: JobMiddleware {
  private struct State {
    var lastKey = 0
    var watched: Set<RunID> = []
    var results: [RunID: Result<JobOutcome<JSONText?>, any Error>] = [:]
  }

  private let state = Mutex(State())

  /// Returns a key that no other attempt of the simulation has.
  func nextKey() -> String {
    state.withLock { state in
      state.lastKey += 1
      return "simulation-perform-\(state.lastKey)"
    }
  }

  func watch(_ run: RunID) { state.withLock { _ = $0.watched.insert(run) } }

  func forget(_ run: RunID) {
    state.withLock { state in
      state.watched.remove(run)
      state.results[run] = nil
    }
  }

  func result(of run: RunID) -> Result<JobOutcome<JSONText?>, any Error>? { state.withLock { $0.results[run] } }

  func handle(_ attempt: JobAttempt, next: Next) async throws -> JobOutcome<JSONText?> {
    do {
      let outcome = try await next(attempt)
      keep(.success(outcome), of: attempt.context.runID)
      return outcome
    } catch {
      keep(.failure(error), of: attempt.context.runID)
      throw error
    }
  }

  private func keep(_ result: Result<JobOutcome<JSONText?>, any Error>, of run: RunID) {
    state.withLock { state in
      if state.watched.contains(run) { state.results[run] = result }
    }
  }
}
