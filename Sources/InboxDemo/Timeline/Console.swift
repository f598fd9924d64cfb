import ProgramConsole

/// The terminal.
enum Console {
  /// Writes a line at once, whole; where nobody reads it, the demo goes on without.
  static func write(_ line: String) {
    StandardStreams.writeLine(line)
  }

  /// Text of foreign origin without characters that could move the cursor or change colours.
  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
          default: scalar
          }
        }))
  }
}
