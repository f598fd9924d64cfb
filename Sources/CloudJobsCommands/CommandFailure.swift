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
      StandardStreams.writeErrorLine("Error: \(ProgramFailure(error).description)")
      return ExitCode(code(of: error))
    }
  }

  /// Returns the exit code of an error.
  static func code(of error: any Error) -> Int32 {
    guard let error = error as? JobError else { return 1 }
    return switch error.code {
    case .unknownJob, .notFound, .busy: 2
    case .invalidField, .invalidSchedule, .invalidTimeZone, .malformedEnvelope, .malformedJSON, .invalidInput: 64
    default: 1
    }
  }
}
