#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The values of the list of databases.
struct DatabasesView: Sendable {
  /// A database with its collections.
  struct Database: Sendable {
    /// The project and the database.
    var databaseName: String
    /// The number of documents.
    var documentCount: String
    /// The first collections.
    var collections: [CollectionRow]
    /// Whether there are more.
    var hasMore: Bool
  }

  /// The databases.
  var databases: [Database]
  /// The number of documents in all of them.
  var total: String
  /// The number of documents read since the start.
  var reads: String
  /// The number of documents written since the start.
  var writes: String
  /// The number of documents deleted since the start.
  var deletes: String
}

/// A collection as a row of a table.
struct CollectionRow: Sendable {
  /// The ID.
  var collectionID: String
  /// The path of its page.
  var collectionHref: String
  /// The number of its documents.
  var collectionCount: String
}

/// The values of the page of a collection.
struct CollectionView: Sendable {
  /// The links to what it is in.
  var crumbs: [PageTab]
  /// The documents.
  var rows: [DocumentRow]
  /// The links to more of them.
  var pager: PagePager
  /// The full name.
  var fullName: String
}

/// A document as a row of a table.
struct DocumentRow: Sendable {
  /// The ID.
  var documentID: String
  /// The path of its page.
  var documentHref: String
  /// The beginning of its fields.
  var summary: String
  /// Whether it does not exist and is there only for the documents below it.
  var isMissing: Bool
  /// The time of the latest change; nil for a missing one.
  var updatedAt: PageTime?
}

/// The values of the page of a document.
struct DocumentView: Sendable {
  /// The links to what it is in.
  var crumbs: [PageTab]
  /// The full name.
  var fullName: String
  /// Whether it does not exist and is there only for the documents below it.
  var isMissing: Bool
  /// The time of creation; nil for a missing one.
  var createdAt: PageTime?
  /// The time of the latest change; nil for a missing one.
  var updatedAt: PageTime?
  /// The fields.
  var fields: [FieldRow]
  /// Whether there is more than is shown.
  var isCut: Bool
  /// The collections below it.
  var collections: [CollectionRow]
  /// The links to more of them.
  var pager: PagePager
  /// The path of the question before it is deleted.
  var deletePath: String
}

/// A field of a document, or an element of an array, as a row of a table.
struct FieldRow: Hashable, Sendable {
  /// The path of the field.
  var fieldPath: String
  /// The type.
  var fieldType: String
  /// The value, if it is not one of others.
  var fieldText: String
}

/// Values of Firestore as text.
enum FieldText {
  /// The number of characters that a page shows of a document.
  static let limit = 24_000
  /// The number of characters that a page shows of a value.
  static let valueLimit = 2_000

  /// Returns the fields of a map with those of the maps and arrays in it, sorted.
  ///
  /// - Parameters:
  ///   - fields: the fields.
  ///   - budget: the number of characters left, which the rows use up.
  /// - Returns: the rows.
  static func rows(_ fields: [String: Firestore.Value], _ budget: inout Int) -> [FieldRow] {
    var rows: [FieldRow] = []
    for name in fields.keys.sorted() where budget > 0 {
      add(fields[name] ?? .null, name, &rows, &budget)
    }
    return rows
  }

  private static func add(
    _ value: Firestore.Value, _ path: String, _ rows: inout [FieldRow], _ budget: inout Int
  ) {
    let path = BoundedText.cut(path, to: 300)
    let text = BoundedText.cut(scalar(value), to: valueLimit)
    rows.append(FieldRow(fieldPath: path, fieldType: type(value), fieldText: text))
    budget -= path.unicodeScalars.count + text.unicodeScalars.count + 60
    switch value {
    case .map(let fields) where value.kind == .map:
      for name in fields.keys.sorted() where budget > 0 {
        add(fields[name] ?? .null, "\(path).\(name)", &rows, &budget)
      }
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        if budget <= 0 { break }
        add(element, "\(path)[\(index)]", &rows, &budget)
      }
    default: break
    }
  }

  /// Returns the beginning of the fields in one line.
  static func summary(_ fields: [String: Firestore.Value]) -> String {
    let names = fields.keys.sorted()
    let shown = names.prefix(4).map { name in
      let value = BoundedText.cut(scalar(fields[name] ?? .null), to: 40)
      return "\(BoundedText.cut(name, to: 40)): \(value)"
    }
    return shown.joined(separator: ", ") + (names.count > 4 ? ", …" : "")
  }

  /// Returns the name of the type of a value.
  static func type(_ value: Firestore.Value) -> String {
    switch value {
    case .null: "null"
    case .boolean: "boolean"
    case .integer: "integer"
    case .double: "double"
    case .timestamp: "timestamp"
    case .string: "string"
    case .bytes: "bytes"
    case .reference: "reference"
    case .geoPoint: "geopoint"
    case .array(let elements): "array of \(elements.count)"
    case .map(let fields): value.kind == .vector ? "vector" : "map of \(fields.count)"
    }
  }

  /// Returns a value in one text; that of a map or array names its size.
  static func scalar(_ value: Firestore.Value) -> String {
    switch value {
    case .null: return "null"
    case .boolean(let truth): return truth ? "true" : "false"
    case .integer(let number): return "\(number)"
    case .double(let number): return "\(number)"
    case .timestamp(let time): return "\(time)"
    case .string(let text): return text
    case .bytes(let bytes): return "\(PageNumber.text(bytes.count, "byte")): \(Base64.encode(Array(bytes.prefix(96))))"
    case .reference(let name): return "\(name)"
    case .geoPoint(let latitude, let longitude): return "\(latitude)°, \(longitude)°"
    case .array(let elements): return "[\(PageNumber.text(elements.count, "element"))]"
    case .map(let fields):
      guard value.kind == .vector, case .array(let elements)? = fields["value"] else {
        return "{\(PageNumber.text(fields.count, "field"))}"
      }
      return "[" + elements.prefix(16).map(scalar).joined(separator: ", ") + (elements.count > 16 ? ", …]" : "]")
    }
  }
}
#endif
