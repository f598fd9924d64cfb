import CloudJobsCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder of the file system, locked by one process.
final class DataFolder: FolderFiles {
  /// The file whose lock marks the folder as in use.
  static let lockName = "lock"
  private let path: String
  private let lock: Int32
  private let writing = Mutex<[String: Int32]>([:])

  /// Opens and locks a folder, creating it if it does not exist.
  ///
  /// - Throws: ``JobError`` `storeUnavailable` on failure, `invalidField` if another process uses the folder.
  init(_ path: String) throws(JobError) {
    if mkdir(path, 0o755) != 0, errno != EEXIST { throw Self.failure("make the folder \(path)") }
    self.path = path
    lock = open("\(path)/\(Self.lockName)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw Self.failure("open \(path)/\(Self.lockName)") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      close(lock)
      throw JobError(
        .invalidField, "Another emulator uses \(path). Stop it, or choose another folder.", field: "--data",
        nativeCode: "errno \(number)")
    }
  }

  deinit {
    for descriptor in writing.withLock({ $0.values.map { $0 } }) { close(descriptor) }
    close(lock)
  }

  func names() throws(JobError) -> [String] {
    guard let entries = opendir(path) else { throw Self.failure("list \(path)") }
    defer { closedir(entries) }
    var names: [String] = []
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
          String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  func read(_ name: String, from offset: Int, count: Int) throws(JobError) -> [UInt8] {
    let descriptor = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("open \(path)/\(name)") }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    var length = 0
    while length < count {
      let size = bytes.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress?.advanced(by: length), count - length, off_t(offset + length))
      }
      if size < 0, errno == EINTR { continue }
      guard size >= 0 else { throw Self.failure("read \(path)/\(name)") }
      if size == 0 { break }
      length += size
    }
    bytes.removeSubrange(length...)
    return bytes
  }

  func append(_ bytes: [UInt8], to name: String) throws(JobError) {
    let descriptor = try descriptor(of: name)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("write to \(path)/\(name)") }
      written += count
    }
  }

  func overwrite(_ name: String, with bytes: [UInt8]) throws(JobError) {
    // Not the descriptor for appending, which would ignore the place.
    let descriptor = open("\(path)/\(name)", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("open \(path)/\(name)") }
    defer { close(descriptor) }
    let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard count == bytes.count else { throw Self.failure("write to \(path)/\(name)") }
  }

  func truncate(_ name: String, to size: Int) throws(JobError) {
    guard ftruncate(try descriptor(of: name), off_t(size)) == 0 else { throw Self.failure("cut off \(path)/\(name)") }
  }

  func sync(_ name: String) throws(JobError) {
    guard fsync(try descriptor(of: name)) == 0 else { throw Self.failure("write to \(path)/\(name)") }
  }

  func rename(_ name: String, to other: String) throws(JobError) {
    release(name)
    release(other)
    #if canImport(Glibc)
    let result = Glibc.rename("\(path)/\(name)", "\(path)/\(other)")
    #elseif canImport(Musl)
    let result = Musl.rename("\(path)/\(name)", "\(path)/\(other)")
    #else
    let result = Darwin.rename("\(path)/\(name)", "\(path)/\(other)")
    #endif
    guard result == 0 else { throw Self.failure("rename \(path)/\(name)") }
  }

  func remove(_ name: String) throws(JobError) {
    release(name)
    guard unlink("\(path)/\(name)") == 0 else { throw Self.failure("remove \(path)/\(name)") }
  }

  func syncNames() throws(JobError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("open \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.failure("write to \(path)") }
  }

  private func descriptor(of name: String) throws(JobError) -> Int32 {
    try writing.withLock { (writing) throws(JobError) in
      if let descriptor = writing[name] { return descriptor }
      let descriptor = open("\(path)/\(name)", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw Self.failure("open \(path)/\(name)") }
      writing[name] = descriptor
      return descriptor
    }
  }

  private func release(_ name: String) {
    if let descriptor = writing.withLock({ $0.removeValue(forKey: name) }) { close(descriptor) }
  }

  private static func failure(_ action: String) -> JobError {
    let number = errno
    return JobError(
      .storeUnavailable, "The emulator could not \(action). Check the folder's permissions and the free space.",
      field: "--data", nativeCode: "errno \(number)")
  }
}
