#if HTTP
public import CloudJobsCore

/// A change of a document in a store's database, which an effect makes.
///
/// Paths are relative to the database's root, such as `accounts/42`. Fields are plain JSON: objects become maps, whole
/// numbers integers, and all texts strings; ``raw(_:)`` takes the types of Firestore that JSON does not have.
public struct FirestoreChange: Sendable {
  private enum Kind: Sendable {
    case update(path: String, fields: JSONValue, mask: [String]?, condition: JSONValue?)
    case increment(path: String, field: String, amount: Int64)
    case delete(path: String)
    case raw(JSONValue)
  }

  private let kind: Kind

  /// Creates a document, or replaces the one that exists.
  public static func set(_ path: String, _ fields: [String: JSONValue]) -> FirestoreChange {
    FirestoreChange(kind: .update(path: path, fields: .object(fields), mask: nil, condition: nil))
  }

  /// Creates a document that must not exist yet.
  public static func create(_ path: String, _ fields: [String: JSONValue]) -> FirestoreChange {
    FirestoreChange(kind: .update(path: path, fields: .object(fields), mask: nil, condition: ["exists": false]))
  }

  /// Sets some fields of a document and keeps its others; creates the document if it does not exist.
  public static func merge(_ path: String, _ fields: [String: JSONValue]) -> FirestoreChange {
    let mask = fields.keys.sorted().map { FirestoreFieldPath.text($0) }
    return FirestoreChange(kind: .update(path: path, fields: .object(fields), mask: mask, condition: nil))
  }

  /// Adds a number to a field of a document; a field that does not exist counts as 0.
  public static func increment(_ path: String, _ field: String, by amount: Int64) -> FirestoreChange {
    FirestoreChange(kind: .increment(path: path, field: field, amount: amount))
  }

  /// Deletes a document.
  public static func delete(_ path: String) -> FirestoreChange {
    FirestoreChange(kind: .delete(path: path))
  }

  /// Makes a change in the form of Firestore's REST API.
  ///
  /// Source: <https://cloud.google.com/firestore/docs/reference/rest/v1/Write>.
  public static func raw(_ write: JSONValue) -> FirestoreChange {
    FirestoreChange(kind: .raw(write))
  }

  /// Returns the change as a write of Firestore.
  func write(_ configuration: FirestoreConfiguration) -> JSONValue {
    func name(_ path: String) -> JSONValue { .string("\(configuration.root)/\(path)") }
    switch kind {
    case .update(let path, let fields, let mask, let condition):
      let typed = FirestoreSchema(times: []).fields(fields.object ?? [:])
      var write: [String: JSONValue] = ["update": ["name": name(path), "fields": typed]]
      write["updateMask"] = mask.map { ["fieldPaths": .array($0.map { .string($0) })] }
      write["currentDocument"] = condition
      return .object(write)
    case .increment(let path, let field, let amount):
      let transform: JSONValue = [
        "fieldPath": .string(FirestoreFieldPath.text(field)), "increment": ["integerValue": .string("\(amount)")],
      ]
      return ["transform": ["document": name(path), "fieldTransforms": [transform]]]
    case .delete(let path): return ["delete": name(path)]
    case .raw(let write): return write
    }
  }
}
#endif
