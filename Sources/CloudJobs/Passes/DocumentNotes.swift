import Synchronization

/// What was last logged about each document, so that the same is not logged with each look at it.
final class DocumentNotes: Sendable {
  private let texts = Mutex<[String: String]>([:])

  /// Notes a text about a document.
  ///
  /// - Parameters:
  ///   - text: what is to be logged; empty where nothing is.
  ///   - subject: a job's name, or what else the text is about.
  /// - Returns: whether the text differs from the last one.
  func isNew(_ text: String, about subject: String) -> Bool {
    texts.withLock { texts in (texts.updateValue(text, forKey: subject) ?? "") != text }
  }
}
