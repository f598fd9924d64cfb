import CloudJobsCore

/// An error as the one line that a program ends with.
package enum StartUpError {
  /// The line: what failed, and the remedy.
  ///
  /// - Parameter error: any error.
  /// - Returns: text without line breaks.
  package static func line(for error: any Error) -> String {
    let text: String
    if let error = error as? JobError {
      text = error.message + (error.nativeCode.map { " [\($0)]" } ?? "")
    } else {
      text = "\(error)"
    }
    return "error: " + text.split(whereSeparator: \.isNewline).map { trimmed($0) }.joined(separator: " ")
  }

  private static func trimmed(_ line: Substring) -> Substring {
    let start = line.drop(while: \.isWhitespace)
    return start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map { start.index(after: $0) } ?? start.startIndex)
  }
}
