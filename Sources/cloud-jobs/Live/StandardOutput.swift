#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lines to the standard output, unbuffered, so that whoever reads a pipe sees them at once.
enum StandardOutput {
  /// Writes a line.
  static func write(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    var written = 0
    bytes.withUnsafeBytes { buffer in
      while written < buffer.count {
        let count = putBytes(buffer.baseAddress?.advanced(by: written), buffer.count - written)
        guard count > 0 else { return }
        written += count
      }
    }
  }

  private static func putBytes(_ pointer: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
    Glibc.write(STDOUT_FILENO, pointer, count)
    #elseif canImport(Musl)
    Musl.write(STDOUT_FILENO, pointer, count)
    #else
    Darwin.write(STDOUT_FILENO, pointer, count)
    #endif
  }
}
