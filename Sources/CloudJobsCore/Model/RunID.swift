/// A run's name: 64 lower-case hexadecimal digits, the SHA-256 of the job and the occurrence.
///
/// The same occurrence always has the same run id, on every instance and in every store: this is what makes one
/// occurrence one run. It is also a legal Cloud Tasks task id with an even prefix, as that service asks for
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create>).
public struct RunID: Hashable, Comparable, Sendable {
  /// The digits.
  public let rawValue: String

  /// The run id of an occurrence of a job.
  public init(job: JobID, occurrence: Occurrence) {
    rawValue = SHA256.hexDigest(of: "cloud-jobs/1\n\(job.rawValue)\n\(occurrence.canonicalText)".utf8)
  }

  /// Checks a text.
  ///
  /// - Parameter text: 64 lower-case hexadecimal digits.
  /// - Throws: ``JobError`` `invalidField` where the text is anything else.
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

/// What a trigger asks for, once.
public enum Occurrence: Hashable, Sendable {
  /// A caller's idempotency key, a task's name or a message's id.
  case key(String)
  /// A moment of the job's schedule.
  case slot(Timestamp)

  /// The text that is hashed; the first character keeps the cases apart.
  var canonicalText: String {
    switch self {
    case .key(let key): "k\(key)"
    case .slot(let time): "t\(time.microseconds)"
    }
  }
}
