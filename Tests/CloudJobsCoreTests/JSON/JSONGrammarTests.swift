import CloudJobsCore
import Testing

/// Texts in the spirit of JSONTestSuite (<https://github.com/nst/JSONTestSuite>), each read in both ways: as a value,
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

  @Test("Refused texts", arguments: JSONTexts.refused)
  func refused(text: String) throws {
    try expectRefusal(of: Array(text.utf8), .malformedJSON)
  }

  @Test("Refused bytes", arguments: JSONTexts.refusedBytes)
  func refused(bytes: [UInt8]) throws {
    try expectRefusal(of: bytes, .malformedJSON)
  }

  @Test("A text keeps its limits of depth and size, and not one level or byte more")
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

  @Test("A repeated name is found in small and large objects, plain or escaped")
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

  @Test("The same name in different objects is no repetition")
  func nestedNames() throws {
    let text = #"{"a":{"a":[{"a":1,"b":{"b":2}},{"a":3}]},"b":{"a":4,"b":{}}}"#
    #expect(throws: Never.self) { try JSONText(checking: Array(text.utf8)) }
    #expect(throws: Never.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test("The fault's place is its byte offset")
  func offsets() throws {
    for (text, offset) in [("", 0), ("[1,]", 3), ("{\"a\":01}", 6), ("  x", 2), ("{\"a\":1,\"a\":2}", 7), ("1 2", 2)] {
      let error = try expectRefusal(of: Array(text.utf8), .malformedJSON)
      #expect(error.message.contains("at byte \(offset):"), "\(text): \(error.message)")
    }
  }

  /// Expects that both ways of reading refuse a text with the same error.
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
