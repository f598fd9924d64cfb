import CloudJobsCore
import Testing

/// Texts in the spirit of JSONTestSuite (<https://github.com/nst/JSONTestSuite>), each parsed in both ways: as a value,
/// and as a text that is only checked.
@Suite("JSON grammar")
struct JSONGrammarTests {
  @Test("Accepted texts", arguments: JSONTexts.accepted)
  func accepted(text: String) throws {
    let bytes = Array(text.utf8)
    let value = try JSONValue(parsing: bytes)
    let checked = try JSONText(checking: bytes)
    #expect(checked.value == value)
    #expect(checked.bytes == bytes)
    #expect(try JSONValue(parsing: value.encoded) == value)
  }

  @Test("Rejected texts", arguments: JSONTexts.refused)
  func refused(text: String) throws {
    try expectRefusal(of: Array(text.utf8), .malformedJSON)
  }

  @Test("Rejected bytes", arguments: JSONTexts.refusedBytes)
  func refused(bytes: [UInt8]) throws {
    try expectRefusal(of: bytes, .malformedJSON)
  }

  @Test("Texts at the limits of depth and size are accepted, one level or byte more is not")
  func limits() throws {
    let limits = JSONLimits(bytes: 1_000, depth: 32)
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let core = open == "[" ? "" : "1"
      for depth in [1, 31, 32, 33, 100] {
        let text = String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
        if depth <= 32 {
          #expect(throws: Never.self) { try JSONText(checking: Array(text.utf8), limits: limits) }
          #expect(throws: Never.self) { try JSONValue(parsing: Array(text.utf8), limits: limits) }
        } else {
          try expectRefusal(of: Array(text.utf8), .tooLarge, limits)
        }
      }
    }
    let string = Array("\"\(String(repeating: "x", count: 998))\"".utf8)
    #expect(throws: Never.self) { try JSONText(checking: string, limits: limits) }
    try expectRefusal(of: string + [0x20], .tooLarge, limits)
    try expectRefusal(of: [UInt8](repeating: UInt8(ascii: "["), count: 1_048_576), .tooLarge)
    #expect(throws: Never.self) { try JSONText(checking: Array("7".utf8), limits: JSONLimits(bytes: 1, depth: 0)) }
  }

  @Test("A duplicate name is found in small and large objects, plain or escaped")
  func repeatedNames() throws {
    for count in [2, 3, 16, 17, 18, 500] {
      let names = (0..<count).map { "\"name\($0)\":\($0)" }
      #expect(try JSONValue(parsing: Array("{\(names.joined(separator: ","))}".utf8)).object?.count == count)
      #expect(throws: Never.self) { try JSONText(checking: Array("{\(names.joined(separator: ","))}".utf8)) }
      for again in ["\"name\(count / 2)\":0", "\"n\\u0061me\(count - 1)\":0"] {
        let text = "[{\(names.joined(separator: ",")),\(again)}]"
        let error = try expectRefusal(of: Array(text.utf8), .malformedJSON)
        #expect(error.message.contains("occurs twice"))
      }
    }
  }

  @Test("The same name in different objects is not a duplicate")
  func nestedNames() throws {
    let text = #"{"a":{"a":[{"a":1,"b":{"b":2}},{"a":3}]},"b":{"a":4,"b":{}}}"#
    #expect(throws: Never.self) { try JSONText(checking: Array(text.utf8)) }
    #expect(throws: Never.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test("The error contains the byte offset")
  func offsets() throws {
    for (text, offset) in [("", 0), ("[1,]", 3), ("{\"a\":01}", 6), ("  x", 2), ("{\"a\":1,\"a\":2}", 7), ("1 2", 2)] {
      let error = try expectRefusal(of: Array(text.utf8), .malformedJSON)
      #expect(error.message.contains("at byte \(offset):"), "\(text): \(error.message)")
    }
  }

  /// Expects that both ways of parsing reject a text with the same error.
  @discardableResult
  private func expectRefusal(
    of bytes: [UInt8], _ code: JobError.Code, _ limits: JSONLimits = .envelope
  ) throws -> JobError {
    let parsed = try #require(throws: JobError.self) { try JSONValue(parsing: bytes, limits: limits) }
    let checked = try #require(throws: JobError.self) { try JSONText(checking: bytes, limits: limits) }
    #expect(parsed.code == code)
    #expect(parsed == checked)
    return parsed
  }
}

/// Valid and invalid texts of strict JSON.
enum JSONTexts {
  static let accepted: [String] = [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "1234567890", "9223372036854775807",
    "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890",
    "0.0", "-0.0", "1.5", "-1.5", "0.1", "1e1", "1E1", "1e+1", "1e-1", "1E+01", "0e0", "0e+0", "0E-0", "1.5e10",
    "123.456e78", "1e-400", "4.9e-324", "1.7976931348623157e308", "1e00000000001", "0.00000000000000000000001",
    "\"\"", "\"a\"", "\"abc def\"", "\"\\\"\"", "\"\\\\\"", "\"\\/\"", "\"/\"", "\"\\b\\f\\n\\r\\t\"",
    "\"\\u0000\"", "\"\\u001f\"", "\"\\u0041\"", "\"\\u00e9\"", "\"\\u00E9\"", "\"\\u20ac\"", "\"\\uD83D\\uDE00\"",
    "\"\\ud83d\\ude00\"", "\"\\uDBFF\\uDFFF\"", "\"\\uE000\"", "\"\\uD7FF\"", "\"\\uFFFF\"", "\"\\uFEFF\"",
    "\"é\"", "\"€\"", "\"😀\"", "\"\u{10FFFF}\"", "\"\u{FEFF}\"", "\"\u{2028}\u{2029}\"", "\"\u{7F}\"", "\"\u{80}\"",
    "\"\u{7FF}\"", "\"\u{800}\"", "\"\u{D7FF}\"", "\"\u{E000}\"", "\"\u{FFFF}\"", "\"\u{10000}\"", "\"e\u{301}\"",
    "\"\\\\u0041\"", "\"'\"", "\"// no comment\"", "\"[1,2\"", "\"\\u0022\\u005c\"",
    "[]", "[ ]", "[\n]", "[1]", "[1,2]", "[ 1 , 2 ]", "[[]]", "[[],[]]", "[null,true,false]", "[\"\",{}]",
    "[[[[[]]]]]", "[1,\n2\r,\t3]", "[1.0,1]", "[{}]",
    "{}", "{ }", "{\"\":0}", "{\"a\":1}", "{\"a\":1,\"b\":2}", "{\"a\":{}}", "{\"a\":[]}", "{ \"a\" : 1 }",
    "{\"a\":{\"a\":1}}", "{\"A\":1,\"a\":2}", "{\"a\\u0000b\":1}", "{\"a b\":1}", "{\"é\":1,\"e\":2}",
    "{\"a\":\"a\",\"b\":\"b\"}", "{\"\\\"\":1}", "{\"a\":null}", " null", "null ", "\t\r\n null \t\r\n", " [] ",
    "{\"😀\":[{\"\":[]}]}", "{\"a\":1,\"\\u0062\":2}", "{\"a\":-0}", "{\"a\":[{\"a\":[{\"a\":[]}]}]}",
  ]

  static let refused: [String] = [
    "", " ", "\n", "\t\r\n ", "n", "nul", "nulll", "NULL", "Null", "nil", "True", "TRUE", "tru", "truee", "fals",
    "undefined", "NaN", "-NaN", "Infinity", "-Infinity", "inf", "none", "yes",
    "+1", "-", "--1", "- 1", "01", "-01", "00", "-00", "012", "0x10", "0b1", "0o7", "1.", "-1.", ".5", "-.5", "1..2",
    "1.2.3", "1e", "1E", "1e+", "1e-", "1ee1", "1e1.5", "1e 1", "1 e1", "1.e1", "1_000", "1,000", "1f", "1L", "1n",
    "0.", "0.e1", "0e", "1e400", "-1e400", "1e999999999999999999999", "１", "1\u{0}", "²",
    "\"", "\"a", "a\"", "'a'", "`a`", "\"a\"b", "\"a\" \"b\"", "\"\\\"", "\"\\", "\"\\a\"", "\"\\x41\"", "\"\\0\"",
    "\"\\'\"", "\"\\v\"", "\"\\U0041\"", "\"\\u\"", "\"\\u1\"", "\"\\u12\"", "\"\\u123\"", "\"\\u123", "\"\\u12g4\"",
    "\"\\u{41}\"", "\"\\u 041\"", "\"\\u+041\"", "\"\\u-041\"", "\"\\uD800\"", "\"\\uDC00\"", "\"\\uDBFF\"",
    "\"\\uDFFF\"", "\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"", "\"\\uDC00\\uD800\"", "\"\\uD800a\"", "\"\\uD800\\n\"",
    "\"\\uD83D\\\"", "\"\\uD83D\\u\"", "\"\\uD83D\\uDE0\"", "\"\\uD83D\\uDE0", "\"\\ud83d", "\"\\é\"",
    "\"a\nb\"", "\"a\rb\"", "\"a\tb\"", "\"a\u{0}b\"", "\"\u{1}\"", "\"\u{1F}\"", "\"\u{8}\"",
    "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[1:2]", "[1}", "[}", "[[]", "[]]",
    "[\"a\"", "[\"a", "[1,\n", "[a]", "[1]x", "[1]]", "[1],", "[][]", "[-]", "[*]", "(1)", "<1>", "[...]",
    "{", "}", "{]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{,\"a\":1}", "{\"a\"}",
    "{\"a\":}", "{\"a\",1}", "{\"a\"1}", "{\"a\"::1}", "{\"a\":1:2}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}",
    "{true:1}", "{[]:1}", "{{}:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}", "{\"a\":1;\"b\":2}", "{\"a\":1}}",
    "{\"a\":1]", "{\"a\":1}{", "{\"a\":1}#", "{\"a\":a}", "{\"a\" \"b\"}", "{\"a\":1, ...}", "{\"a\":\"b}",
    "{\"a\":1,\"a\":1}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"\\u0061\":2}", "{\"\":1,\"\":2}",
    "[{\"a\":{\"b\":1,\"b\":2}}]", "{\"é\":1,\"e\u{301}\":2}", "{\"é\":1,\"\\u00e9\":2}",
    "// comment\n1", "/* comment */1", "1 // comment", "[1 /* comment */]", "# comment\n1", "<!-- -->1", "--\n1",
    "1 2", "1,", "null null", "nullnull", "truefalse", "{}{}", "[]1", "{} x", "1\n2", ";", ",", ":", "*", "\\n", "@",
    "\u{FEFF}1", "\u{FEFF}", "\u{FEFF}{}", "1\u{FEFF}", "\u{A0}1", "1\u{A0}", "[\u{A0}]", "\u{2028}1", "\u{3000}1",
    "\u{C}1", "1\u{C}", "\u{B}1", "[\u{C}]", "\u{0}", "1\u{0}", "\u{1E}1", "\u{7F}1", "é", "😀", "[é]", "“a”",
  ]

  /// Bytes that are no text in UTF-8.
  static let refusedBytes: [[UInt8]] = [
    quoted([0xFF]), quoted([0xFE]), quoted([0x80]), quoted([0xBF]), quoted([0xC0, 0x80]), quoted([0xC1, 0xBF]),
    quoted([0xC2]), quoted([0xC3, 0x28]), quoted([0xE2, 0x82]), quoted([0xE2, 0x28, 0xA1]), quoted([0xE2, 0x82, 0x28]),
    quoted([0xE0, 0x80, 0xAF]), quoted([0xE0, 0x9F, 0xBF]), quoted([0xED, 0xA0, 0x80]), quoted([0xED, 0xBF, 0xBF]),
    quoted([0xF0, 0x80, 0x80, 0xAF]), quoted([0xF0, 0x8F, 0xBF, 0xBF]), quoted([0xF0, 0x9F, 0x98]),
    quoted([0xF0, 0x28, 0x8C, 0xBC]), quoted([0xF0, 0x9F, 0x28, 0x80]), quoted([0xF0, 0x9F, 0x98, 0x28]),
    quoted([0xF4, 0x90, 0x80, 0x80]), quoted([0xF5, 0x80, 0x80, 0x80]), quoted([0xF8, 0x88, 0x80, 0x80, 0x80]),
    quoted([0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]), quoted([0x5C, 0xE9]), quoted([0x61, 0xE9, 0x62]),
    [0x22, 0xF0], [0x22, 0xF0, 0x9F], [0x22, 0xF0, 0x9F, 0x98], [0x22, 0xF0, 0x9F, 0x98, 0x80], [0x22, 0xE2, 0x82],
    [0x7B] + quoted([0xFF]) + [0x3A, 0x31, 0x7D], [0xFF, 0xFE, 0x31, 0x00], [0xFE, 0xFF, 0x00, 0x31], [0x00, 0x31],
    [0x31, 0x00], [0xEF, 0xBB, 0xBF], [0xEF, 0xBB, 0xBF, 0x31], [0x31, 0xFF], [0xFF], [0x5B, 0xFF, 0x5D],
  ]

  private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
    [0x22] + bytes + [0x22]
  }
}
