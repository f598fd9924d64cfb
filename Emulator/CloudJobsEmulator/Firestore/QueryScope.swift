/// Which documents a query looks at.
enum QueryScope: Hashable, Sendable, Codable {
  /// The documents of one collection.
  case collection(Firestore.Path)
  /// The documents of all collections of an id below a path.
  case group(String, under: Firestore.Path)
  /// The documents of all collections below a path: at all depths, or directly below it.
  case everything(under: Firestore.Path, isDeep: Bool)

  /// The set of documents, and of indexes, that holds all of these documents.
  var index: IndexScope? {
    switch self {
    case .collection(let path): .collection(path)
    case .group(let id, _): .group(id)
    case .everything: nil
    }
  }

  /// Whether a document belongs to the scope.
  func contains(_ path: Firestore.Path) -> Bool {
    switch self {
    case .collection(let collection):
      path.segments.count == collection.segments.count + 1 && path.isBelow(collection)
    case .group(let id, let parent): path.collectionID == id && path.isBelow(parent)
    case .everything(let parent, let isDeep):
      path.isBelow(parent) && (isDeep || path.segments.count == parent.segments.count + 2)
    }
  }
}
