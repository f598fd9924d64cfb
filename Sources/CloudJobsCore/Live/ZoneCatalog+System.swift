#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension ZoneCatalog {
  /// The system's time zones, from `/usr/share/zoneinfo`.
  public static let system = ZoneCatalog.system(directory: "/usr/share/zoneinfo")

  /// Returns a catalog of a folder of TZif files.
  ///
  /// - Parameter directory: the folder, such as the value of the environment variable `TZDIR`.
  /// - Returns: a catalog that reads a zone's file on first use.
  public static func system(directory: String) -> ZoneCatalog {
    ZoneCatalog { name in contents(ofFile: "\(directory)/\(name)", atMost: TZifReader.maximumLength) }
  }

  /// Returns the bytes of a regular file, or nil if it does not exist, is unreadable or exceeds the limit.
  static func contents(ofFile path: String, atMost limit: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
      return nil
    }
    let size = Int(status.st_size)
    var filled = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while filled < size {
        let more = read(descriptor, buffer.baseAddress?.advanced(by: filled), size - filled)
        if more < 0, errno == EINTR { continue }
        guard more > 0 else { break }
        filled += more
      }
      count = filled
    }
    return filled == size ? bytes : nil
  }
}
