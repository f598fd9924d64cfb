public import CloudJobs
public import CloudJobsCore

extension JobRegistry {
  /// Returns the registry with another handler for a job, whose policy and hooks stay.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - handler: the handler, which gets the input and returns the result as JSON.
  /// - Returns: the registry.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob`.
  public func replacing(_ job: JobID, _ handler: @escaping JobMiddleware.Next) throws(JobError) -> JobRegistry {
    try wrappingHandler(of: job) { _ in handler }
  }

  /// Returns the registry with another handler for an input's job, whose policy and hooks stay.
  ///
  /// - Parameters:
  ///   - input: the input type.
  ///   - body: the handler.
  /// - Returns: the registry.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob`.
  public func replacing<Input: JobInput>(
    _ input: Input.Type, _ body: @escaping @Sendable (Input, JobContext) async throws -> Input.Output
  ) throws(JobError) -> JobRegistry {
    try wrappingHandler(of: Input.jobID) { _ in
      { attempt in
        let output = try await body((attempt.input ?? JSONText([:])).decode(Input.self), attempt.context)
        if output is NoOutput { return .done(nil) }
        return .done(try EnqueueRequest(Input.jobID, output).payload())
      }
    }
  }

  /// Returns the registry with a job whose first attempts of each run fail, before its handler is called.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - count: the number of attempts that fail.
  ///   - error: the error that they throw.
  /// - Returns: the registry.
  /// - Throws: ``/CloudJobsCore/JobError`` `unknownJob`.
  public func failing(
    _ job: JobID, first count: Int, with error: any Error = JobFailure.failed("The test lets the attempt fail.")
  ) throws(JobError) -> JobRegistry {
    try wrappingHandler(of: job) { handler in
      { attempt in
        if attempt.context.attempt <= count { throw error }
        return try await handler(attempt)
      }
    }
  }
}
