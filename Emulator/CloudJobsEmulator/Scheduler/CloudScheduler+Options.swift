extension CloudScheduler {
  /// Where the emulator delivers what needs more than an HTTP target.
  public struct Options: Hashable, Sendable {
    /// The URL that a topic's messages are pushed to, by the topic's name; without one a firing fails and says so.
    public var pushEndpoints: [String: String]
    /// What stands for App Engine, such as `http://127.0.0.1:8080`; without it a firing fails and says so.
    public var appEngineOrigin: String?

    /// Options; by default only HTTP targets are delivered.
    public init(pushEndpoints: [String: String] = [:], appEngineOrigin: String? = nil) {
      self.pushEndpoints = pushEndpoints
      self.appEngineOrigin = appEngineOrigin
    }
  }
}
