import CloudJobsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The file `journal.jsonl` in a folder, which one process has for itself; its writes are waited for.
final class JournalFile: Sendable {
  /// The file's name.
  static let name = "journal.jsonl"
  private let descriptor: Int32
  private let path: String

  /// Opens or makes the file; the folder is made where there is none.
  ///
  /// - Throws: ``JobError`` `invalidField` where that fails, or where another process has the file.
  init(folder: String) throws(JobError) {
    if mkdir(folder, 0o755) != 0, errno != EEXIST { throw Self.failure("make the folder \(folder)") }
    path = folder + "/" + Self.name
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure("open \(path)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw JobError(
        .invalidField, "Another emulator uses \(path). Stop it, or choose another folder.", field: "--data",
        nativeCode: "errno \(errno)")
    }
    // The file's name must outlive a crash as well as what is in it.
    let parent = open(folder, O_RDONLY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
  }

  deinit { close(descriptor) }

  /// Whether there is nothing in the file.
  var isEmpty: Bool { lseek(descriptor, 0, SEEK_END) == 0 }

  /// Reads all lines in order, then cuts off a last one that was not written to its end.
  ///
  /// - Parameter body: takes a line and its number from 1.
  /// - Throws: ``JobError`` where the file can't be read, and what the closure throws.
  func readLines(_ body: (ArraySlice<UInt8>, Int) throws(JobError) -> Void) throws(JobError) {
    var rest: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    var number = 0
    var offset: off_t = 0
    while true {
      let count = pread(descriptor, &chunk, chunk.count, offset)
      guard count >= 0 else { throw Self.failure("read \(path)") }
      guard count > 0 else { break }
      offset += off_t(count)
      rest.append(contentsOf: chunk[..<count])
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
        number += 1
        try body(rest[start..<end], number)
        start = end + 1
      }
      rest.removeSubrange(..<start)
    }
    guard !rest.isEmpty else { return }
    guard ftruncate(descriptor, offset - off_t(rest.count)) == 0 else { throw Self.failure("cut off \(path)") }
  }

  /// Adds bytes, and waits until the device has them.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  func append(_ bytes: [UInt8]) throws(JobError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("write to \(path)") }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw Self.failure("write to \(path)") }
  }

  /// Empties the file, then adds bytes.
  ///
  /// - Throws: ``JobError`` `storeUnavailable`.
  func replaceAll(with bytes: [UInt8]) throws(JobError) {
    guard ftruncate(descriptor, 0) == 0 else { throw Self.failure("empty \(path)") }
    try append(bytes)
  }

  private static func failure(_ action: String) -> JobError {
    JobError(
      .storeUnavailable, "The emulator could not \(action). See to the folder's rights and the space that is left.",
      field: "--data", nativeCode: "errno \(errno)")
  }
}
