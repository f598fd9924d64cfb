import CloudJobsCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension MemoryReading {
  /// Reads this process's use of memory and its limit.
  ///
  /// - Parameter limits: the limits, which may name the available memory.
  /// - Returns: the reading; nil if there is no limit.
  static func system(_ limits: MemoryLimits) -> MemoryReading? {
    let variable = getenv("CLOUD_JOBS_MEMORY_LIMIT").flatMap { bytes(String(cString: $0)) }
    if let available = limits.bytes ?? variable {
      guard let used = residentBytes(text("/proc/self/statm") ?? "", pageSize: Int(getpagesize())) else { return nil }
      return MemoryReading(used: used, available: available)
    }
    return groupVersion2() ?? groupVersion1()
  }

  /// Reads the tightest limit among the process's control group and its parents
  /// (<https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files>).
  private static func groupVersion2() -> MemoryReading? {
    let folders = groups(text("/proc/self/cgroup") ?? "").map { "/sys/fs/cgroup\($0)" }
    let limited = folders.compactMap { folder in
      text("\(folder)/memory.max").flatMap { limit($0) }.map { (folder: folder, limit: $0) }
    }
    guard let tightest = limited.min(by: { $0.limit < $1.limit }),
      let used = workingSet(
        current: text("\(tightest.folder)/memory.current") ?? "",
        statistics: text("\(tightest.folder)/memory.stat") ?? ""
      )
    else { return nil }
    return MemoryReading(used: used, available: tightest.limit)
  }

  private static func groupVersion1() -> MemoryReading? {
    let folder = "/sys/fs/cgroup/memory"
    guard let available = text("\(folder)/memory.limit_in_bytes").flatMap({ limit($0) }),
      let used = workingSet(
        current: text("\(folder)/memory.usage_in_bytes") ?? "", statistics: text("\(folder)/memory.stat") ?? "")
    else { return nil }
    return MemoryReading(used: used, available: available)
  }

  /// Returns a file of the kernel as text; nil if it can't be read.
  private static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = read(descriptor, &bytes, bytes.count)
    return count >= 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }
}
