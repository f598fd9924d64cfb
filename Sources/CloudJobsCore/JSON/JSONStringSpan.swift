/// Where a string's content lies between its quotes, and what it takes to read it.
struct JSONStringSpan {
  /// The offset behind the opening quote.
  var start: Int
  /// The offset of the closing quote.
  var end: Int
  /// Whether the content has escapes.
  var hasEscapes = false
  /// Whether each byte of the content is ASCII.
  var isASCII = true

  /// Whether equal content means equal bytes.
  var isPlain: Bool { isASCII && !hasEscapes }
}
