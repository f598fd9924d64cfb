import CloudJobsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The exit of a program that can't continue.
package enum ProcessExit {
  /// Writes an error as one line to standard error, and exits with status 1.
  ///
  /// The C library's exit handlers do not run, because other threads may still use what they free.
  package static func fail(with error: any Error) -> Never {
    let line = Array((StartUpError.line(for: error) + "\n").utf8)
    fflush(nil)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    _exit(EXIT_FAILURE)
  }
}

/// The one-line form of a program's final error.
package enum StartUpError {
  /// Returns the line: what failed, and the remedy.
  ///
  /// - Parameter error: any error.
  /// - Returns: text without line breaks.
  package static func line(for error: any Error) -> String {
    let text: String
    if let error = error as? JobError {
      text = error.message + (error.nativeCode.map { " [\($0)]" } ?? "")
    } else {
      text = "\(error)"
    }
    return "error: " + text.split(whereSeparator: \.isNewline).map { trimmed($0) }.joined(separator: " ")
  }

  private static func trimmed(_ line: Substring) -> Substring {
    let start = line.drop(while: \.isWhitespace)
    return start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map { start.index(after: $0) } ?? start.startIndex)
  }
}
