import ProgramConsole

/// The console output of the demo.
enum Console {
  /// Writes a whole line immediately; a line that can't be written is dropped.
  static func write(_ line: String) {
    StandardStreams.writeLine(line)
  }

  /// Returns external text without characters that could move the cursor or change colors.
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
