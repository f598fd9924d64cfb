public import CloudJobsCore

extension Firestore {
  /// The indexes of a database: composite indexes, and overrides of the automatic single-field indexes.
  ///
  /// By default each field has an ascending, a descending and a membership index on its collection, and none on the
  /// collection group (<https://firebase.google.com/docs/firestore/query-data/index-overview#default_settings>).
  public struct IndexConfiguration: Hashable, Sendable {
    /// The single-field indexes of a field and its subfields, which replace the automatic ones.
    package struct Override: Hashable, Sendable {
      /// The collection ID.
      package var collectionGroup: String
      /// The field; an empty path for all fields.
      package var path: FieldPath
      /// The scope and mode of each index.
      package var indexes: [Single]

      /// Creates an override.
      package init(_ collectionGroup: String, _ path: FieldPath, _ indexes: [Single]) {
        self.collectionGroup = collectionGroup
        self.path = path
        self.indexes = indexes
      }
    }

    /// The scope and mode of a single-field index.
    package struct Single: Hashable, Sendable {
      /// The queries that the index serves.
      package var scope: Index.Scope
      /// The index mode.
      package var mode: Index.Mode

      /// Creates a single-field index.
      package init(_ mode: Index.Mode, _ scope: Index.Scope = .collection) {
        self.mode = mode
        self.scope = scope
      }

      /// The automatic indexes of each field.
      static let automatic = Index.Mode.allCases.map { Single($0) }

      /// The index in the JSON form of a field override.
      var json: JSONValue { ["queryScope": .string(scope.rawValue), mode.member: .string(mode.rawValue)] }
    }

    /// The composite indexes.
    package var composites: [Index]
    /// The overrides of automatic indexes.
    package var overrides: [Override]

    /// Creates a configuration of the automatic indexes with additions.
    package init(composites: [Index] = [], overrides: [Override] = []) {
      self.composites = composites
      self.overrides = overrides
    }

    /// Returns the index that a query lacks, or nil if the query can run.
    func missing(for plan: QueryPlan) -> Index? {
      IndexNeed.all(of: plan).first { !serves($0) }?.index
    }

    private func serves(_ need: IndexNeed) -> Bool {
      let fields = need.prefix + need.sort.prefix(1)
      let candidates = composites + fields.flatMap { singles(over: $0.path, of: need.byName) } + [need.byName]
      let parts = candidates.compactMap { need.part(servedBy: $0) }
      return !parts.isEmpty && need.prefix.allSatisfy { field in parts.contains { $0.contains(field) } }
    }

    /// Returns the single-field indexes on a field, for the collections of another index.
    private func singles(over path: FieldPath, of other: Index) -> [Index] {
      if path.isDocumentName { return [] }
      return modes(of: path, in: other.collectionGroup).map {
        Index(other.collectionGroup, $0.scope, [.init(path, $0.mode)])
      }
    }

    /// Returns the single-field indexes of a field: those of the nearest override, or the automatic ones.
    private func modes(of path: FieldPath, in collectionGroup: String) -> [Single] {
      let above = overrides.filter { $0.collectionGroup == collectionGroup && path.isAtOrBelow($0.path) }
      return above.max { $0.path.segments.count < $1.path.segments.count }?.indexes ?? Single.automatic
    }

    /// Returns the error for a query without its index.
    ///
    /// The message is the service's, with the missing entry of the index file in place of a link.
    func refusal(forWantOf index: Index) -> ServiceFault {
      guard index.fields.count == 1, let field = index.fields.first, !field.path.isDocumentName else {
        return ServiceFault(
          .failedPrecondition,
          "The query requires an index. You can create it here: put \(index.json.text) into \"indexes\" of the "
            + "emulator's --indexes file.")
      }
      let wanted = modes(of: field.path, in: index.collectionGroup) + [Single(field.mode, index.scope)]
      let addition: JSONValue = [
        "collectionGroup": .string(index.collectionGroup), "fieldPath": .string("\(field.path)"),
        "indexes": .array(wanted.map(\.json)),
      ]
      return ServiceFault(
        .failedPrecondition,
        "The query requires a \(index.scope.rawValue)_\(field.mode.shortName) index for collection "
          + "\(index.collectionGroup) and field \(field.path). You can create it here: put \(addition.text) into "
          + "\"fieldOverrides\" of the emulator's --indexes file.")
    }
  }
}

extension Firestore.IndexConfiguration {
  /// Parses an index file in the format of the Firebase CLI.
  ///
  /// Its object has `indexes`, a list of `{collectionGroup, queryScope, fields: [{fieldPath, order | arrayConfig}]}`,
  /// and may have `fieldOverrides`, a list of `{collectionGroup, fieldPath, indexes: […]}` with indexes of the form
  /// `{queryScope, order | arrayConfig}`, where the path `*` denotes all fields. An index with a `vectorConfig` is
  /// ignored, because it serves only nearest-neighbour searches. `apiScope`, `density`, `multikey` and `ttl` have no
  /// effect.
  ///
  /// Source: <https://firebase.google.com/docs/reference/firestore/indexes>.
  ///
  /// - Parameter text: the file's text.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the location in the file and the remedy; also
  ///   `malformedJSON` and `tooLarge`.
  public init(parsing text: String) throws(JobError) {
    self.init()
    let value = try JSONValue(parsing: Array(text.utf8), limits: .service)
    let file = try IndexFileObject(value, at: "", members: ["indexes", "fieldOverrides"])
    let known: Set = ["collectionGroup", "queryScope", "fields", "apiScope", "density", "multikey"]
    for index in try file.objects("indexes", members: known) {
      if let composite = try Self.composite(index) { composites.append(composite) }
    }
    guard file.has("fieldOverrides") else { return }
    for field in try file.objects("fieldOverrides", members: ["collectionGroup", "fieldPath", "indexes", "ttl"]) {
      let override = try Self.override(field)
      guard !overrides.contains(where: { ($0.collectionGroup, $0.path) == (override.collectionGroup, override.path) })
      else { throw field.refusal("The field occurs twice in the list. Combine both entries.") }
      overrides.append(override)
    }
  }

  private static func composite(_ index: IndexFileObject) throws(JobError) -> Firestore.Index? {
    var composite = Firestore.Index(try index.text("collectionGroup"), try index.scope(), [])
    let fields = try index.objects("fields", members: ["fieldPath", "order", "arrayConfig", "vectorConfig"])
    for field in fields where !field.has("vectorConfig") {
      composite.fields.append(.init(try field.path(), try field.mode()))
    }
    guard composite.fields.count == fields.count else { return nil }
    guard fields.count > 1 || composite.fields.first?.path.isDocumentName == true else {
      throw index.refusal(
        "A composite index has at least two fields. Move the single-field index to \"fieldOverrides\", or remove it: "
          + "indexes on one field of a collection are automatic.")
    }
    return composite
  }

  private static func override(_ field: IndexFileObject) throws(JobError) -> Override {
    let collectionGroup = try field.text("collectionGroup")
    let path = try field.text("fieldPath") == "*" ? Firestore.FieldPath([]) : try field.path()
    var indexes: [Single] = []
    for index in try field.objects("indexes", members: ["queryScope", "order", "arrayConfig"]) {
      indexes.append(Single(try index.mode(), index.has("queryScope") ? try index.scope() : .collection))
    }
    return Override(collectionGroup, path, indexes)
  }
}

/// An object of an index file, with its location for messages.
struct IndexFileObject {
  private let members: [String: JSONValue]
  /// Such as `indexes[1].fields[0]`.
  private let place: String

  /// Creates an object and rejects members other than `names`.
  init(_ value: JSONValue, at place: String, members names: Set<String>) throws(JobError) {
    self.place = place
    guard let members = value.object else {
      throw Self.refusal(place, "It is \(value.kind). Make it an object.")
    }
    self.members = members
    if let name = members.keys.sorted().first(where: { !names.contains($0) }) {
      throw Self.refusal(
        place, "\"\(name)\" is unknown. Remove it; supported: \(names.sorted().joined(separator: ", ")).")
    }
  }

  /// Returns whether there is a member of that name.
  func has(_ name: String) -> Bool { members[name] != nil }

  /// Returns the objects of a list.
  func objects(_ name: String, members names: Set<String>) throws(JobError) -> [IndexFileObject] {
    let place = place.isEmpty ? name : "\(place).\(name)"
    guard let list = members[name]?.array else {
      throw Self.refusal(place, "It is \(members[name]?.kind ?? "missing"). Make it a list.")
    }
    var objects: [IndexFileObject] = []
    for (index, value) in list.enumerated() {
      objects.append(try IndexFileObject(value, at: "\(place)[\(index)]", members: names))
    }
    return objects
  }

  /// Returns a non-empty text.
  func text(_ name: String) throws(JobError) -> String {
    guard let text = members[name]?.string, !text.isEmpty else {
      throw refusal("\"\(name)\" is \(members[name]?.kind ?? "missing"). Make it a non-empty text.")
    }
    return text
  }

  /// Returns the field named by `fieldPath`.
  func path() throws(JobError) -> Firestore.FieldPath {
    let text = try text("fieldPath")
    do throws(ServiceFault) {
      return try Firestore.FieldPath(parsing: text)
    } catch {
      throw refusal("\"fieldPath\" is not a field path: \(error.message)")
    }
  }

  /// Returns the scope named by `queryScope`.
  func scope() throws(JobError) -> Firestore.Index.Scope {
    try choice("queryScope", among: Firestore.Index.Scope.allCases)
  }

  /// Returns the mode named by either `order` or `arrayConfig`.
  func mode() throws(JobError) -> Firestore.Index.Mode {
    guard has("order") != has("arrayConfig") else {
      throw refusal("It requires either \"order\" or \"arrayConfig\". Give one of them.")
    }
    let member = has("order") ? "order" : "arrayConfig"
    return try choice(member, among: Firestore.Index.Mode.allCases.filter { $0.member == member })
  }

  private func choice<Choice: RawRepresentable<String>>(_ name: String, among all: [Choice]) throws(JobError) -> Choice
  {
    let text = try text(name)
    guard let choice = all.first(where: { $0.rawValue == text }) else {
      throw refusal("\"\(name)\" is \(text). Make it \(all.map(\.rawValue).joined(separator: " or ")).")
    }
    return choice
  }

  /// Returns an error about the object.
  func refusal(_ message: String) -> JobError { Self.refusal(place, message) }

  private static func refusal(_ place: String, _ message: String) -> JobError {
    JobError(.invalidField, "\(place.isEmpty ? "The index file" : place): \(message)", field: "--indexes")
  }
}
