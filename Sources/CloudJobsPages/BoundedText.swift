#if Server
package import CloudJobsCore

/// Text from outside, bounded for a page.
package enum BoundedText {
  /// Returns the beginning of a text.
  ///
  /// - Parameters:
  ///   - text: the text.
  ///   - limit: the maximum number of Unicode scalars.
  /// - Returns: the text, or its beginning with an ellipsis.
  package static func cut(_ text: String, to limit: Int = 400) -> String {
    text.cut(to: limit)
  }

  /// Returns the beginning of a text in one line.
  ///
  /// - Parameters:
  ///   - text: the text.
  ///   - limit: the maximum number of Unicode scalars.
  /// - Returns: the text, or its beginning with an ellipsis, with spaces in place of line ends.
  package static func line(_ text: String, to limit: Int = 400) -> String {
    cut(text.split(whereSeparator: \.isNewline).joined(separator: " "), to: limit)
  }

  /// Returns the beginning of a sentence, with its times as pages show them.
  ///
  /// - Parameters:
  ///   - text: the sentence.
  ///   - limit: the maximum number of Unicode scalars.
  /// - Returns: the sentence, or its beginning with an ellipsis.
  package static func sentence(_ text: String, to limit: Int = 400) -> String {
    PageTime.readable(cut(text, to: limit))
  }

  /// Returns a name of lower camel case in words: `skippedBreakerOpen` as `skipped breaker open`.
  package static func words(_ name: String) -> String {
    var text = ""
    for character in name.prefix(60) {
      if character.isUppercase { text += " " + character.lowercased() } else { text.append(character) }
    }
    return text
  }

  /// Returns a failure in one sentence: its kind and its message, unless the message says the kind.
  package static func failure(_ failure: RunFailure) -> String {
    failure.message.hasPrefix(failure.kind) ? failure.message : "\(failure.kind): \(failure.message)"
  }
}
#endif
