#if Server
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The lines that this process writes to standard error, one after the other.
enum StandardErrorLines {
  private static let turn = Mutex(())

  /// Writes a line; nothing is kept back, so that no line is lost if the process ends.
  static func write(_ line: [UInt8]) {
    let bytes = line + [UInt8(ascii: "\n")]
    _ = turn.withLock { _ in DescriptorBytes.write(bytes, to: STDERR_FILENO) }
  }
}

/// Bytes for a file descriptor.
enum DescriptorBytes {
  /// Writes all bytes.
  ///
  /// - Parameters:
  ///   - bytes: the bytes.
  ///   - descriptor: the descriptor.
  /// - Returns: whether all of them were written.
  @discardableResult
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        #if canImport(Glibc)
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        #elseif canImport(Musl)
        let count = Musl.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        #else
        let count = Darwin.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        #endif
        if count < 0 {
          if errno == EINTR { continue }
          return false
        }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }

  /// Opens a file to append to it, which is created for its owner alone.
  ///
  /// - Parameter path: the path.
  /// - Returns: the descriptor; nil if the file can't be opened.
  static func append(toFile path: String) -> Int32? {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    return descriptor < 0 ? nil : descriptor
  }

  /// Closes a descriptor.
  static func end(_ descriptor: Int32) { close(descriptor) }
}
#endif
