import Synchronization

/// Time zones by name: a value, so that a simulation may run with other data.
///
/// `UTC` and `Etc/UTC` are always there; all else comes from the function that the catalog was made with. What it has
/// read it keeps.
public struct ZoneCatalog: Sendable {
  private let load: @Sendable (String) -> [UInt8]?
  private let cache = Cache()

  private final class Cache: Sendable {
    let zones = Mutex<[String: Zone]>([:])
  }

  /// The longest name, in bytes.
  public static let maximumNameLength = 64
  /// How many zones a catalog keeps; the database has about 600 names.
  static let maximumCount = 2_048

  /// A catalog over a source of TZif files.
  ///
  /// - Parameter load: answers the bytes of a zone's file, or nil where the name is not known. It is called at most
  ///   once at a time for a name that has the form of one: no `..`, no absolute path.
  public init(_ load: @escaping @Sendable (String) -> [UInt8]?) {
    self.load = load
  }

  /// A catalog that knows `UTC` and `Etc/UTC` only.
  public static let utcOnly = ZoneCatalog { _ in nil }

  /// The zone of a name.
  ///
  /// - Parameter name: an IANA name such as `Europe/Berlin`.
  /// - Returns: the zone, from memory where it was asked for before.
  /// - Throws: ``JobError`` `invalidTimeZone` where the name has the wrong form, is not known, or its data are damaged.
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
        "The time zone \(name) is not known. Write an IANA name such as Europe/Berlin, or UTC; on Debian the data come "
          + "from the package tzdata.",
        field: "timeZone")
    }
    let zone = try Zone(name: name, tzif: bytes)
    cache.zones.withLock { zones in
      if zones.count < Self.maximumCount { zones[name] = zone }
    }
    return zone
  }

  /// Whether a text has the form of a zone's name, so that it may become part of a path.
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
