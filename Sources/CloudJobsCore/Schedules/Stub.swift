/// Stands in until the schedules land.
public struct Zone: Hashable, Sendable {
  /// The zone's name.
  public let name: String
  /// UTC.
  public static let utc = Zone(name: "Etc/UTC")
  /// Seconds east of UTC.
  public func offset(at: Timestamp) -> Int64 { 0 }
}
