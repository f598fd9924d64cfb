package import CloudJobsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder that a program fills with new files.
package struct FolderWriter: Sendable {
  /// The path of the folder.
  package let path: String

  /// Creates the writer of a folder.
  ///
  /// - Parameter path: its path; it is made with the first file.
  package init(_ path: String) {
    self.path = path
  }

  /// The absolute path; that in the working folder if the folder does not exist.
  package var absolutePath: String { Self.absolute(path) }

  /// Returns an absolute path.
  ///
  /// - Parameter path: a path, which need not exist.
  /// - Returns: the path from the root.
  package static func absolute(_ path: String) -> String {
    if let real = realpath(path, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
  }

  /// Returns the names of the folder's files, hidden ones included; empty if there is no folder.
  package func names() -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Writes a new file, with the folders that lead to it.
  ///
  /// - Parameters:
  ///   - text: its contents.
  ///   - name: its path within the folder.
  /// - Throws: ``JobError`` `invalidField` if there is such a file, or if it can't be written.
  package func write(_ text: String, to name: String) throws(JobError) {
    let file = "\(path)/\(name)"
    var folder = file.hasPrefix("/") ? "" : "."
    for part in file.split(separator: "/").dropLast() {
      folder += "/\(part)"
      mkdir(folder, 0o777)
    }
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure(file) }
    defer { close(descriptor) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Self.failure(file) }
      bytes = bytes.dropFirst(count)
    }
  }

  private static func failure(_ file: String) -> JobError {
    JobError(
      .storeUnavailable,
      "\(file) can't be written: \(String(cString: strerror(errno))). Choose a folder that you may write to.")
  }
}

private func systemWrite(_ descriptor: Int32, _ pointer: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, pointer, count)
}
