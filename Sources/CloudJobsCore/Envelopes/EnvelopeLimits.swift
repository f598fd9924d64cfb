/// Bounds that an envelope must keep.
public struct EnvelopeLimits: Hashable, Sendable {
  /// The whole body.
  public var body: JSONLimits
  /// The payload in it, wherever it stands: it must fit a native envelope again, to be enqueued for a retry.
  public var payload: JSONLimits
  /// The longest occurrence key that a caller may choose, in bytes.
  public var keyBytes: Int
  /// The longest correlation id, in bytes.
  public var correlationBytes: Int
  /// The longest name that a delivering service may give (a task, a message, an event's source), in bytes.
  public var nameBytes: Int
  /// The largest number of an attempt.
  public var attempt: Int64

  /// Bounds; each has the standard value unless another is given.
  public init(
    body: JSONLimits = .envelope, payload: JSONLimits = .payload, keyBytes: Int = 256, correlationBytes: Int = 256,
    nameBytes: Int = 1_024, attempt: Int64 = 1_000_000
  ) {
    self.body = body
    self.payload = payload
    self.keyBytes = keyBytes
    self.correlationBytes = correlationBytes
    self.nameBytes = nameBytes
    self.attempt = attempt
  }

  /// Body 1 MiB and 32 levels deep, payload 4 KiB and one level less, keys and correlation ids 256 bytes, names 1 KiB,
  /// attempts up to 1,000,000.
  public static let standard = EnvelopeLimits()
}
