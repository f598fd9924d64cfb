import Synchronization

/// Time zones by name, as a value, so that a simulation may use other data.
///
/// `UTC` and `Etc/UTC` are always available; all others come from the function passed to the initializer. Loaded zones
/// are cached.
public struct ZoneCatalog: Sendable {
  private let load: @Sendable (String) -> [UInt8]?
  private let cache = Cache()

  private final class Cache: Sendable {
    let zones = Mutex<[String: Zone]>([:])
  }

  /// The maximum length of a name, in bytes.
  public static let maximumNameLength = 64
  /// The maximum number of cached zones; the database has about 600 names.
  static let maximumCount = 2_048

  /// Creates a catalog from a source of TZif files.
  ///
  /// - Parameter load: returns the contents of a zone's file, or nil if the name is unknown. It is called only with
  ///   valid names: no `..`, no absolute path.
  public init(_ load: @escaping @Sendable (String) -> [UInt8]?) {
    self.load = load
  }

  /// A catalog that knows `UTC` and `Etc/UTC` only.
  public static let utcOnly = ZoneCatalog { _ in nil }

  /// Returns the zone with a name.
  ///
  /// - Parameter name: an IANA name such as `Europe/Berlin`.
  /// - Returns: the zone, cached after the first request.
  /// - Throws: ``JobError`` `invalidTimeZone` if the name is invalid or unknown, or the zone's data is damaged.
  public func zone(named name: String) throws(JobError) -> Zone {
    if name == "UTC" { return .utc }
    guard Self.isName(name) else {
      throw JobError(
        .invalidTimeZone,
        "The time zone's name is not of the form Area/Location. Write an IANA name such as Europe/Berlin, or UTC.",
        field: "timeZone")
    }
    if name == "Etc/UTC" { return Zone(name: name, table: .utc) }
    if let zone = cache.zones.withLock({ $0[name] }) { return zone }
    guard let bytes = load(name) else {
      throw JobError(
        .invalidTimeZone,
        "The time zone \(name) is unknown. Write an IANA name such as Europe/Berlin, or UTC; on Debian the data "
          + "comes from the package tzdata.",
        field: "timeZone")
    }
    let zone = try Zone(name: name, tzif: bytes)
    cache.zones.withLock { zones in
      if zones.count < Self.maximumCount { zones[name] = zone }
    }
    return zone
  }

  /// Returns whether text is a valid zone name, so that it may become part of a path.
  static func isName(_ name: String) -> Bool {
    let bytes = name.utf8
    guard (1...maximumNameLength).contains(bytes.count), bytes.allSatisfy({ isNameByte($0) }) else { return false }
    return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
      part.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) } ?? false
    }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"),
      UInt8(ascii: "/"):
      true
    default: false
    }
  }
}
