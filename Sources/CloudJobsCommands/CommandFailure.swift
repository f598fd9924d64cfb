import ArgumentParser
import CloudJobsCore
import ProgramConsole

/// The end of a command that failed: one line on standard error, and an exit code.
enum CommandFailure {
  /// Runs the body of a command; its error is told in one line with the remedy.
  ///
  /// - Throws: `ExitCode` or what the parser of arguments tells by itself.
  static func reporting(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch {
      throw report(error)
    }
  }

  /// Tells an error, and returns what ends the process.
  static func report(_ error: any Error) -> any Error {
    switch error {
    case is ExitCode, is ValidationError: return error
    case is CancellationError: return ExitCode(130)
    default:
      StandardStreams.writeErrorLine("Error: \(text(of: error))")
      return ExitCode(code(of: error))
    }
  }

  /// Returns an error in one line: the option or the field concerned, what failed, and the remedy.
  static func text(of error: any Error) -> String {
    guard var error = error as? JobError, let field = error.field else { return ProgramFailure(error).description }
    error.field = nil
    let text = ProgramFailure(error).description
    return (place(of: field).map { "\($0): " } ?? "") + text
  }

  /// Returns where an operator finds the field of an error; nil if the message tells it.
  private static func place(of field: String) -> String? {
    switch field {
    case "jobId", "runId": nil
    case "payload": "--input"
    case _ where field.hasPrefix("payload."): "--input"
    case "store", "key", "delay": "--\(field)"
    default: field
    }
  }

  /// Returns the exit code of an error.
  static func code(of error: any Error) -> Int32 {
    guard let error = error as? JobError else { return 1 }
    return switch error.code {
    case .unknownJob, .notFound, .busy, .payloadKeyUnavailable: 2
    case .invalidField, .invalidSchedule, .invalidTimeZone, .malformedEnvelope, .malformedJSON, .invalidInput: 64
    default: 1
    }
  }
}
