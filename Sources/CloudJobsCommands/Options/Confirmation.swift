import ArgumentParser

/// The consent to what can't be undone.
struct Confirmation: ParsableArguments {
  @Flag(help: "Does what can't be undone without a question.")
  var yes = false

  /// Refuses to go on without consent.
  ///
  /// - Parameter effect: what would happen, as a sentence.
  /// - Throws: `ValidationError` without consent.
  func require(_ effect: String) throws {
    if !yes { throw ValidationError("\(effect) Add --yes if you mean it.") }
  }
}
