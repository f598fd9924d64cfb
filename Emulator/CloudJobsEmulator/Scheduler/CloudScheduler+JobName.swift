extension CloudScheduler {
  /// The name of a job: `projects/P/locations/L/jobs/J`.
  public struct JobName: Hashable, Comparable, Sendable {
    /// The whole name.
    public let text: String
    /// The location that the job belongs to.
    public let location: LocationName
    /// The last part.
    public let id: String

    /// Checks a name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    public init(_ text: String) throws(ServiceFault) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 6, parts[4] == "jobs", NameAlphabet.task.allows(parts[5]),
        let location = try? LocationName(parts[..<4].joined(separator: "/"))
      else {
        throw .invalidArgument(
          "Job name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/jobs/<JOB_ID>\".")
      }
      self.init(location: location, uncheckedID: String(parts[5]))
    }

    init(location: LocationName, uncheckedID id: String) {
      self.location = location
      self.id = id
      text = "\(location.text)/jobs/\(id)"
    }

    /// Equality of the whole name.
    public static func == (left: JobName, right: JobName) -> Bool { left.text == right.text }

    /// Hashes the whole name.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Alphabetical order.
    public static func < (left: JobName, right: JobName) -> Bool { left.text < right.text }
  }
}

extension CloudScheduler.JobName: CustomStringConvertible {
  /// The whole name.
  public var description: String { text }
}

extension CloudScheduler.JobName: Codable {
  /// The name of a text.
  public init(from decoder: any Decoder) throws { try self.init(String(from: decoder)) }

  /// The whole name as a text.
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
