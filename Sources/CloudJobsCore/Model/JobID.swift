/// A job's name: 1 to 128 characters of `A–Z a–z 0–9 _ - . :`, the first of them a letter, a digit or `_`.
///
/// The alphabet is the one that Firestore document ids, URL paths and SQL keys accept without escaping. Names that
/// begin and end with `__` are rejected because Firestore reserves them
/// (<https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields>).
public struct JobID: Hashable, Comparable, Sendable {
  /// The name.
  public let rawValue: String

  /// The maximum length of a name, in characters.
  public static let maximumLength = 128

  /// The master job, which runs the master pass.
  public static let master = JobID(unchecked: "cloud_jobs_master")

  private init(unchecked rawValue: String) {
    self.rawValue = rawValue
  }

  /// Creates a job id from text.
  ///
  /// - Parameter text: the name.
  /// - Throws: ``JobError`` `invalidField` or `tooLarge` with the rule that the text violates.
  public init(_ text: String) throws(JobError) {
    if let fault = Self.fault(of: text) { throw fault }
    self.rawValue = text
  }

  /// Returns the error for text that is not a valid job id, or nil.
  static func fault(of text: String) -> JobError? {
    let bytes = text.utf8
    guard let first = bytes.first else {
      return JobError(.invalidField, "The job id is empty. Send the name of a registered job.", field: "jobId")
    }
    guard bytes.count <= maximumLength else {
      return JobError(
        .tooLarge, "The job id has \(bytes.count) bytes; at most \(maximumLength) are allowed.", field: "jobId")
    }
    guard bytes.allSatisfy({ isNameByte($0) }), first != UInt8(ascii: "-"), first != UInt8(ascii: "."),
      first != UInt8(ascii: ":")
    else {
      return JobError(
        .invalidField,
        "The job id may contain only letters, digits and _ - . : and must begin with a letter, a digit or _.",
        field: "jobId")
    }
    guard !(text.hasPrefix("__") && text.hasSuffix("__")) else {
      return JobError(
        .invalidField, "Job ids of the form __name__ are reserved by Firestore. Choose another.", field: "jobId")
    }
    return nil
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: ":"):
      true
    default: false
    }
  }

  /// Alphabetical order, by bytes.
  public static func < (left: JobID, right: JobID) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension JobID: ExpressibleByStringLiteral {
  /// Creates a job id from a literal; an invalid name is a programming error and stops the program.
  public init(stringLiteral text: String) {
    if let fault = Self.fault(of: text) { preconditionFailure("\"\(text)\": \(fault.message)") }
    self.rawValue = text
  }
}

extension JobID: CustomStringConvertible {
  /// The name.
  public var description: String { rawValue }
}
