#if PostgreSQL
/// The object identifiers of PostgreSQL's types in `pg_type.dat`, which never change.
enum TypeID {
  static let bytes: UInt32 = 17
  static let int64: UInt32 = 20
  static let text: UInt32 = 25
  static let bytesArray: UInt32 = 1001
  static let textArray: UInt32 = 1009
  static let int64Array: UInt32 = 1016
  /// The server infers the type.
  static let inferred: UInt32 = 0
}

/// The parameters of a statement, encoded for the server.
///
/// Those of the store are in the binary format
/// (<https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES>), so that every byte of a
/// text or payload arrives unchanged; those of callers are texts, whose types the server infers.
struct Parameters: Sendable {
  /// The types, one per parameter.
  private(set) var types: [UInt32] = []
  /// The formats, one per parameter: 0 for text, 1 for binary.
  private(set) var formats: [Int32] = []
  /// The place of each value in ``storage``; nil for NULL.
  private(set) var places: [Range<Int>?] = []
  /// The encoded values.
  private(set) var storage: [UInt8] = []

  /// No parameters.
  init() {}

  /// Adds a number.
  mutating func append(_ number: Int64?) {
    append(TypeID.int64, isNull: number == nil) { $0.append(bigEndian: number ?? 0) }
  }

  /// Adds a text without NUL characters.
  mutating func append(_ text: String?) {
    append(TypeID.text, isNull: text == nil) { $0 += (text ?? "").utf8 }
  }

  /// Adds bytes.
  mutating func append(_ bytes: [UInt8]?) {
    append(TypeID.bytes, isNull: bytes == nil) { $0 += bytes ?? [] }
  }

  /// Adds an array of numbers.
  mutating func append(_ numbers: [Int64?]) {
    appendArray(numbers, TypeID.int64Array, of: TypeID.int64) { storage, number in storage.append(bigEndian: number) }
  }

  /// Adds an array of texts.
  mutating func append(_ texts: [String?]) {
    appendArray(texts, TypeID.textArray, of: TypeID.text) { storage, text in storage += text.utf8 }
  }

  /// Adds an array of byte strings.
  mutating func append(_ values: [[UInt8]?]) {
    appendArray(values, TypeID.bytesArray, of: TypeID.bytes) { storage, bytes in storage += bytes }
  }

  /// Adds a caller's value as text, whose type the server infers; it has no NUL character.
  mutating func appendInferred(_ text: String?) {
    append(TypeID.inferred, format: 0, isNull: text == nil) { storage in
      storage += (text ?? "").utf8
      // libpq reads a value in the text format up to its NUL.
      storage.append(0)
    }
  }

  private mutating func append(
    _ type: UInt32, format: Int32 = 1, isNull: Bool, _ encode: (inout [UInt8]) -> Void
  ) {
    types.append(type)
    formats.append(format)
    let start = storage.count
    if !isNull { encode(&storage) }
    places.append(isNull ? nil : start..<storage.count)
  }

  private mutating func appendArray<Element>(
    _ elements: [Element?], _ type: UInt32, of elementType: UInt32, _ encode: (inout [UInt8], Element) -> Void
  ) {
    append(type, isNull: false) { storage in
      storage.append(bigEndian: Int32(elements.isEmpty ? 0 : 1))
      storage.append(bigEndian: Int32(elements.contains { $0 == nil } ? 1 : 0))
      storage.append(bigEndian: elementType)
      if elements.isEmpty { return }
      storage.append(bigEndian: Int32(elements.count))
      storage.append(bigEndian: Int32(1))
      for element in elements {
        guard let element else {
          storage.append(bigEndian: Int32(-1))
          continue
        }
        let place = storage.count
        storage.append(bigEndian: Int32(0))
        encode(&storage, element)
        let length = UInt32(storage.count - place - 4)
        for byte in 0..<4 { storage[place + byte] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(byte))) }
      }
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }
}

/// A statement with its parameters.
struct Statement: Sendable {
  /// The text, with `$1`, `$2`, … for the parameters.
  var sql: String
  /// The parameters.
  var parameters = Parameters()
  /// Whether the statement is one of the store's own: each connection prepares it once, and its rows are binary.
  var isOwn = true

  /// Creates one of the store's statements.
  init(_ sql: String, _ fill: (inout Parameters) -> Void = { _ in }) {
    self.sql = sql
    fill(&parameters)
  }

  /// Creates a caller's statement, which is not kept, and whose rows are texts.
  init(callers sql: String, _ values: [String?]) {
    self.sql = sql
    isOwn = false
    for value in values { parameters.appendInferred(value) }
  }
}
#endif
