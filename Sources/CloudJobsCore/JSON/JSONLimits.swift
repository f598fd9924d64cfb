/// Bounds that a JSON text must keep.
public struct JSONLimits: Hashable, Sendable {
  /// The largest text, in bytes.
  public var bytes: Int
  /// The deepest nesting of arrays and objects; a scalar alone has depth 0.
  ///
  /// Each level takes a frame of the stack while the text is read: keep it in the hundreds.
  public var depth: Int

  /// Bounds of a size and a depth.
  public init(bytes: Int, depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  /// What an envelope may have: 1 MiB, depth 32.
  public static let envelope = JSONLimits(bytes: 1_048_576, depth: 32)
  /// What a payload may have, so that the envelope around it keeps its own bounds: 4 KiB and one level less.
  public static let payload = JSONLimits(bytes: 1_044_480, depth: 31)
  /// What an answer of a trusted service may have: 64 MiB, depth 128.
  public static let service = JSONLimits(bytes: 67_108_864, depth: 128)
}
