/// A set of documents that has indexes of its own.
enum IndexScope: Hashable, Sendable, Codable {
  /// The documents of one collection.
  case collection(Firestore.Path)
  /// The documents of all collections of an id.
  case group(String)
}
