import Synchronization

/// A source of random numbers that tasks share: the system's, or a seeded one.
public final class RandomSource: Sendable {
  private let generator: Mutex<any RandomNumberGenerator & Sendable>

  /// Creates a source that draws from a generator.
  ///
  /// - Parameter generator: the generator.
  public init(_ generator: some RandomNumberGenerator & Sendable) {
    self.generator = Mutex(generator)
  }

  /// Calls a function with the generator, which no other task can use meanwhile.
  package func draw<Result: Sendable>(_ draw: (inout any RandomNumberGenerator & Sendable) -> sending Result) -> Result
  {
    generator.withLock { draw(&$0) }
  }

  /// Returns 32 random hexadecimal digits.
  func token() -> String {
    let (high, low) = draw { ($0.next() as UInt64, $0.next() as UInt64) }
    return [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

extension RandomSource {
  /// The system's random numbers.
  public static let system = RandomSource(SystemRandomNumberGenerator())
}
