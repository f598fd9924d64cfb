import CloudJobsCore

/// Reads that are for people who look at an emulator: they count as no operation and change nothing.
extension FirestoreService {
  /// The number of documents in all databases.
  package var documentCount: Int { databases.values.reduce(0) { $0 + $1.documents.count } }

  /// The names of the databases with documents, sorted.
  package var databaseNames: [Firestore.DatabaseName] {
    databases.values.filter { !$0.documents.isEmpty }.map(\.name).sorted { $0.order(to: $1) == .before }
  }

  /// Returns the number of documents in a database.
  package func documentCount(in database: Firestore.DatabaseName) -> Int { databases[database]?.documents.count ?? 0 }

  /// Returns the number of documents in a collection, without those below its documents.
  package func documentCount(in collection: Firestore.Name) -> Int {
    databases[collection.database]?.indexes[.collection(collection.path)]?.members.count ?? 0
  }

  /// Returns the collections directly below a document or the root, or the documents of a collection, missing ones
  /// with descendants included, sorted by ID.
  ///
  /// - Parameters:
  ///   - parent: the name.
  ///   - id: the ID that the first one follows; nil for the first ones.
  ///   - limit: the maximum number.
  /// - Returns: the names.
  package func children(of parent: Firestore.Name, after id: String?, limit: Int) -> [Firestore.Name] {
    guard let database = databases[parent.database] else { return [] }
    let paths = database.currentChildren(of: parent.path, after: id, limit: limit)
    return paths.map { Firestore.Name(parent.database, $0) }
  }

  /// Returns a document; nil if there is none of the name.
  package func currentDocument(_ name: Firestore.Name) -> Firestore.Document? {
    databases[name.database]?.documents[name.path]
  }
}
