import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard streams of a program, whose other end may be missing, closed or full.
package enum StandardStreams {
  /// A lock that keeps lines of several threads whole.
  private static let lock = Mutex(())
  /// The number of seconds that a line waits for a reader before it is dropped.
  private static let maximumWaits = 5

  /// Makes the streams safe to use; called before anything else.
  ///
  /// A missing stream becomes the null device: otherwise the next opened file would get its number, and console lines
  /// would be written into a database. The signals for a closed reader and for a file over its size limit are ignored,
  /// so that the calls fail instead of the process.
  package static func prepare() {
    for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
      // `open` returns the lowest free number, which is this one.
      _ = open("/dev/null", number == 0 ? O_RDONLY : O_WRONLY)
    }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Writes a line to standard output immediately; a line that can't be written is dropped.
  ///
  /// - Parameter line: the line without its terminator.
  /// - Returns: whether it was written.
  @discardableResult
  package static func writeLine(_ line: String) -> Bool {
    lock.withLock { _ in write(Array("\(line)\n".utf8), to: STDOUT_FILENO) }
  }

  /// Writes a line to standard error; a line that can't be written is dropped.
  package static func writeErrorLine(_ line: String) {
    _ = lock.withLock { _ in write(Array("\(line)\n".utf8), to: STDERR_FILENO) }
  }

  /// Asks for a line of text: the question stands on the line of the answer.
  ///
  /// - Parameter question: the question.
  /// - Returns: the answer, without its terminator and the spaces around it; nil at the end of the input.
  package static func ask(_ question: String) -> String? {
    lock.withLock { _ in _ = write(Array(question.utf8), to: STDOUT_FILENO) }
    guard let answer = readLine() else { return nil }
    let isSpace = { (character: Character) in character.isWhitespace }
    return String(answer.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    var tries = maximumWaits
    return bytes.withUnsafeBytes { buffer in
      while written < buffer.count {
        let count = putBytes(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
        if count > 0 {
          written += count
        } else if count < 0, errno == EAGAIN, tries > 0 {
          tries -= 1
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&ready, 1, 1_000)
        } else if count == 0 || errno != EINTR {
          return false
        }
      }
      return true
    }
  }

  private static func putBytes(_ descriptor: Int32, _ pointer: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
    Glibc.write(descriptor, pointer, count)
    #elseif canImport(Musl)
    Musl.write(descriptor, pointer, count)
    #else
    Darwin.write(descriptor, pointer, count)
    #endif
  }
}
