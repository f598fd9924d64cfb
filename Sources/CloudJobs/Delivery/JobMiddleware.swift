public import CloudJobsCore

/// A layer around the handlers of all jobs: for tracing, metrics, or inputs that need preparation.
///
/// The layers of ``RuntimeOptions/middleware`` surround each other in their order, the first outermost, and the handler
/// is innermost. All of them count towards the attempt's time limit.
///
/// ```swift
/// struct FailureCounter: JobMiddleware {
///   func handle(_ attempt: JobAttempt, next: Next) async throws -> JobOutcome<JSONText?> {
///     do {
///       return try await next(attempt)
///     } catch {
///       Counter(label: "failures", dimensions: [("error", "\(type(of: error))")]).increment()
///       throw error
///     }
///   }
/// }
/// ```
public protocol JobMiddleware: Sendable {
  /// The rest of an attempt: the layers further in, and the handler.
  typealias Next = @Sendable (JobAttempt) async throws -> JobOutcome<JSONText?>

  /// Executes an attempt by calling `next`, or decides its outcome without it.
  ///
  /// An attempt whose input can't be decrypted does not get here.
  ///
  /// - Parameters:
  ///   - attempt: the attempt, whose input the middleware may change for the layers further in.
  ///   - next: the rest of the attempt. A call repeats the handler's effects, so call it once.
  /// - Returns: the outcome, whose result is encoded as JSON; nil if the job has none.
  /// - Throws: any error: the attempt has failed, as if the handler had thrown it.
  func handle(_ attempt: JobAttempt, next: Next) async throws -> JobOutcome<JSONText?>
}

/// An attempt, as middleware sees it.
public struct JobAttempt: Sendable {
  /// The handler's input as JSON, decrypted; nil if the run has none.
  public var input: JSONText?
  /// The context of the attempt; metadata that is added to its logger reaches the handler.
  public var context: JobContext

  init(input: JSONText?, context: JobContext) {
    self.input = input
    self.context = context
  }
}

extension [any JobMiddleware] {
  /// Returns a handler with all layers around it, the first outermost.
  func around(_ handler: @escaping JobMiddleware.Next) -> JobMiddleware.Next {
    reversed().reduce(handler) { next, layer in { try await layer.handle($0, next: next) } }
  }
}
