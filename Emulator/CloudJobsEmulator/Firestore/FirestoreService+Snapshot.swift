import CloudJobsCore

extension FirestoreService {
  /// A part of the service that a snapshot keeps.
  enum Entity: Codable, Sendable {
    case counters(generator: SplitMix64, usage: Firestore.Usage)
    case database(state: DocumentDatabase)
    case document(state: Firestore.Document)
    case version(name: Firestore.Name, state: DocumentDatabase.Version)
    case scope(database: Firestore.DatabaseName, scope: IndexScope, lastChange: Timestamp)
    case transaction(database: Firestore.DatabaseName, id: [UInt8], state: FirestoreTransaction)
  }

  /// All parts, in an order in which ``restore(_:)`` takes them.
  var entities: [Entity] {
    var entities = [Entity.counters(generator: generator, usage: usage)]
    for (name, database) in databases {
      entities.append(.database(state: database))
      entities += database.documents.values.map { .document(state: $0) }
      entities += database.indexes.map { .scope(database: name, scope: $0.key, lastChange: $0.value.lastChange) }
      entities += database.orderedVersions.map { .version(name: Firestore.Name(name, $0.path), state: $0.version) }
      entities += database.transactions.map { .transaction(database: name, id: $0.key, state: $0.value) }
    }
    return entities
  }

  /// Puts a part back; one of a database that isn't there is left out.
  mutating func restore(_ entity: Entity) {
    switch entity {
    case .counters(let generator, let usage):
      self.generator = generator
      self.usage = usage
    case .database(let database): databases[database.name] = database
    case .document(let document): databases[document.name.database]?.restore(document)
    case .version(let name, let version): databases[name.database]?.keep(version, of: name.path)
    case .scope(let name, let scope, let lastChange): databases[name]?.restore(lastChange: lastChange, of: scope)
    case .transaction(let name, let id, let transaction): databases[name]?.transactions[id] = transaction
    }
  }
}
