/// A small seeded generator of random numbers: the same seed, the same numbers, on any machine.
///
/// Source: S. Vigna, splitmix64 (<https://prng.di.unimi.it/splitmix64.c>).
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable, Codable {
  private var state: UInt64

  /// A generator from a seed.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// A server-chosen id: decimal digits, as Cloud Tasks makes them, its first digit not 0.
  mutating func decimalID() -> String {
    let high = next() % 9_000_000_000 + 1_000_000_000
    let low = next() % 1_000_000_000
    let digits = String(low)
    return "\(high)" + String(repeating: "0", count: 9 - digits.count) + digits
  }
}
