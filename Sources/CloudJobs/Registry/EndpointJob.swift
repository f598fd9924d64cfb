public import CloudJobsCore

/// A job that runs because a task, a message or a caller asks for it.
///
/// ```swift
/// EndpointJob(WelcomeEmail.self) { email, context in
///   try await mailer.send(to: email.userID, key: context.runID.rawValue)
/// }
/// ```
///
/// A handler returns nothing, its result, or a ``JobOutcome``. One that passes on the outcome of another function says
/// `return`: without it, Swift takes the closure for one without a result.
public struct EndpointJob<Input: Decodable & Sendable, Output: Encodable & Sendable>: ConfigurableJob {
  /// The definition in code.
  public var definition: JobDefinition
  private let body: @Sendable (Input, JobContext) async throws -> JobOutcome<Output>

  /// Executes an attempt.
  public func run(_ input: Input, context: JobContext) async throws -> JobOutcome<Output> {
    try await body(input, context)
  }
}

// MARK: - By input type

extension EndpointJob where Input: JobInput, Input.Output == Output {
  /// Creates the job of an input type whose handler returns the result, which is stored with the run.
  ///
  /// - Parameters:
  ///   - input: the input type, which names the job.
  ///   - body: the handler.
  @_disfavoredOverload
  public init(_ input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> Output) {
    definition = JobDefinition(id: Input.jobID, kind: .endpoint)
    self.body = { .done(try await body($0, $1)) }
  }

  /// Creates the job of an input type whose handler may also snooze or cancel.
  ///
  /// - Parameters:
  ///   - input: the input type, which names the job.
  ///   - body: the handler.
  @_disfavoredOverload
  public init(_ input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<Output>) {
    definition = JobDefinition(id: Input.jobID, kind: .endpoint)
    self.body = body
  }
}

extension EndpointJob where Input: JobInput, Input.Output == Output {
  /// Explains a handler that returns nothing where its input has an output.
  @_disfavoredOverload
  @available(*, unavailable, message: "The handler returns nothing, but its input has an Output: return one.")
  public init(_ input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> Void) {
    definition = JobDefinition(id: Input.jobID, kind: .endpoint)
    self.body = { _, _ in throw JobFailure.permanent("unavailable") }
  }

  /// Explains a handler that returns another type than its input's output.
  @_disfavoredOverload
  @available(*, unavailable, message: "The handler returns a value that is not of its input's type Output.")
  public init<Other>(_ input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> Other) {
    definition = JobDefinition(id: Input.jobID, kind: .endpoint)
    self.body = { _, _ in throw JobFailure.permanent("unavailable") }
  }
}

extension EndpointJob where Input: JobInput, Input.Output == NoOutput, Output == NoOutput {
  /// Creates the job of an input type whose handler has no result.
  ///
  /// - Parameters:
  ///   - input: the input type, which names the job.
  ///   - body: the handler.
  public init(_ input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> Void) {
    definition = JobDefinition(id: Input.jobID, kind: .endpoint)
    self.body = {
      try await body($0, $1)
      return .done
    }
  }
}

// MARK: - By name

extension EndpointJob {
  /// Creates a named job with a result, which is stored with the run.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - input: the type that the payload decodes as.
  ///   - output: the type of the result.
  ///   - body: the handler.
  public init(
    _ id: JobID, input: Input.Type, output: Output.Type,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<Output>
  ) {
    definition = JobDefinition(id: id, kind: .endpoint)
    self.body = body
  }

  /// Creates a named job whose handler returns the result; otherwise like ``init(_:input:output:_:)``.
  @_disfavoredOverload
  public init(
    _ id: JobID, input: Input.Type, output: Output.Type,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> Output
  ) {
    self.init(id, input: input, output: output) { .done(try await body($0, $1)) }
  }
}

extension EndpointJob where Output == NoOutput {
  /// Creates a named job with an input.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - input: the type that the payload decodes as.
  ///   - body: the handler.
  public init(
    _ id: JobID, input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> Void
  ) {
    self.init(id, input: input) { (input, context) -> JobOutcome<NoOutput> in
      try await body(input, context)
      return .done
    }
  }

  /// Creates a named job with an input whose handler may also snooze or cancel; otherwise like ``init(_:input:_:)``.
  @_disfavoredOverload
  public init(
    _ id: JobID, input: Input.Type,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<NoOutput>
  ) {
    definition = JobDefinition(id: id, kind: .endpoint)
    self.body = body
  }
}

extension EndpointJob where Input == NoInput, Output == NoOutput {
  /// Creates a named job without input.
  ///
  /// - Parameters:
  ///   - id: the id of the job.
  ///   - body: the handler.
  public init(_ id: JobID, _ body: @escaping @Sendable (JobContext) async throws -> Void) {
    self.init(id) { context -> JobOutcome<NoOutput> in
      try await body(context)
      return .done
    }
  }

  /// Creates a named job without input whose handler may also snooze or cancel; otherwise like ``init(_:_:)``.
  @_disfavoredOverload
  public init(_ id: JobID, _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>) {
    definition = JobDefinition(id: id, kind: .endpoint)
    self.body = { _, context in try await body(context) }
  }
}
