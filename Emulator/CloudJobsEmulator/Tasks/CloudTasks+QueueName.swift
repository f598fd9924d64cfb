extension CloudTasks {
  /// The name of a queue: `projects/P/locations/L/queues/Q`.
  public struct QueueName: Hashable, Comparable, Sendable {
    /// The whole name.
    public let text: String
    /// The location that the queue belongs to.
    public let location: LocationName
    /// The last part.
    public let id: String

    /// Checks a name.
    ///
    /// - Throws: ``ServiceFault`` `invalidArgument`.
    public init(_ text: String) throws(ServiceFault) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 6, parts[4] == "queues", NameAlphabet.queue.allows(parts[5]),
        let location = try? LocationName(parts[..<4].joined(separator: "/"))
      else {
        throw .invalidArgument(
          "Queue name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>\".")
      }
      self.text = text
      self.location = location
      self.id = String(parts[5])
    }

    /// Equality of the whole name.
    public static func == (left: QueueName, right: QueueName) -> Bool { left.text == right.text }

    /// Hashes the whole name.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Alphabetical order.
    public static func < (left: QueueName, right: QueueName) -> Bool { left.text < right.text }
  }
}

extension CloudTasks.QueueName: CustomStringConvertible {
  /// The whole name.
  public var description: String { text }
}

extension CloudTasks.QueueName: Codable {
  /// The name of a text.
  public init(from decoder: any Decoder) throws { try self.init(String(from: decoder)) }

  /// The whole name as a text.
  public func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
}
