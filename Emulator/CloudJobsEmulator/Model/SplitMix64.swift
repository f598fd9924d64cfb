/// A small seeded random number generator with the same sequence on every platform.
///
/// Source: S. Vigna, splitmix64 (<https://prng.di.unimi.it/splitmix64.c>).
package struct SplitMix64: RandomNumberGenerator, Hashable, Sendable, Codable {
  private var state: UInt64

  /// Creates a generator from a seed.
  package init(seed: UInt64) {
    state = seed
  }

  /// Returns the next 64 random bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// Returns a server-generated ID of 19 decimal digits without a leading 0, as Cloud Tasks makes them.
  mutating func decimalID() -> String {
    let high = next() % 9_000_000_000 + 1_000_000_000
    let low = next() % 1_000_000_000
    let digits = String(low)
    return "\(high)" + String(repeating: "0", count: 9 - digits.count) + digits
  }
}
