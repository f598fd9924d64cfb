import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The standard streams of a program, of which the other end may be missing, gone or full.
package enum StandardStreams {
  /// Keeps lines of several threads whole.
  private static let turn = Mutex(())
  /// How often a line waits a second for a reader before it is dropped.
  private static let patience = 5

  /// Makes the streams safe to use; a program calls it before anything else.
  ///
  /// A stream that the program was started without becomes the null device: otherwise the next file that is opened
  /// would get its number, and lines meant for the console would go into a database. The signals for a reader that is
  /// gone and for a file over its size limit are ignored, so that the calls fail instead of the process.
  package static func prepare() {
    for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
      // The lowest free number is taken, which is this one.
      _ = open("/dev/null", number == 0 ? O_RDONLY : O_WRONLY)
    }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Writes a line to the standard output at once, so that a pipe's reader sees it; one that can't be written is
  /// dropped.
  package static func writeLine(_ line: String) {
    turn.withLock { _ in write(Array("\(line)\n".utf8), to: STDOUT_FILENO) }
  }

  /// Writes a line to the standard error; one that can't be written is dropped.
  package static func writeErrorLine(_ line: String) {
    turn.withLock { _ in write(Array("\(line)\n".utf8), to: STDERR_FILENO) }
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var written = 0
    var tries = patience
    bytes.withUnsafeBytes { buffer in
      while written < buffer.count {
        let count = putBytes(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
        if count > 0 {
          written += count
        } else if count < 0, errno == EAGAIN, tries > 0 {
          tries -= 1
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&ready, 1, 1_000)
        } else if count == 0 || errno != EINTR {
          return
        }
      }
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
