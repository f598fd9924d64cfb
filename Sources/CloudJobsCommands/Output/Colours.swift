import ProgramConsole

/// Colours of statuses on a terminal.
///
/// A painted word has marks around it, which take up no column and become escape sequences when a line is written; so
/// no text from a store can contain an escape sequence.
enum Colours {
  /// The marks: characters for private use, which no text of a store needs.
  private static let marks: [Character: String] = [
    "\u{F8F0}": "\u{1B}[0m", "\u{F8F1}": "\u{1B}[31m", "\u{F8F2}": "\u{1B}[32m", "\u{F8F3}": "\u{1B}[33m",
    "\u{F8F4}": "\u{1B}[36m",
  ]
  private static let end: Character = "\u{F8F0}"

  /// Returns a status with the marks of its colour; another word as it is.
  ///
  /// - Parameter text: the word, with spaces around it.
  /// - Returns: the marked text.
  static func paint(_ text: String) -> String {
    let mark: Character? =
      switch text.split(separator: " ").joined(separator: " ") {
      case "failed", "lost", "set aside", "error", "critical": "\u{F8F1}"
      case "succeeded", "success", "ok": "\u{F8F2}"
      case "cancelled", "stopping", "warning", "paused", "no, paused": "\u{F8F3}"
      case "running": "\u{F8F4}"
      default: nil
      }
    return mark.map { "\($0)\(text)\(end)" } ?? text
  }

  /// Returns a line as it is written: marks become escape sequences, or vanish where there are no colours.
  static func rendered(_ line: String, hasColours: Bool) -> String {
    guard line.contains(where: { marks[$0] != nil }) else { return line }
    return line.reduce(into: "") { text, character in
      if let sequence = marks[character] {
        if hasColours { text += sequence }
      } else {
        text.append(character)
      }
    }
  }
}
