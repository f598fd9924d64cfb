/// A document's name, compared by its bytes.
///
/// Two texts that Swift considers equal because they look alike (`é` as one scalar or as two) are two names.
struct DocumentName: Hashable, Comparable, Sendable {
  let text: String

  init(_ text: String) {
    self.text = text
  }

  static func == (left: DocumentName, right: DocumentName) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  static func < (left: DocumentName, right: DocumentName) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}
