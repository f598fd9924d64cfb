extension String {
  /// Returns the text, or its beginning with an ellipsis where it is longer than a limit.
  ///
  /// It counts Unicode scalars, because a single character may have any number of combining marks: a stored text of
  /// this length takes four bytes a scalar at most.
  ///
  /// - Parameter limit: the maximum number of Unicode scalars, without the ellipsis.
  /// - Returns: the text, or its beginning with an ellipsis.
  package func cut(to limit: Int) -> String {
    // A scalar has one byte at least.
    if utf8.count <= limit { return self }
    let scalars = unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return self }
    return String(scalars[..<end]) + "…"
  }
}
