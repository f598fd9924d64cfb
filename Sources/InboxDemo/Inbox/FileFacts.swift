import CloudJobs
import CloudJobsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The result of ingesting a file.
struct FileFacts: Codable, Hashable, Sendable {
  /// The size in bytes.
  var bytes: Int
  /// The SHA-256 digest in hexadecimal digits.
  var sha256: String
  /// The number of newline bytes.
  var lines: Int
  /// The number of byte sequences separated by ASCII white space.
  var words: Int

  /// Reads a file to its end in pieces, so that its size does not matter.
  ///
  /// - Throws: ``JobFailure`` with the system's error message.
  static func read(_ path: InboxPath, in inbox: Inbox) async throws -> FileFacts {
    // Opening a pipe without a writer would block; without blocking it can be recognized and rejected.
    let file = open(inbox.systemPath(path), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw failure("can't be opened", errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("can't be examined", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw JobFailure.permanent("This is not a regular file.", kind: "notAFile")
    }
    var counter = FileCounter()
    var buffer = [UInt8](repeating: 0, count: 256 * 1024)
    while true {
      try Task.checkCancellation()
      let count = systemRead(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("can't be read", errno) }
      if count == 0 { return counter.facts }
      counter.add(buffer[..<count])
      await Task.yield()
    }
  }

  private static func failure(_ what: String, _ code: CInt) -> JobFailure {
    JobFailure.failed("The file \(what): \(String(cString: strerror(code))).", kind: "unreadableFile")
  }
}

/// A counter and digest of bytes that arrive in pieces.
struct FileCounter {
  private var digest = SHA256()
  private var bytes = 0
  private var lines = 0
  private var words = 0
  private var isInWord = false

  mutating func add(_ piece: ArraySlice<UInt8>) {
    digest.update(piece)
    bytes += piece.count
    for byte in piece {
      if byte == 0x0A { lines += 1 }
      let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
      if !isSpace, !isInWord { words += 1 }
      isInWord = !isSpace
    }
  }

  var facts: FileFacts {
    let copy = digest
    return FileFacts(bytes: bytes, sha256: SHA256.hex(copy.finalize()), lines: lines, words: words)
  }
}

/// Calls the system's `read`, which the type's own function of that name hides.
private func systemRead(_ file: CInt, _ buffer: inout [UInt8], _ count: Int) -> Int {
  read(file, &buffer, count)
}
