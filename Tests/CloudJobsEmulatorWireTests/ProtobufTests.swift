import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("The binary form of messages")
struct ProtobufTests {
  @Test(
    "known bytes are a message, and the other way round",
    arguments: [
      ([0x10, 0x96, 0x01], #"{"small":150}"#), ([0x72, 7] + Array("testing".utf8), #"{"text":"testing"}"#),
      ([0x8A, 1, 5, 10, 1, 0x61, 16, 1], #"{"leaf":{"name":"a","number":1}}"#),
      ([0xAA, 1, 3, 3, 0x8E, 2], #"{"numbers":[3,270]}"#), ([0xB0, 1, 3, 0xB0, 1, 4], #"{"unpacked":[3,4]}"#),
      ([0x30, 1], #"{"zigzag":-1}"#), ([0x45, 1, 0, 0, 0], #"{"fixed":1}"#),
      ([0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], #"{"small":-1}"#),
    ] as [([UInt8], String)])
  func bytes(bytes: [UInt8], json: String) throws {
    let message = try Example.tree(bytes)
    #expect(Example.text(message) == json)
    #expect(ProtobufWriter.bytes(message) == bytes)
  }

  @Test(
    "other bytes are the same message",
    arguments: [
      // Unpacked numbers of a packed field, and the other way round.
      ([0xA8, 1, 3, 0xA8, 1, 4], #"{"numbers":[3,4]}"#), ([0xB2, 1, 2, 3, 4], #"{"unpacked":[3,4]}"#),
      // The last one counts.
      ([0x10, 1, 0x10, 2], #"{"small":2}"#),
      // A message in parts.
      ([0x8A, 1, 3, 10, 1, 0x61, 0x8A, 1, 2, 16, 1], #"{"leaf":{"name":"a","number":1}}"#),
      // Unknown fields of all wire types, a group among them.
      ([0xE8, 7, 1, 0xEA, 7, 1, 0, 0xED, 7, 0, 0, 0, 0, 0xEB, 7, 8, 1, 0xEC, 7, 0x10, 1], #"{"small":1}"#),
      // An entry of a map without key and value.
      ([0xD2, 1, 0], #"{"byName":{"":{}}}"#),
      // Another field of the same group.
      ([0xEA, 1, 1, 0x61, 0xF2, 1, 0], #"{"secondChoice":{}}"#),
      // A number of 32 bits with more of them.
      ([0x10, 0x81, 0x80, 0x80, 0x80, 0x10], #"{"small":1}"#),
    ] as [([UInt8], String)])
  func otherBytes(bytes: [UInt8], json: String) throws {
    #expect(Example.text(try Example.tree(bytes)) == json)
  }

  @Test(
    "invalid bytes are refused with their place",
    arguments: [
      ([0x10], "a number is cut at byte 1, in 'small'"), ([0x72, 5, 0x61], "the length 5 goes beyond the end"),
      ([0x72, 1, 0xFF], "the text is not UTF-8"), ([0x0F, 0], "the wire type is invalid"),
      ([0x00, 0], "the number of a field is invalid"), ([0x12, 1, 0], "is not that of int32"),
      ([0x8A, 1, 2, 0x10, 0x80], "in 'leaf.number'"), ([0xEC, 7], "a group ends that has not begun"),
      ([0xEB, 7, 0xE4, 7], "a group has the end of another"),
      ([0x8A, 2, 2, 0x10, 0x80], "in 'time' of test.Tree"),
      ([0x8A, 2, 6, 0x10, 0x80, 0x94, 0xEB, 0xDC, 3], "are no Timestamp"),
      ([0x10] + Array(repeating: 0xFF, count: 10) + [1], "more than ten bytes"),
    ] as [([UInt8], String)])
  func refusals(bytes: [UInt8], reason: String) {
    let fault = #expect(throws: ServiceFault.self) { try Example.tree(bytes) }
    #expect(fault?.code == .internal)
    #expect(fault?.message.contains(reason) == true, "\(String(describing: fault))")
  }

  @Test("nesting has a limit")
  func depth() throws {
    var bytes: [UInt8] = []
    for _ in 0..<90 {
      let count = bytes.count
      bytes = [0xFA, 2] + (count < 128 ? [UInt8(count)] : [UInt8(count & 127) | 128, UInt8(count >> 7)]) + bytes
    }
    _ = try Example.tree(bytes)
    for _ in 0..<20 {
      let count = bytes.count
      bytes = [0xFA, 2, UInt8(count & 127) | 128, UInt8(count >> 7)] + bytes
    }
    let fault = #expect(throws: ServiceFault.self) { try Example.tree(bytes) }
    #expect(fault?.message.contains("nested too deeply") == true)
  }

  @Test("changed bytes never trap, and what is read can be written", arguments: 0..<8)
  func mutations(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let message = try Example.tree(
      #"{"flag":true,"small":-7,"longFloat":0.5,"text":"é","data":"AP8=","color":7,"leaf":{"name":"a"},"#
        + #""numbers":[1,2,3],"byName":{"a":{"number":1}},"secondChoice":{"name":"b"},"time":"2026-11-25T22:00:00Z","#
        + #""span":"-1.5s","mask":"a.b","object":{"a":[1,null,"x"]},"any":{"@type":"x/test.Leaf","name":"c"},"#
        + #""wrappedNumber":5,"child":{"child":{"texts":["a","b"]}}}"#)
    let bytes = ProtobufWriter.bytes(message)
    for _ in 0..<200 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2 where changed.count > 1: changed.remove(at: place)
        default: changed.insert(UInt8.random(in: 0...255, using: &random), at: place)
        }
      }
      do throws(ServiceFault) {
        let read = try Example.tree(changed)
        #expect(try Example.tree(ProtobufWriter.bytes(read)) == read || "\(read)".contains("nan"))
        _ = Example.text(read)
      } catch {
        #expect(error.code == .internal && error.message.contains("Error parsing request"))
      }
    }
  }
}
