/// The retry policy in a job's document; a nil value falls back to the definition in code.
public struct RetryOverride: Hashable, Sendable {
  /// The ways in which the delay grows; see ``RetryPolicy/Backoff``.
  public enum Growth: String, Hashable, Sendable, CaseIterable {
    /// The same delay each time.
    case fixed
    /// n times the delay after the nth failure.
    case linear
    /// The delay, multiplied after each further failure.
    case exponential
    /// A delay of its own after each failure.
    case delays
    /// The delay, doubled some times and then growing linearly.
    case cloudTasks
  }

  /// The maximum number of attempts, including the first.
  public var maxAttempts: Int?
  /// The growth of the delay.
  public var backoff: Growth?
  /// The delay after the first failure.
  public var delay: Duration?
  /// The factor by which an `exponential` delay grows.
  public var multiplier: Double?
  /// The delays after the first, second and further failures; they set the growth to `delays`.
  public var delays: [Duration]?
  /// The maximum delay.
  public var maxDelay: Duration?
  /// The number of times that a `cloudTasks` delay doubles.
  public var maxDoublings: Int?
  /// The random part of the delay.
  public var jitter: RetryPolicy.Jitter?
  /// The minimum time for which a run is retried.
  public var minimumDuration: Duration?
  /// The kinds of failures that are retried, and no others.
  public var only: [String]?
  /// The kinds of failures that are not retried.
  public var except: [String]?

  /// Creates an override that changes nothing.
  public init() {}

  /// Creates an override from its form in a job document, an object.
  init(fields: JSONValue) throws(JobError) {
    let reader = try FieldReader(fields, prefix: "retry.", field: "retry")
    try reader.refuseOthers(
      than: [
        "maxAttempts", "backoff", "delay", "multiplier", "delays", "maxDelay", "maxDoublings", "jitter",
        "minimumDuration", "only", "except",
      ], of: "a retry policy")
    maxAttempts = try reader.int("maxAttempts", 1...1_000_000)
    backoff = try reader.choice("backoff", Growth.self)
    delay = try reader.span("delay", seconds: 0...31_622_400)
    multiplier = try reader.read("multiplier", "a number from 1 to 1000") { value in
      value.double.flatMap { (1...1_000).contains($0) ? $0 : nil }
    }
    delays = try reader.spans("delays", seconds: 0...31_622_400)
    if delays != nil, backoff ?? .delays != .delays || delay != nil {
      throw JobError(.invalidField, "Set either a list of delays or another growth, not both.", field: "retry.delays")
    }
    if delays == nil, backoff == .delays {
      throw JobError(.invalidField, "Set the list of delays: {\"delays\": [\"10s\", \"1m\"]}.", field: "retry.delays")
    }
    maxDelay = try reader.span("maxDelay", seconds: 0...31_622_400)
    maxDoublings = try reader.int("maxDoublings", 0...62)
    jitter = try reader.choice("jitter", RetryPolicy.Jitter.self)
    minimumDuration = try reader.span("minimumDuration", seconds: 0...31_622_400)
    only = try reader.strings("only")
    except = try reader.strings("except")
    if only != nil, except != nil {
      throw JobError(.invalidField, "Set either only or except, not both.", field: "retry.except")
    }
  }

  var field: JSONValue {
    var members: [String: JSONValue] = [:]
    members["maxAttempts"] = maxAttempts.map { .integer(Int64($0)) }
    members["backoff"] = backoff.map { .string($0.rawValue) }
    members["delay"] = delay?.field
    members["multiplier"] = multiplier.map { .double($0) }
    members["delays"] = delays.map { .array($0.map(\.field)) }
    members["maxDelay"] = maxDelay?.field
    members["maxDoublings"] = maxDoublings.map { .integer(Int64($0)) }
    members["jitter"] = jitter.map { .string($0.rawValue) }
    members["minimumDuration"] = minimumDuration?.field
    members["only"] = only.map { .array($0.map { .string($0) }) }
    members["except"] = except.map { .array($0.map { .string($0) }) }
    return .object(members)
  }

  /// Returns the retry policy of a definition with this override.
  func applied(to policy: RetryPolicy) -> RetryPolicy {
    var policy = policy
    if let maxAttempts { policy.maxAttempts = max(1, maxAttempts) }
    if backoff != nil || delay != nil || multiplier != nil || delays != nil || maxDoublings != nil {
      policy.backoff = growth(over: policy.backoff)
    }
    if let maxDelay { policy.maxDelay = max(.zero, maxDelay) }
    if let jitter { policy.jitter = jitter }
    if let minimumDuration { policy.minimumDuration = max(.zero, minimumDuration) }
    if let only { policy.retried = .only(Set(only)) }
    if let except { policy.retried = .except(Set(except)) }
    return policy
  }

  private func growth(over defined: RetryPolicy.Backoff) -> RetryPolicy.Backoff {
    if let delays { return .delays(delays.map { max(.zero, $0) }) }
    let (definedGrowth, definedDelay): (Growth, Duration) =
      switch defined {
      case .fixed(let delay): (.fixed, delay)
      case .linear(let delay): (.linear, delay)
      case .exponential(let delay, _): (.exponential, delay)
      case .cloudTasks(let delay, _): (.cloudTasks, delay)
      // One delay, or one growth, in place of the whole list.
      case .delays(let delays): (.fixed, delays.first ?? .zero)
      }
    let delay = max(.zero, delay ?? definedDelay)
    switch backoff ?? definedGrowth {
    case .fixed, .delays: return .fixed(delay)
    case .linear: return .linear(delay)
    case .exponential:
      let definedMultiplier: Double = if case .exponential(_, let factor) = defined { factor } else { 2 }
      return .exponential(delay, multiplier: multiplier ?? definedMultiplier)
    case .cloudTasks:
      let definedDoublings = if case .cloudTasks(_, let doublings) = defined { doublings } else { 16 }
      return .cloudTasks(delay, maxDoublings: maxDoublings ?? definedDoublings)
    }
  }
}
