public import CloudJobsCore

/// The failure of an attempt, as ``ConfigurableJob/onError(_:)`` gets it.
public struct AttemptFailure: Hashable, Sendable {
  /// The error's type, or `timeout`, `invalidInput` or `invalidOutput`.
  public var kind: String
  /// The description of the failure, as stored: without redacted values.
  public var message: String
  /// Whether the run has ended as a dead letter.
  public var isFinal: Bool
  /// The time of the next attempt; nil if there is none, or if the caller decides it.
  public var nextAttempt: Timestamp?
}

extension ConfigurableJob {
  /// Adds a function that is called at the start of each attempt, before any middleware.
  ///
  /// It counts towards the attempt's time limit. An error that it throws is logged, and the attempt goes on.
  public func onStart(_ hook: @escaping @Sendable (JobContext) async throws -> Void) -> HookedJob<Self> {
    HookedJob(self) { $0.onStart = [hook] }
  }

  /// Adds a function that is called after each attempt that did not fail, once its result is committed.
  ///
  /// It is not called for an attempt whose result was refused because another attempt had taken over, or which a
  /// shutdown interrupted. It has ``RuntimeOptions/hookTimeout``; an error that it throws is logged, and the result
  /// stands. If the process ends first, it is not called again: what must not be lost belongs in the handler.
  ///
  /// - Parameter hook: the function; its second argument is the outcome, with the result as JSON.
  /// - Returns: the job with the hook.
  public func onComplete(
    _ hook: @escaping @Sendable (JobContext, JobOutcome<JSONText?>) async throws -> Void
  ) -> HookedJob<Self> {
    HookedJob(self) { $0.onComplete = [hook] }
  }

  /// Adds a function that is called after each attempt that failed, once the failure is committed; otherwise like
  /// ``onComplete(_:)``.
  ///
  /// An attempt that ended with its process has nobody to call it; the event ``JobEvent/Name/failed`` reports its run.
  ///
  /// - Parameter hook: the function; its second argument tells whether another attempt follows.
  /// - Returns: the job with the hook.
  public func onError(
    _ hook: @escaping @Sendable (JobContext, AttemptFailure) async throws -> Void
  ) -> HookedJob<Self> {
    HookedJob(self) { $0.onError = [hook] }
  }
}

/// A job with functions that are called around each attempt.
public struct HookedJob<Base: ConfigurableJob>: ConfigurableJob {
  private var base: Base
  fileprivate let hooks: JobHooks

  fileprivate init(_ base: Base, _ add: (inout JobHooks) -> Void) {
    self.base = base
    var hooks = JobHooks()
    add(&hooks)
    self.hooks = (base as? any JobWithHooks)?.allHooks.adding(hooks) ?? hooks
  }

  /// The definition in code.
  public var definition: JobDefinition {
    get { base.definition }
    set { base.definition = newValue }
  }

  /// Executes an attempt.
  public func run(_ input: Base.Input, context: JobContext) async throws -> JobOutcome<Base.Output> {
    try await base.run(input, context: context)
  }
}

/// A handler that has hooks, whatever its types.
private protocol JobWithHooks {
  var allHooks: JobHooks { get }
}

extension HookedJob: JobWithHooks {
  fileprivate var allHooks: JobHooks { hooks }
}

/// The functions that are called around each attempt of a job, in the order of their registration.
struct JobHooks: Sendable {
  var onStart: [@Sendable (JobContext) async throws -> Void] = []
  var onComplete: [@Sendable (JobContext, JobOutcome<JSONText?>) async throws -> Void] = []
  var onError: [@Sendable (JobContext, AttemptFailure) async throws -> Void] = []

  init() {}

  /// Returns the hooks of a handler; none if it has none.
  init(of handler: any JobHandler) {
    self = (handler as? any JobWithHooks)?.allHooks ?? JobHooks()
  }

  fileprivate func adding(_ more: JobHooks) -> JobHooks {
    var hooks = self
    hooks.onStart += more.onStart
    hooks.onComplete += more.onComplete
    hooks.onError += more.onError
    return hooks
  }
}

/// What hooks are told at the end of an attempt.
enum AttemptEnd: Sendable {
  case completed(JobOutcome<JSONText?>)
  case failed(AttemptFailure)
  /// The attempt was interrupted by a shutdown, and no hook is called.
  case interrupted
}

extension AttemptEnd {
  /// Returns what an attempt's end means for its hooks.
  ///
  /// - Parameters:
  ///   - outcome: the outcome, with its result as the handler returned it.
  ///   - concluded: the consequence of the outcome.
  init(_ outcome: Outcome, _ concluded: ConcludedAttempt) {
    switch concluded.conclusion {
    case .deadLetter(let failure, _): self = .failed(AttemptFailure(failure, isFinal: true))
    case .retry(let time, let failure): self = .failed(AttemptFailure(failure, isFinal: false, next: time))
    case .retryByCaller(let failure): self = .failed(AttemptFailure(failure, isFinal: false))
    case .succeeded, .snoozed, .continued, .cancelled, .interrupted:
      switch outcome {
      case .succeeded(let output): self = .completed(.done(output))
      case .snoozed(let span) where concluded.interruption == nil: self = .completed(.snooze(span))
      case .cancelled(let reason): self = .completed(.cancel(reason: reason))
      case .continued(let delay): self = .completed(.continue(after: delay))
      case .snoozed, .failed: self = .interrupted
      }
    }
  }
}

extension AttemptFailure {
  fileprivate init(_ failure: RunFailure, isFinal: Bool, next: Timestamp? = nil) {
    (kind, message) = (failure.kind, failure.message)
    (self.isFinal, nextAttempt) = (isFinal, next)
  }
}
