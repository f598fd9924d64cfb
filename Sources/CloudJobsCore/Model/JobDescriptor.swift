/// The properties of a job's work that determine where its attempts execute.
///
/// An empty descriptor describes work that is light, fast and not retryable. A job without a descriptor is light and
/// fast, and is retried by its policy.
public struct JobDescriptor: Hashable, Sendable {
  /// The load that an attempt puts on a processor.
  public enum Weight: String, Hashable, Sendable, CaseIterable {
    /// Waits for I/O, and computes for milliseconds at most: it executes on Swift's shared pool.
    case light
    /// Computes: it executes on threads of its own, so that the I/O of other work never waits for it.
    case medium
    /// Computes for long, or with much memory: it executes in another process or another service.
    case heavy
  }

  /// The urgency of an attempt among others that wait for a thread.
  public enum Latency: String, Hashable, Sendable, CaseIterable {
    /// Someone waits for the result.
    case fast
    /// Nobody does: attempts that are fast go first.
    case slow
  }

  /// The load that an attempt puts on a processor.
  public var weight: Weight
  /// The urgency.
  public var latency: Latency
  /// Whether a failed attempt may be repeated; otherwise a failure is final.
  public var isRetryable: Bool

  /// Creates a descriptor; by default that of light, fast work that is not retryable.
  public init(weight: Weight = .light, latency: Latency = .fast, isRetryable: Bool = false) {
    self.weight = weight
    self.latency = latency
    self.isRetryable = isRetryable
  }

  /// Creates a descriptor from metadata; absent members have the values of an empty descriptor.
  ///
  /// - Parameter fields: an object.
  /// - Throws: ``JobError`` `invalidField` with the name of the first invalid member.
  public init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields)
    self.init(
      weight: try reader.choice("weight", Weight.self) ?? .light,
      latency: try reader.choice("latency", Latency.self) ?? .fast,
      isRetryable: try reader.bool("retryable") ?? false)
  }

  /// The descriptor as metadata: `{"weight", "latency", "retryable"}`.
  public var fields: JSONValue {
    ["weight": .string(weight.rawValue), "latency": .string(latency.rawValue), "retryable": .bool(isRetryable)]
  }
}

extension JobPolicy {
  /// The descriptor that counts: that of a job without one is derived from its retry policy.
  public var effectiveDescriptor: JobDescriptor {
    descriptor ?? JobDescriptor(isRetryable: retry.maxAttempts > 1)
  }
}
