import CloudJobsCore

extension Firestore {
  /// Which indexes a database has: composite ones, and where fields have others than the automatic ones.
  ///
  /// Each field has an ascending, a descending and a membership index over its collection, and none over the collection
  /// group (<https://firebase.google.com/docs/firestore/query-data/index-overview#default_settings>).
  public struct IndexConfiguration: Hashable, Sendable {
    /// The single-field indexes of a field and of all fields below it, in place of the automatic ones.
    public struct Override: Hashable, Sendable {
      /// The collections' id.
      public var collectionGroup: String
      /// The field; the empty path for all fields.
      public var path: FieldPath
      /// The scope and mode of each index.
      public var indexes: [Single]

      /// The indexes of a field.
      public init(_ collectionGroup: String, _ path: FieldPath, _ indexes: [Single]) {
        self.collectionGroup = collectionGroup
        self.path = path
        self.indexes = indexes
      }
    }

    /// A single-field index, without its field.
    public struct Single: Hashable, Sendable {
      /// Which queries it serves.
      public var scope: Index.Scope
      /// How the field is indexed.
      public var mode: Index.Mode

      /// A single-field index.
      public init(_ mode: Index.Mode, _ scope: Index.Scope = .collection) {
        self.mode = mode
        self.scope = scope
      }

      /// The indexes that each field has by itself.
      static let automatic = Index.Mode.allCases.map { Single($0) }

      /// The index as it stands in a field override.
      var json: JSONValue { ["queryScope": .string(scope.rawValue), mode.member: .string(mode.rawValue)] }
    }

    /// The composite indexes.
    public var composites: [Index]
    /// The fields with other indexes than the automatic ones.
    public var overrides: [Override]

    /// The automatic indexes, and these.
    public init(composites: [Index] = [], overrides: [Override] = []) {
      self.composites = composites
      self.overrides = overrides
    }

    /// The index that a query needs and does not have; nil where it can run.
    func missing(for plan: QueryPlan) -> Index? {
      IndexNeed.all(of: plan).first { !serves($0) }?.index
    }

    private func serves(_ need: IndexNeed) -> Bool {
      let fields = need.prefix + need.sort.prefix(1)
      let candidates = composites + fields.flatMap { singles(over: $0.path, of: need.byName) } + [need.byName]
      let parts = candidates.compactMap { need.part(servedBy: $0) }
      return !parts.isEmpty && need.prefix.allSatisfy { field in parts.contains { $0.contains(field) } }
    }

    /// The single-field indexes over a field, for the collections of another index.
    private func singles(over path: FieldPath, of other: Index) -> [Index] {
      if path.isDocumentName { return [] }
      return modes(of: path, in: other.collectionGroup).map {
        Index(other.collectionGroup, $0.scope, [.init(path, $0.mode)])
      }
    }

    /// The single-field indexes of a field: by the override that is closest above it, or the automatic ones.
    private func modes(of path: FieldPath, in collectionGroup: String) -> [Single] {
      let above = overrides.filter { $0.collectionGroup == collectionGroup && path.isAtOrBelow($0.path) }
      return above.max { $0.path.segments.count < $1.path.segments.count }?.indexes ?? Single.automatic
    }

    /// The refusal of a query, in the service's words but for the link, in whose place stands what the file lacks.
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
