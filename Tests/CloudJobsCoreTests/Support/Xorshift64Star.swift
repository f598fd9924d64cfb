/// A seeded generator for tests, xorshift64*.
///
/// Source: S. Vigna, "An experimental exploration of Marsaglia's xorshift generators"
/// (<https://arxiv.org/abs/1402.6246>).
struct Xorshift64Star: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed | 1
  }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
