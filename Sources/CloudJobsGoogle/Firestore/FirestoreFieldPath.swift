#if HTTP
/// Field paths as masks and queries write them.
///
/// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery#FieldReference>.
enum FirestoreFieldPath {
  /// Segments joined by dots; one that is no simple identifier stands in backquotes.
  static func text(_ segments: String...) -> String {
    segments.map { quoted($0) }.joined(separator: ".")
  }

  private static func quoted(_ segment: String) -> String {
    let bytes = segment.utf8
    let isSimple =
      !bytes.isEmpty && bytes.first.map { !isDigit($0) } ?? false
      && bytes.allSatisfy { isDigit($0) || isLetter($0) }
    if isSimple { return segment }
    var text = "`"
    for scalar in segment.unicodeScalars {
      if scalar == "`" || scalar == "\\" { text.unicodeScalars.append("\\") }
      text.unicodeScalars.append(scalar)
    }
    return text + "`"
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }
}
#endif
