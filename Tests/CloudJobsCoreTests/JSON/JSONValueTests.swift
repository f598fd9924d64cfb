import CloudJobsCore
import FoundationEssentials
import TestSupport
import Testing

@Suite("JSON value")
struct JSONValueTests {
  @Test(
    "Texts and their values",
    arguments: [
      ("0", 0), ("-0", 0), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1.0", .double(1)), ("1e2", .double(100)),
      ("1e-400", .double(0)), ("0.1", .double(0.1)), ("4.9e-324", .double(.leastNonzeroMagnitude)),
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC\uD83D\uDE00z""#, "Aé€😀z"),
      (#""\u0000""#, "\u{0}"), (#""\\u0041""#, "\\u0041"), (#""é\n€""#, "é\n€"),
      ("[1,[true,null],{\"a\":\"b\"}]", [1, [true, nil], ["a": "b"]]), ("{\"\":{\"é\":[]}}", ["": ["é": []]]),
    ] as [(String, JSONValue)])
  func meaning(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: Array(text.utf8)) == value)
  }

  @Test("Random values round-trip, and Foundation decodes the same values")
  func roundTrip() throws {
    var random = SeededGenerator(seed: 3)
    let decoder = JSONDecoder()
    for round in 0..<3_000 {
      let value = randomValue(depth: 0, &random)
      let bytes = value.encoded
      let isSame = try JSONValue(parsing: bytes) == value
      #expect(isSame, "\(value.text)")
      #expect(try JSONText(checking: bytes).bytes == bytes)
      if round % 10 == 0 {
        let mirror = try decoder.decode(JSONMirror.self, from: Data(bytes))
        let isSame = mirror.value == floating(value)
        #expect(isSame, "\(value.text)")
      }
    }
  }

  @Test("Objects are written with sorted names and without white space")
  func encoding() {
    let value: JSONValue = ["b": [1, 2.5, nil], "a": ["z": true, "é": "\"\\\n\u{1}\u{7F}/"], "": -0.0]
    #expect(value.text == "{\"\":-0.0,\"a\":{\"z\":true,\"é\":\"\\\"\\\\\\n\\u0001\u{7F}/\"},\"b\":[1,2.5,null]}")
    #expect(JSONValue.double(.infinity).text == "null")
    #expect(JSONText(value).description == value.text)
    #expect(JSONText.null.value == .null)
  }

  @Test("Typed accessors of a value")
  func views() {
    #expect(JSONValue.double(2).integer == 2)
    #expect(JSONValue.double(2.5).integer == nil)
    #expect(JSONValue.double(1e300).integer == nil)
    #expect(JSONValue.integer(2).double == 2)
    #expect((["a": 1] as JSONValue)["a"] == 1)
    #expect((["a": 1] as JSONValue)["b"] == nil)
    #expect(([1] as JSONValue)["a"] == nil)
    #expect(JSONValue.null.isNull)
    let kinds = ([nil, true, 1, 1.5, "a", [], [:]] as [JSONValue]).map(\.kind)
    #expect(kinds == ["null", "a boolean", "a number", "a number", "a string", "an array", "an object"])
  }

  /// The value with all numbers as floats, because Foundation's decoder does not preserve how a number was written.
  private func floating(_ value: JSONValue) -> JSONValue {
    switch value {
    case .integer(let number): .double(Double(number))
    case .array(let values): .array(values.map { floating($0) })
    case .object(let members): .object(members.mapValues { floating($0) })
    default: value
    }
  }

  private func randomValue(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
    switch Int.random(in: 0..<(depth < 6 ? 9 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .integer(Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 0..<64, using: &random))
    case 3:
      let value = Double(bitPattern: random.next())
      return .double(value.isFinite ? value : 0.5)
    case 4, 5: return .string(randomText(&random))
    case 6, 7:
      return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in randomValue(depth: depth + 1, &random) })
    default:
      var members = [String: JSONValue]()
      for _ in 0..<Int.random(in: 0..<20, using: &random) {
        members[randomText(&random)] = randomValue(depth: depth + 2, &random)
      }
      return .object(members)
    }
  }

  private func randomText(_ random: inout SeededGenerator) -> String {
    let ranges: [ClosedRange<UInt32>] = [0...0x1F, 0x20...0x7E, 0x20...0x7E, 0x7F...0x7FF, 0xE000...0xFFFF]
    var text = ""
    for _ in 0..<Int.random(in: 0..<12, using: &random) {
      let range = ranges.randomElement(using: &random) ?? 0x20...0x7E
      if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.unicodeScalars.append(scalar) }
      if Int.random(in: 0..<20, using: &random) == 0 { text += "\"\\😀" }
    }
    return text
  }
}

/// A JSON value decoded by Foundation.
struct JSONMirror: Decodable {
  let value: JSONValue

  init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: Key.self) {
      var members = [String: JSONValue]()
      for key in container.allKeys {
        members[key.stringValue] = try container.decode(JSONMirror.self, forKey: key).value
      }
      value = .object(members)
      return
    }
    if var container = try? decoder.unkeyedContainer() {
      var values = [JSONValue]()
      while !container.isAtEnd { values.append(try container.decode(JSONMirror.self).value) }
      value = .array(values)
      return
    }
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = .null
    } else if let bool = try? container.decode(Bool.self) {
      value = .bool(bool)
    } else if let text = try? container.decode(String.self) {
      value = .string(text)
    } else {
      value = .double(try container.decode(Double.self))
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
