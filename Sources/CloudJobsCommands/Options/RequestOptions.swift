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

/// An input that is JSON already.
private struct JSONInput: Encodable, Sendable {
  let value: JSONValue

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch value {
    case .null: try container.encodeNil()
    case .bool(let truth): try container.encode(truth)
    case .integer(let number): try container.encode(number)
    case .double(let number): try container.encode(number)
    case .string(let text): try container.encode(text)
    case .array(let elements): try container.encode(elements.map { JSONInput(value: $0) })
    case .object(let members): try container.encode(members.mapValues { JSONInput(value: $0) })
    }
  }
}
