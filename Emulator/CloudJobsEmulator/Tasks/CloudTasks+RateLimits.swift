extension CloudTasks {
  /// How fast a queue may dispatch.
  ///
  /// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RateLimits>.
  public struct RateLimits: Hashable, Sendable, Codable {
    /// The rate at which the token bucket fills; at most 500 a second.
    public var maxDispatchesPerSecond: DispatchRate
    /// The size of the token bucket; set by the service.
    public var maxBurstSize: Int
    /// How many attempts may be in flight; at most 5,000.
    public var maxConcurrentDispatches: Int

    /// Limits; nil and zero mean the default, 500 a second and 1,000 at once.
    ///
    /// The burst is the service's own choice: the rate rounded up, and not less than 100.
    public init(maxDispatchesPerSecond: DispatchRate? = nil, maxConcurrentDispatches: Int? = nil) {
      let rate = maxDispatchesPerSecond ?? .perSecond(0)
      self.maxDispatchesPerSecond = rate.millionthsPerSecond == 0 ? .perSecond(500) : rate
      let concurrent = maxConcurrentDispatches ?? 0
      self.maxConcurrentDispatches = concurrent == 0 ? 1_000 : concurrent
      let whole = (self.maxDispatchesPerSecond.millionthsPerSecond + 999_999) / 1_000_000
      maxBurstSize = max(100, Int(min(whole, 500)))
    }

    func validate() throws(ServiceFault) {
      guard maxDispatchesPerSecond.millionthsPerSecond >= 0 else {
        throw .invalidArgument("RateLimits.maxDispatchesPerSecond cannot be negative.")
      }
      guard maxDispatchesPerSecond <= .perSecond(500) else {
        throw .invalidArgument("RateLimits.maxDispatchesPerSecond must be less than or equal to 500.")
      }
      guard maxConcurrentDispatches >= 0 else {
        throw .invalidArgument("RateLimits.maxConcurrentDispatches cannot be negative.")
      }
      guard maxConcurrentDispatches <= 5_000 else {
        throw .invalidArgument("RateLimits.maxConcurrentDispatches must be less than or equal to 5000.")
      }
    }
  }
}
