public import CloudJobsCore

extension Firestore {
  /// An index over the documents of all collections of an id, by one field or by several.
  ///
  /// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.collectionGroups.indexes>.
  public struct Index: Hashable, Sendable {
    /// Which queries an index serves.
    public enum Scope: String, CaseIterable, Hashable, Sendable {
      /// Those over one collection.
      case collection = "COLLECTION"
      /// Those over all collections of the id.
      case collectionGroup = "COLLECTION_GROUP"
    }

    /// How a field is indexed.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
      /// By its value, small ones first.
      case ascending = "ASCENDING"
      /// By its value, large ones first.
      case descending = "DESCENDING"
      /// By the elements of its list.
      case contains = "CONTAINS"

      /// The name in the service's messages.
      var shortName: String {
        switch self {
        case .ascending: "ASC"
        case .descending: "DESC"
        case .contains: "CONTAINS"
        }
      }

      /// The member of an index file that holds the mode.
      var member: String { self == .contains ? "arrayConfig" : "order" }
    }

    /// One field of an index.
    public struct Field: Hashable, Sendable {
      /// The field.
      public var path: FieldPath
      /// How it is indexed.
      public var mode: Mode

      /// A field of an index.
      public init(_ path: FieldPath, _ mode: Mode = .ascending) {
        self.path = path
        self.mode = mode
      }

      /// The field as it stands in an index file.
      var json: JSONValue { ["fieldPath": .string("\(path)"), mode.member: .string(mode.rawValue)] }
    }

    /// The collections' id.
    public var collectionGroup: String
    /// Which queries it serves.
    public var scope: Scope
    /// The fields, in the order of the index.
    public var fields: [Field]

    /// An index.
    public init(_ collectionGroup: String, _ scope: Scope = .collection, _ fields: [Field]) {
      self.collectionGroup = collectionGroup
      self.scope = scope
      self.fields = fields
    }

    /// The fields with the document's name, by which every index ends: in the direction of the last field, unless the
    /// index says otherwise, and ascending after a field without a direction.
    var keys: [Field] {
      if let last = fields.last, last.path.isDocumentName { return fields }
      return fields + [Field(.documentName, fields.last?.mode == .descending ? .descending : .ascending)]
    }

    /// The index as it stands in `indexes` of an index file.
    public var json: JSONValue {
      [
        "collectionGroup": .string(collectionGroup), "queryScope": .string(scope.rawValue),
        "fields": .array(fields.map(\.json)),
      ]
    }
  }
}
