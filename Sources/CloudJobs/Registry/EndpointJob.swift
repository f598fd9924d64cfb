public import CloudJobsCore

/// A job that a task triggers.
public struct EndpointJob<Input: Decodable & Sendable, Output: Encodable & Sendable>: ConfigurableJob {
  /// What code says about the job.
  public var definition: JobDefinition
  private let body: @Sendable (Input, JobContext) async throws -> JobOutcome<Output>

  /// A job with an input and without a result.
  ///
  /// - Parameters:
  ///   - id: the job's name.
  ///   - input: what the payload decodes as.
  ///   - body: the code.
  public init(
    _ id: JobID, input: Input.Type,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<NoOutput>
  ) where Output == NoOutput {
    definition = JobDefinition(id: id, kind: .endpoint)
    self.body = body
  }

  /// A job with an input and a result, which is stored with the run.
  ///
  /// - Parameters:
  ///   - id: the job's name.
  ///   - input: what the payload decodes as.
  ///   - output: what a run yields.
  ///   - body: the code.
  public init(
    _ id: JobID, input: Input.Type, output: Output.Type,
    _ body: @escaping @Sendable (Input, JobContext) async throws -> JobOutcome<Output>
  ) {
    definition = JobDefinition(id: id, kind: .endpoint)
    self.body = body
  }

  /// A job without input and result.
  ///
  /// - Parameters:
  ///   - id: the job's name.
  ///   - body: the code.
  public init(_ id: JobID, _ body: @escaping @Sendable (JobContext) async throws -> JobOutcome<NoOutput>)
  where Input == NoInput, Output == NoOutput {
    definition = JobDefinition(id: id, kind: .endpoint)
    self.body = { _, context in try await body(context) }
  }

  /// Executes one attempt.
  public func run(_ input: Input, context: JobContext) async throws -> JobOutcome<Output> {
    try await body(input, context)
  }
}
