import Synchronization

/// Random numbers that tasks share: from the system, or the same at each start.
public final class RandomSource: Sendable {
  private let generator: Mutex<any RandomNumberGenerator & Sendable>

  /// Draws from a generator.
  ///
  /// - Parameter generator: where the numbers come from.
  public init(_ generator: some RandomNumberGenerator & Sendable) {
    self.generator = Mutex(generator)
  }

  /// Gives the generator to a function, which no other task can use meanwhile.
  package func draw<Result: Sendable>(_ draw: (inout any RandomNumberGenerator & Sendable) -> sending Result) -> Result
  {
    generator.withLock { draw(&$0) }
  }

  /// Thirty-two random hexadecimal digits.
  func token() -> String {
    let (high, low) = draw { ($0.next() as UInt64, $0.next() as UInt64) }
    return [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
