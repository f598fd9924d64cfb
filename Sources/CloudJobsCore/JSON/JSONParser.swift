extension JSONValue {
  /// Parses JSON text, strictly: RFC 8259 and no more.
  ///
  /// A byte-order mark, a trailing comma, a second value, a name that occurs twice in one object, a lone surrogate and
  /// invalid UTF-8 are refused, as they mean different things to different readers.
  ///
  /// - Parameters:
  ///   - bytes: the text in UTF-8.
  ///   - limits: how long and how deep it may be.
  /// - Throws: ``JobError`` `malformedJSON` with the byte offset, or `tooLarge`.
  public init(parsing bytes: [UInt8], limits: JSONLimits = .envelope) throws(JobError) {
    self = try JSONParser.parse(bytes, limits: limits) { (parser) throws(JobError) in try parser.value(depth: 0) }
  }
}

/// A member of an object with its value and the place of its text.
struct JSONMember {
  var key: String
  var value: JSONValue
  var range: Range<Int>
}

/// A recursive-descent reader of strict JSON over contiguous bytes.
struct JSONParser {
  private let input: UnsafeBufferPointer<UInt8>
  private let maximumDepth: Int
  private var position = 0

  /// Runs a reader over a whole text and checks that nothing follows what it read.
  static func parse<Result>(
    _ bytes: [UInt8], limits: JSONLimits, _ read: (inout JSONParser) throws(JobError) -> Result
  ) throws(JobError) -> Result {
    guard bytes.count <= limits.bytes else {
      throw JobError(.tooLarge, "The JSON text has \(bytes.count) bytes; at most \(limits.bytes) are allowed.")
    }
    return try bytes.withUnsafeBufferPointer { (input) throws(JobError) -> Result in
      var parser = JSONParser(input: input, maximumDepth: limits.depth)
      let result = try read(&parser)
      parser.skipSpace()
      guard parser.position == input.count else { throw parser.fault("the text goes on after its value") }
      return result
    }
  }

  private init(input: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
    self.input = input
    self.maximumDepth = maximumDepth
  }

  /// Reads one value.
  mutating func value(depth: Int) throws(JobError) -> JSONValue {
    skipSpace()
    guard position < input.count else { throw fault("the text ends where a value should stand") }
    switch input[position] {
    case UInt8(ascii: "{"):
      var object = [String: JSONValue]()
      for member in try members(depth: depth) { object[member.key] = member.value }
      return .object(object)
    case UInt8(ascii: "["): return .array(try elements(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw fault("no value begins with this byte")
    }
  }

  /// Reads an object's members with the ranges of their texts.
  mutating func members(depth: Int) throws(JobError) -> [JSONMember] {
    skipSpace()
    guard take(UInt8(ascii: "{")) else { throw fault("an object should begin here") }
    try checkDepth(depth)
    var members = [JSONMember]()
    var names = Set<String>()
    skipSpace()
    if take(UInt8(ascii: "}")) { return members }
    repeat {
      skipSpace()
      guard position < input.count, input[position] == UInt8(ascii: "\"") else {
        throw fault("a member's name in quotes should stand here")
      }
      let key = try string()
      guard names.insert(key).inserted else { throw fault("a name occurs twice in one object") }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fault("a colon should stand here") }
      skipSpace()
      let start = position
      let value = try value(depth: depth + 1)
      members.append(JSONMember(key: key, value: value, range: start..<position))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw fault("a comma or the object's end should stand here") }
    return members
  }

  private mutating func elements(depth: Int) throws(JobError) -> [JSONValue] {
    position += 1
    try checkDepth(depth)
    var values = [JSONValue]()
    skipSpace()
    if take(UInt8(ascii: "]")) { return values }
    repeat {
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw fault("a comma or the array's end should stand here") }
    return values
  }

  private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JobError) -> JSONValue {
    let count = text.utf8CodeUnitCount
    guard position + count <= input.count,
      (0..<count).allSatisfy({ input[position + $0] == text.utf8Start[$0] })
    else { throw fault("no value begins with this byte") }
    position += count
    return value
  }

  private mutating func number() throws(JobError) -> JSONValue {
    let start = position
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if position < input.count, isDigit(input[position]) { throw fault("a number has a leading zero") }
    } else {
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
    let text = String(decoding: input[start..<position], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw fault("a number is out of range") }
    return .double(value)
  }

  private mutating func digits() throws(JobError) {
    let start = position
    while position < input.count, isDigit(input[position]) { position += 1 }
    if position == start { throw fault("a digit should stand here") }
  }

  private mutating func string() throws(JobError) -> String {
    position += 1
    let start = position
    while position < input.count, input[position] >= 0x20, input[position] != UInt8(ascii: "\""),
      input[position] != UInt8(ascii: "\\")
    {
      position += 1
    }
    guard position < input.count else { throw fault("a string does not end") }
    if input[position] == UInt8(ascii: "\"") {
      defer { position += 1 }
      return try utf8(input[start..<position])
    }
    var bytes = [UInt8](input[start..<position])
    while position < input.count {
      let byte = input[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try bytes.withUnsafeBufferPointer { (all) throws(JobError) in try utf8(all[...]) }
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case 0..<0x20: throw fault("a control character in a string is not escaped")
      default: bytes.append(byte)
      }
    }
    throw fault("a string does not end")
  }

  private func utf8(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) throws(JobError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("a string is not valid UTF-8") }
    return text
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(JobError) {
    guard position < input.count else { throw fault("a string does not end") }
    let byte = input[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "u"):
      var code = try codeUnit()
      if (0xD800..<0xDC00).contains(code) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw fault("a surrogate stands alone") }
        let low = try codeUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw fault("a surrogate stands alone") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("a surrogate stands alone") }
      bytes += UTF8.encode(scalar).map { Array($0) } ?? []
    default: throw fault("an escape is not one of JSON's")
    }
  }

  private mutating func codeUnit() throws(JobError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard position < input.count, let digit = Character(Unicode.Scalar(input[position])).hexDigitValue else {
        throw fault("\\u takes four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private func checkDepth(_ depth: Int) throws(JobError) {
    guard depth < maximumDepth else {
      throw JobError(.tooLarge, "The JSON text is nested more than \(maximumDepth) levels deep; flatten it.")
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < input.count, input[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func skipSpace() {
    while position < input.count, [0x20, 0x0A, 0x0D, 0x09].contains(input[position]) { position += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private func fault(_ reason: String) -> JobError {
    JobError(.malformedJSON, "Not valid JSON at byte \(position): \(reason). Send one JSON value in UTF-8.")
  }
}
