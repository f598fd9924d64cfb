#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that an option names.
package enum TextFile {
  /// Returns the bytes of a file; nil if it can't be read or is too large.
  ///
  /// - Parameters:
  ///   - path: the path.
  ///   - limit: the largest number of bytes.
  /// - Returns: the bytes, or nil.
  package static func read(_ path: String, upTo limit: Int) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard count <= limit, ferror(file) == 0 else { return nil }
    return Array(bytes.prefix(count))
  }

  /// Writes a file, in the place of one that may be there.
  ///
  /// - Returns: whether all of it was written.
  package static func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "wb") else { return false }
    let bytes = Array(text.utf8)
    let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
    return fclose(file) == 0 && isWritten
  }
}
