import ArgumentParser
import CloudJobs
import CloudJobsCore

/// The options of a request for a run.
struct RequestOptions: ParsableArguments {
  @Argument(help: "The id of the job.") var job: String
  @Option(help: "The input, as JSON.") var input: String?
  @Option(help: "A name for the work: a second run of the same key is not made.") var key: String?

  /// The request.
  ///
  /// - Parameter start: the time of its start; nil for at once.
  /// - Returns: the request.
  /// - Throws: ``JobError`` for an invalid job id or input.
  func request(start: DeliveryStart? = nil) throws(JobError) -> EnqueueRequest {
    let id = try JobID(job)
    guard let input else { return EnqueueRequest(id, start: start, key: key) }
    do throws(JobError) {
      return EnqueueRequest(id, JSONInput(value: try JSONValue(parsing: Array(input.utf8))), start: start, key: key)
    } catch {
      throw JobError(error.code, "\(error.message) Write text with its quotation marks: '\"text\"'.", field: "--input")
    }
  }
}
