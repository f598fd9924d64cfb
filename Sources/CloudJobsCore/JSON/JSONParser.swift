extension JSONValue {
  /// Parses JSON text, strictly: RFC 8259 and no more.
  ///
  /// A byte-order mark, a trailing comma, a second value, a name that occurs twice in one object, a lone surrogate and
  /// invalid UTF-8 are refused, as they mean different things to different readers. Names that differ only in their
  /// Unicode normalisation count as one name, as they are one `String` in Swift.
  ///
  /// - Parameters:
  ///   - bytes: the text in UTF-8.
  ///   - limits: how long and how deep it may be.
  /// - Throws: ``JobError`` `malformedJSON` with the byte offset, or `tooLarge`.
  public init(parsing bytes: [UInt8], limits: JSONLimits = .envelope) throws(JobError) {
    self = try JSONParser.parse(bytes, limits: limits) { (parser) throws(JobError) in try parser.value(depth: 0) }
  }
}

/// A recursive-descent reader of strict JSON over contiguous bytes, that either builds values or passes over them.
struct JSONParser {
  let input: UnsafeBufferPointer<UInt8>
  let maximumDepth: Int
  var position = 0
  /// The names of the objects that are being passed over, innermost last: one buffer for the whole text.
  var names = [JSONStringSpan]()

  /// Runs a reader over a whole text and checks that nothing follows what it read.
  static func parse<Result>(
    _ bytes: [UInt8], limits: JSONLimits, _ read: (inout JSONParser) throws(JobError) -> Result
  ) throws(JobError) -> Result {
    try parse(bytes, in: 0..<bytes.count, limits: limits, read)
  }

  /// Runs a reader over a part of a text; offsets in ranges and faults count from the whole text's begin.
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
      guard parser.position == part.count else { throw parser.fault("the text goes on after its value") }
      return result
    }
  }

  /// Reads one value.
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

  /// Walks through an object: reads each name, leaves the value to a closure, and takes all that stands between.
  @inline(__always)
  mutating func object(
    depth: Int, _ member: (inout JSONParser, JSONStringSpan) throws(JobError) -> Void
  ) throws(JobError) {
    try open(depth)
    if take(UInt8(ascii: "}")) { return }
    repeat {
      skipSpace()
      guard position < input.count, input[position] == UInt8(ascii: "\"") else {
        throw fault("a member's name in quotes should stand here")
      }
      let name = try scanString()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fault("a colon should stand here") }
      try member(&self, name)
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw fault("a comma or the object's end should stand here") }
  }

  /// Walks through an array: leaves each element to a closure, and takes all that stands between.
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
    guard take(UInt8(ascii: "]")) else { throw fault("a comma or the array's end should stand here") }
  }

  /// Takes an opening bracket and the space behind it.
  private mutating func open(_ depth: Int) throws(JobError) {
    guard depth < maximumDepth else {
      throw JobError(.tooLarge, "The JSON text is nested more than \(maximumDepth) levels deep; flatten it.")
    }
    position += 1
    skipSpace()
  }

  /// Passes over space; the byte at which the next value begins.
  mutating func nextByte() throws(JobError) -> UInt8 {
    skipSpace()
    guard position < input.count else { throw fault("the text ends where a value should stand") }
    return input[position]
  }

  mutating func literal(_ text: StaticString) throws(JobError) {
    let count = text.utf8CodeUnitCount
    guard position + count <= input.count else { throw fault("no value begins with this byte") }
    for index in 0..<count where input[position + index] != text.utf8Start[index] {
      throw fault("no value begins with this byte")
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
