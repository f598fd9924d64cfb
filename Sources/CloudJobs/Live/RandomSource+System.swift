extension RandomSource {
  /// The system's random numbers.
  public static let system = RandomSource(SystemRandomNumberGenerator())
}
