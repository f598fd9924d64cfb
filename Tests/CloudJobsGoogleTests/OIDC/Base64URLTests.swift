#if HTTP
import Testing

@testable import CloudJobsGoogle

@Suite("Base 64 for URLs")
struct Base64URLTests {
  @Test("Bytes come back, and each value has one spelling")
  func roundTrip() {
    var random = SeededGenerator(state: 3)
    for count in 0..<80 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = Base64URL.encode(bytes)
      #expect(Base64URL.decode(Array(text.utf8)) == bytes)
      #expect(!text.contains { "+/=".contains($0) })
    }
  }

  @Test(
    "Anything else is refused",
    arguments: ["A", "AAAAA", "AA==", "AB", "AAB", "A+AA", "A/AA", "AA A", "AA\n", "é", "AAA=", "AA\0A"])
  func refused(text: String) {
    #expect(Base64URL.decode(Array(text.utf8)) == nil)
  }

  @Test("The URL-safe characters are taken", arguments: [("-_-_", [0xFB, 0xFF, 0xBF]), ("", []), ("AA", [0])])
  func taken(text: String, bytes: [UInt8]) {
    #expect(Base64URL.decode(Array(text.utf8)) == bytes)
  }
}
#endif
