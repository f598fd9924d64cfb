/// A run's identifier: 64 lower-case hexadecimal digits, the SHA-256 hash of the job and the occurrence.
///
/// The same occurrence has the same run id on every instance and in every store, which is why one occurrence is one
/// run. A run id is also a valid Cloud Tasks task id with an evenly distributed prefix, as that service recommends
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>).
public struct RunID: Hashable, Comparable, Sendable {
  /// The hexadecimal digits.
  public let rawValue: String

  /// Creates the run id of an occurrence of a job.
  public init(job: JobID, occurrence: Occurrence) {
    rawValue = SHA256.hexDigest(of: "cloud-jobs/1\n\(job.rawValue)\n\(occurrence.canonicalText)".utf8)
  }

  /// Creates a run id from text.
  ///
  /// - Parameter text: 64 lower-case hexadecimal digits.
  /// - Throws: ``JobError`` `invalidField` if the text is anything else.
  public init(_ text: String) throws(JobError) {
    guard text.utf8.count == 64, text.utf8.allSatisfy({ Self.isHexDigit($0) }) else {
      throw JobError(.invalidField, "A run id has 64 lower-case hexadecimal digits.", field: "runId")
    }
    rawValue = text
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }

  /// Alphabetical order.
  public static func < (left: RunID, right: RunID) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension RunID: CustomStringConvertible {
  /// The digits.
  public var description: String { rawValue }
}
