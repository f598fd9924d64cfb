import CloudJobsCore

@testable public import CloudJobsEmulator

/// A service with one database, at a time that advances by a millisecond with each request.
struct FirestoreFixture {
  static let database = Firestore.DatabaseName(project: "p")
  static let root = Firestore.Name(database, .root)
  static let start = Timestamp(seconds: 1_795_000_000)

  var service = FirestoreService(seed: 1)
  var now = start

  /// The name of a document, from its path.
  static func name(_ path: String) -> Firestore.Name {
    Firestore.Name(database, Firestore.Path(path.split(separator: "/").map { String($0) }))
  }

  /// The paths of fields, from their texts.
  static func paths(_ texts: [String]?) throws -> [Firestore.FieldPath]? {
    try texts?.map { try Firestore.FieldPath(parsing: $0) }
  }

  private mutating func tick() -> Timestamp {
    now = now + .milliseconds(1)
    return now
  }

  @discardableResult
  mutating func set(
    _ path: String, _ fields: [String: Firestore.Value] = [:], mask: [String]? = nil,
    if precondition: Firestore.Precondition? = nil
  ) throws -> Firestore.Document {
    let name = Self.name(path)
    return try service.updateDocument(
      name, fields: fields, updateMask: try Self.paths(mask), precondition: precondition, at: tick())
  }

  @discardableResult
  mutating func transform(
    _ path: String, _ field: String, _ operation: Firestore.FieldTransform.Operation
  ) throws -> Firestore.WriteResult {
    let transform = Firestore.FieldTransform(try Firestore.FieldPath(parsing: field), operation)
    let write = Firestore.Write(Self.name(path), .transform, transforms: [transform])
    return try commit([write]).writeResults[0]
  }

  @discardableResult
  mutating func commit(
    _ writes: [Firestore.Write], in transaction: [UInt8]? = nil
  ) throws -> Firestore.CommitResult {
    try service.commit(writes, in: Self.database, transaction: transaction, at: tick())
  }

  mutating func delete(_ path: String, if precondition: Firestore.Precondition? = nil) throws {
    try service.deleteDocument(Self.name(path), precondition: precondition, at: tick())
  }

  mutating func get(
    _ path: String, mask: [String]? = nil, _ consistency: Firestore.Consistency = .latest
  ) throws -> Firestore.Document? {
    let mask = try Self.paths(mask)
    let found = try service.batchGet(
      [Self.name(path)], in: Self.database, mask: mask, consistency: consistency, at: tick())
    return found.documents.first?.document
  }

  mutating func begin(_ options: Firestore.TransactionOptions = .readWrite()) throws -> [UInt8] {
    try service.beginTransaction(in: Self.database, options, at: tick())
  }

  mutating func run(
    _ query: Firestore.Query, under parent: String = "", _ consistency: Firestore.Consistency = .latest
  ) throws -> Firestore.QueryResult {
    try service.runQuery(query, under: Self.name(parent), consistency: consistency, at: tick())
  }

  /// The paths of a query's results.
  mutating func paths(
    _ query: Firestore.Query, under parent: String = "", _ consistency: Firestore.Consistency = .latest
  ) throws -> [String] {
    try run(query, under: parent, consistency).documents.map { "\($0.name.path)" }
  }

  /// The ids of a query's results.
  mutating func ids(_ query: Firestore.Query, under parent: String = "") throws -> [String] {
    try run(query, under: parent).documents.map(\.name.path.id)
  }
}

extension Firestore.Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A float.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A Boolean.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// A list.
  public init(arrayLiteral elements: Firestore.Value...) { self = .array(elements) }
  /// A map.
  public init(dictionaryLiteral elements: (String, Firestore.Value)...) {
    self = .map(Dictionary(elements) { $1 })
  }
  /// Null.
  public init(nilLiteral: ()) { self = .null }
}

extension Firestore.FieldPath: ExpressibleByStringLiteral {
  /// A path of simple names with dots between them.
  public init(stringLiteral value: String) {
    self.init(value.split(separator: ".").map { String($0) })
  }
}

extension Firestore.Query {
  /// A query over the collection `c`.
  init(
    _ filter: Firestore.Filter? = nil, order: [Order] = [], start: Cursor? = nil, end: Cursor? = nil, offset: Int = 0,
    limit: Int? = nil, in collection: String = "c", allDescendants: Bool = false
  ) {
    self.init(from: .init(collection, allDescendants: allDescendants))
    self.filter = filter
    self.orders = order
    self.start = start
    self.end = end
    self.offset = offset
    self.limit = limit
  }
}
