extension CloudScheduler {
  /// A message to publish.
  ///
  /// Source: <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#PubsubTarget>.
  public struct PubsubTarget: Hashable, Sendable, Codable {
    /// The topic: `projects/P/topics/T`.
    public var topicName: String
    /// The message's data.
    @Base64Bytes public var data: [UInt8]
    /// The message's attributes.
    public var attributes: [String: String]

    /// A message for a topic.
    public init(topicName: String, data: [UInt8] = [], attributes: [String: String] = [:]) {
      self.topicName = topicName
      self.data = data
      self.attributes = attributes
    }

    func validate() throws(ServiceFault) {
      let parts = topicName.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0] == "projects", parts[2] == "topics", !parts[1].isEmpty, !parts[3].isEmpty else {
        throw .invalidArgument("PubsubTarget.topicName must be formatted: \"projects/<PROJECT_ID>/topics/<TOPIC_ID>\".")
      }
      guard !data.isEmpty || !attributes.isEmpty else {
        throw .invalidArgument("PubsubTarget must contain either non-empty data, or at least one attribute.")
      }
    }
  }
}
