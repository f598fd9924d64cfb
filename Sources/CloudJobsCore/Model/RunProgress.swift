/// The progress of a run, as its handler reports it.
public struct RunProgress: Hashable, Sendable {
  /// The completed part, from 0 to 100; nil if unknown.
  public var percent: Double?
  /// The current step, in words.
  public var message: String?
  /// The number of processed items.
  public var processed = 0
  /// The number of items that succeeded.
  public var succeeded = 0
  /// The number of items that failed.
  public var failed = 0

  /// The maximum length of a stored message, in Unicode scalars.
  public static let maximumMessage = 500

  /// Creates the progress of a run that has reported nothing.
  public init() {}

  /// Sets the completed part; values outside 0 to 100 are clamped, and NaN is ignored.
  package mutating func set(percent: Double) {
    if !percent.isNaN { self.percent = min(max(0, percent), 100) }
  }

  /// Sets the current step; a longer message is truncated.
  package mutating func set(message: String) {
    self.message = message.cut(to: Self.maximumMessage)
  }

  /// Adds items; each sum stops at the largest number.
  package mutating func add(processed: Int = 0, succeeded: Int = 0, failed: Int = 0) {
    self.processed = Self.sum(self.processed, processed)
    self.succeeded = Self.sum(self.succeeded, succeeded)
    self.failed = Self.sum(self.failed, failed)
  }

  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : max(0, sum)
  }
}

extension RunProgress {
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "progress.", field: "progress")
    percent = try reader.read("percent", "a number from 0 to 100") { value in
      value.double.flatMap { (0...100).contains($0) ? $0 : nil }
    }
    message = try reader.string("message")
    processed = try reader.int("processed", 0...Int.max) ?? 0
    succeeded = try reader.int("succeeded", 0...Int.max) ?? 0
    failed = try reader.int("failed", 0...Int.max) ?? 0
  }

  var fields: JSONValue {
    var members: [String: JSONValue] = [:]
    members["percent"] = percent.map { .double($0) }
    members["message"] = message.map { .string($0) }
    if processed > 0 { members["processed"] = .integer(Int64(processed)) }
    if succeeded > 0 { members["succeeded"] = .integer(Int64(succeeded)) }
    if failed > 0 { members["failed"] = .integer(Int64(failed)) }
    return .object(members)
  }
}
