#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The end of a program that can't go on.
package enum ProcessExit {
  /// Writes an error as one line to the standard error, and ends the process with the status 1.
  ///
  /// Threads of the program may be at work: nothing of the C library's own clean-up runs, which would pull the ground
  /// from under them.
  package static func fail(with error: any Error) -> Never {
    let line = Array((StartUpError.line(for: error) + "\n").utf8)
    fflush(nil)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    _exit(EXIT_FAILURE)
  }
}
