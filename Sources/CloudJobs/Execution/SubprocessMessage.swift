import CloudJobsCore

/// The request that a process sends to a subprocess: one line of JSON on its standard input.
struct SubprocessRequest: Hashable, Sendable {
  /// The environment variable that tells a process that it is a subprocess.
  static let variable = "CLOUD_JOBS_SUBPROCESS"

  /// The run as claimed for the attempt.
  var run: Run
  /// The time by which the attempt must end.
  var deadline: Timestamp

  init(run: Run, deadline: Timestamp) {
    (self.run, self.deadline) = (run, deadline)
  }

  /// Parses a request.
  init(parsing line: some Collection<UInt8>) throws(JobError) {
    let fields = try JSONValue(parsing: Array(line))
    guard let id = fields.object?["id"]?.string, let run = fields.object?["run"],
      let deadline = fields.object?["deadline"]?.string.flatMap({ Timestamp(rfc3339: $0) })
    else { throw JobError(.malformedEnvelope, "The subprocess received no request for an attempt.") }
    self.init(run: try Run(id: try RunID(id), fields: run), deadline: deadline)
  }

  /// The request as one line.
  var line: [UInt8] {
    let value: JSONValue = [
      "id": .string(run.id.rawValue), "run": run.fields, "deadline": .string(deadline.description),
    ]
    return value.encoded + [0x0A]
  }
}

extension Outcome {
  /// Parses the outcome that a subprocess has written to its standard output, as the last line; nil if there is none.
  ///
  /// - Parameter output: everything that it has written.
  init?(subprocessOutput output: [UInt8]) {
    guard let line = output.split(separator: 0x0A).last, let value = try? JSONValue(parsing: Array(line)),
      let fields = value.object, let kind = fields["outcome"]?.string
    else { return nil }
    let text = fields["message"]?.string ?? ""
    let delay = fields["microseconds"]?.integer.map { Duration.microseconds($0) }
    switch kind {
    case "succeeded": self = .succeeded(output: fields["output"].map { JSONText($0) })
    case "snoozed": self = .snoozed(delay ?? .zero)
    case "continued": self = .continued(after: delay ?? .zero)
    case "cancelled": self = .cancelled(reason: text)
    case "failed", "permanent":
      let failure = RunFailure(kind: fields["kind"]?.string ?? "failure", message: text)
      self = .failed(failure, isPermanent: kind == "permanent", retryAfter: delay)
    default: return nil
    }
  }

  /// The outcome as a subprocess writes it: one line of JSON, after the end of any other line.
  var subprocessOutput: [UInt8] {
    var fields: [String: JSONValue]
    switch self {
    case .succeeded(let output):
      fields = ["outcome": "succeeded"]
      fields["output"] = output?.value
    case .snoozed(let delay): fields = ["outcome": "snoozed", "microseconds": .integer(delay.microseconds)]
    case .continued(let delay): fields = ["outcome": "continued", "microseconds": .integer(delay.microseconds)]
    case .cancelled(let reason): fields = ["outcome": "cancelled", "message": .string(reason)]
    case .failed(let failure, let isPermanent, let delay):
      fields = [
        "outcome": isPermanent ? "permanent" : "failed", "kind": .string(failure.kind),
        "message": .string(failure.message),
      ]
      fields["microseconds"] = delay.map { .integer($0.microseconds) }
    }
    return [0x0A] + JSONValue.object(fields).encoded + [0x0A]
  }

  /// Returns the outcome of a subprocess that has ended.
  ///
  /// - Parameters:
  ///   - output: everything that it has written to its standard output.
  ///   - end: how it ended.
  init(subprocessOutput output: [UInt8], end: SubprocessEnd) {
    if end == .exited(0), let outcome = Outcome(subprocessOutput: output) {
      self = outcome
    } else {
      self = .failed(RunFailure(kind: "subprocess", message: end.message), isPermanent: false, retryAfter: nil)
    }
  }
}

/// The end of a subprocess.
enum SubprocessEnd: Hashable, Sendable {
  case exited(Int32)
  case killed(signal: Int32)
  case notStarted(reason: String)

  var message: String {
    switch self {
    case .exited(0): "The subprocess ended without a result. Its main must call JobServer or runSubprocessAttempt()."
    case .exited(let status): "The subprocess ended with status \(status)."
    case .killed(let signal): "The subprocess was ended by signal \(signal)."
    case .notStarted(let reason): "The subprocess could not be started: \(reason)."
    }
  }
}
