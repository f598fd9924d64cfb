public import CloudJobs
public import CloudJobsCore

/// A failed assertion about the jobs of a simulation.
///
/// It is thrown, so that it fails a test of any framework; its description names the line of the assertion.
public struct TestFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The expected state.
  public var expected: String
  /// The state in its place.
  public var found: String
  /// The file and the line of the assertion.
  public var location: String

  /// Creates a failure.
  public init(expected: String, found: String, fileID: String = #fileID, line: Int = #line) {
    self.expected = expected
    self.found = found
    location = "\(fileID):\(line)"
  }

  /// What was expected, what was found, and where.
  public var description: String { "\(location): expected \(expected), but found \(found)" }
}

/// A run with its input and output as values of their types.
public struct TypedRun<Input: JobInput>: Sendable {
  /// The input.
  public var input: Input
  /// The result; nil unless the run succeeded.
  public var output: Input.Output?
  /// The run, its payloads decrypted.
  public var run: Run

  init(_ run: Run) throws {
    self.run = run
    input = try (run.input ?? JSONText([:])).decode(Input.self)
    if run.status == .succeeded { output = try JobOutcome<JSONText?>.decode(Input.Output.self, from: run.output) }
  }
}

extension JobOutcome<JSONText?> {
  /// Returns a result of its stored form; a job without a result stores none.
  static func decode<Value: Decodable>(_ type: Value.Type, from output: JSONText?) throws -> Value {
    if let none = NoOutput() as? Value { return none }
    return try (output ?? .null).decode(type)
  }
}
