extension JSONValue {
  /// Parses JSON text strictly according to RFC 8259.
  ///
  /// A byte-order mark, a trailing comma, a second value, a duplicate name in one object, an unpaired surrogate and
  /// invalid UTF-8 are rejected because readers interpret them differently. Names that differ only in their Unicode
  /// normalization count as duplicates because they are equal as `String`.
  ///
  /// - Parameters:
  ///   - bytes: the text in UTF-8.
  ///   - limits: the limits of size and depth.
  /// - Throws: ``JobError`` `malformedJSON` with the byte offset, or `tooLarge`.
  public init(parsing bytes: [UInt8], limits: JSONLimits = .envelope) throws(JobError) {
    self = try JSONParser.parse(bytes, limits: limits) { (parser) throws(JobError) in try parser.value(depth: 0) }
  }
}

/// A recursive-descent parser of strict JSON over contiguous bytes that either builds values or skips them.
struct JSONParser {
  let input: UnsafeBufferPointer<UInt8>
  let maximumDepth: Int
  var position = 0
  /// The names of the skipped objects, innermost last; one buffer for the whole text.
  var names = [JSONStringSpan]()

  /// Parses a whole text and checks that nothing follows the value.
  static func parse<Result>(
    _ bytes: [UInt8], limits: JSONLimits, _ read: (inout JSONParser) throws(JobError) -> Result
  ) throws(JobError) -> Result {
    try parse(bytes, in: 0..<bytes.count, limits: limits, read)
  }

  /// Parses a part of a text; offsets in ranges and errors count from the start of the whole text.
  static func parse<Result>(
    _ bytes: [UInt8], in range: Range<Int>, limits: JSONLimits,
    _ read: (inout JSONParser) throws(JobError) -> Result
  ) throws(JobError) -> Result {
    guard range.count <= limits.bytes else {
      throw JobError(.tooLarge, "The JSON text has \(range.count) bytes; at most \(limits.bytes) are allowed.")
    }
    return try bytes.withUnsafeBufferPointer { (input) throws(JobError) -> Result in
      let part = UnsafeBufferPointer(rebasing: input[..<range.upperBound])
      var parser = JSONParser(input: part, maximumDepth: limits.depth, position: range.lowerBound)
      let result = try read(&parser)
      parser.skipSpace()
      guard parser.position == part.count else { throw parser.fault("unexpected text after the value") }
      return result
    }
  }

  /// Parses one value.
  mutating func value(depth: Int) throws(JobError) -> JSONValue {
    switch try nextByte() {
    case UInt8(ascii: "{"):
      var members = [String: JSONValue]()
      try object(depth: depth) { (parser, name) throws(JobError) in
        let key = parser.string(name)
        guard members.updateValue(try parser.value(depth: depth + 1), forKey: key) == nil else {
          throw parser.repetition(of: name)
        }
      }
      return .object(members)
    case UInt8(ascii: "["):
      var values = [JSONValue]()
      try array(depth: depth) { (parser) throws(JobError) in values.append(try parser.value(depth: depth + 1)) }
      return .array(values)
    case UInt8(ascii: "\""): return .string(string(try scanString()))
    case UInt8(ascii: "t"):
      try literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default: return try number()
    }
  }

  /// Parses an object: passes each name to a closure, which parses the value.
  @inline(__always)
  mutating func object(
    depth: Int, _ member: (inout JSONParser, JSONStringSpan) throws(JobError) -> Void
  ) throws(JobError) {
    try open(depth)
    if take(UInt8(ascii: "}")) { return }
    repeat {
      skipSpace()
      guard position < input.count, input[position] == UInt8(ascii: "\"") else {
        throw fault("expected a member's name in quotes")
      }
      let name = try scanString()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fault("expected a colon") }
      try member(&self, name)
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw fault("expected a comma or the end of the object") }
  }

  /// Parses an array: calls a closure for each element, which parses it.
  @inline(__always)
  mutating func array(
    depth: Int, _ element: (inout JSONParser) throws(JobError) -> Void
  ) throws(JobError) {
    try open(depth)
    if take(UInt8(ascii: "]")) { return }
    repeat {
      try element(&self)
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw fault("expected a comma or the end of the array") }
  }

  /// Consumes an opening bracket and the white space after it.
  private mutating func open(_ depth: Int) throws(JobError) {
    guard depth < maximumDepth else {
      throw JobError(.tooLarge, "The JSON text is nested more than \(maximumDepth) levels deep; flatten it.")
    }
    position += 1
    skipSpace()
  }

  /// Skips white space and returns the first byte of the next value.
  mutating func nextByte() throws(JobError) -> UInt8 {
    skipSpace()
    guard position < input.count else { throw fault("expected a value, found the end of the text") }
    return input[position]
  }

  mutating func literal(_ text: StaticString) throws(JobError) {
    let count = text.utf8CodeUnitCount
    guard position + count <= input.count else { throw fault("expected a value") }
    for index in 0..<count where input[position + index] != text.utf8Start[index] {
      throw fault("expected a value")
    }
    position += count
  }

  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard position < input.count, input[position] == byte else { return false }
    position += 1
    return true
  }

  @inline(__always)
  mutating func skipSpace() {
    while position < input.count {
      let byte = input[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  func fault(_ reason: String) -> JobError {
    JobError(.malformedJSON, "Not valid JSON at byte \(position): \(reason). Send one JSON value in UTF-8.")
  }

  mutating func repetition(of name: JSONStringSpan) -> JobError {
    position = name.start - 1
    return fault("a name occurs twice in one object")
  }
}

extension JSONParser {
  /// Parses a number: an integer if it is written as one and fits 64 bits, otherwise a float.
  mutating func number() throws(JobError) -> JSONValue {
    let start = position
    let isInteger = try scanNumber()
    if isInteger, let value = integer(in: start..<position) { return .integer(value) }
    return .double(try float(from: start))
  }

  /// Validates and skips a number.
  mutating func skipNumber() throws(JobError) {
    let start = position
    // A number of at most 300 characters without an exponent is always finite.
    if try !scanNumber() || position - start > 300 { _ = try float(from: start) }
  }

  /// Skips the text of a number and returns whether it has neither fraction nor exponent.
  private mutating func scanNumber() throws(JobError) -> Bool {
    var isInteger = true
    let isNegative = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if position < input.count, isDigit(input[position]) { throw fault("a number has a leading zero") }
    } else {
      guard isNegative || isDigit(input[position]) else { throw fault("expected a value") }
      try digits()
    }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return isInteger
  }

  private mutating func digits() throws(JobError) {
    let start = position
    while position < input.count, isDigit(input[position]) { position += 1 }
    if position == start { throw fault("expected a digit") }
  }

  /// Returns the value of an integer's text, or nil if it does not fit 64 bits.
  private func integer(in range: Range<Int>) -> Int64? {
    let isNegative = input[range.lowerBound] == UInt8(ascii: "-")
    var value: Int64 = 0
    for byte in input[(isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound] {
      let (product, isLarge) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(byte - UInt8(ascii: "0"))
      let (sum, isLarger) = product.addingReportingOverflow(isNegative ? -digit : digit)
      if isLarge || isLarger { return nil }
      value = sum
    }
    return value
  }

  private func float(from start: Int) throws(JobError) -> Double {
    guard let value = Double(String(decoding: input[start..<position], as: UTF8.self)), value.isFinite else {
      throw fault("a number is out of range")
    }
    return value
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
  }
}

extension JSONParser {
  /// Validates and skips one value as strictly as ``value(depth:)``, without building it.
  mutating func skipValue(depth: Int) throws(JobError) {
    switch try nextByte() {
    case UInt8(ascii: "{"):
      let outer = names.count
      try object(depth: depth) { (parser, name) throws(JobError) in
        parser.names.append(name)
        try parser.skipValue(depth: depth + 1)
      }
      try checkNames(from: outer)
      names.removeLast(names.count - outer)
    case UInt8(ascii: "["):
      try array(depth: depth) { (parser) throws(JobError) in try parser.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try scanString()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: try skipNumber()
    }
  }

  /// Parses an object's names and validates its values without building them.
  mutating func members(depth: Int) throws(JobError) -> [JSONMember] {
    guard try nextByte() == UInt8(ascii: "{") else { throw fault("expected an object") }
    var members = [JSONMember]()
    let outer = names.count
    try object(depth: depth) { (parser, name) throws(JobError) in
      parser.names.append(name)
      _ = try parser.nextByte()
      let start = parser.position
      try parser.skipValue(depth: depth + 1)
      members.append(JSONMember(key: parser.string(name), range: start..<parser.position))
    }
    try checkNames(from: outer)
    names.removeLast(names.count - outer)
    return members
  }

  /// Rejects duplicates among the names from an index on.
  private mutating func checkNames(from outer: Int) throws(JobError) {
    let count = names.count - outer
    guard count > 1 else { return }
    // Pairwise comparison is fastest for the few names of an ordinary object and needs no memory.
    if count <= 16, names[outer...].allSatisfy(\.isPlain) {
      for later in outer + 1..<names.count {
        for earlier in outer..<later where areEqual(names[earlier], names[later]) {
          throw repetition(of: names[later])
        }
      }
      return
    }
    var seen = Set<String>(minimumCapacity: count)
    for name in names[outer...] where !seen.insert(string(name)).inserted { throw repetition(of: name) }
  }
}

/// A member of an object: its name, and the position of its value's text.
struct JSONMember {
  var key: String
  var range: Range<Int>
}

/// The limits of a JSON text.
public struct JSONLimits: Hashable, Sendable {
  /// The maximum size, in bytes.
  public var bytes: Int
  /// The maximum nesting of arrays and objects; a scalar alone has depth 0.
  ///
  /// Each level takes a stack frame while the text is parsed: keep it in the hundreds.
  public var depth: Int

  /// Creates limits.
  public init(bytes: Int, depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  /// The limits of an envelope: 1 MiB, depth 32.
  public static let envelope = JSONLimits(bytes: 1_048_576, depth: 32)
  /// The limits of a payload, less than those of the envelope around it by 4 KiB and one level.
  public static let payload = JSONLimits(bytes: 1_044_480, depth: 31)
  /// The limits of a trusted service's response: 64 MiB, depth 128.
  public static let service = JSONLimits(bytes: 67_108_864, depth: 128)
}
