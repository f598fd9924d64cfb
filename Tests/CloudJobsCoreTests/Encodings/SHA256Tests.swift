import CloudJobsCore
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// Examples of FIPS 180-4 and messages of NIST's CAVP `SHA256ShortMsg`, and lengths around the padding's steps.
  static let vectors: [([UInt8], String)] = [
    ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      Array(
        ("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu").utf8),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ([0xD3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    ([0x11, 0xAF], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    ([0xB4, 0x19, 0x0E], "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"),
    ([0x74, 0xBA, 0x25, 0x21], "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"),
    ([0xBD], "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"),
    ([0xC9, 0x8C, 0x8E, 0x55], "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504"),
    (repeated(0, 55), "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"),
    (repeated(0, 56), "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"),
    (repeated(0, 57), "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"),
    (repeated(0, 64), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"),
    (repeated(0, 1_000), "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"),
    (repeated(0x41, 1_000), "c2e686823489ced2017f6059b8b239318b6364f6dcd835d0a519105a1eadd6e4"),
    (repeated(0x55, 1_005), "f4d62ddec0f3dd90ea1380fa16a5ff8dc4c54b21740650f24afc4120903552b0"),
    (repeated(0x61, 63), "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"),
    (repeated(0x61, 119), "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"),
    (repeated(0x61, 120), "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"),
    (repeated(0x61, 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    (repeated(0, 1_000_000), "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025"),
  ]

  static func repeated(_ byte: UInt8, _ count: Int) -> [UInt8] {
    [UInt8](repeating: byte, count: count)
  }

  @Test("Published test vectors", arguments: vectors.indices)
  func vector(index: Int) {
    let (message, digest) = Self.vectors[index]
    #expect(SHA256.hexDigest(of: message) == digest)
  }

  @Test("Updates in any pieces give the digest of the whole")
  func pieces() {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<300 {
      let message = (0..<Int.random(in: 0...700, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var digest = SHA256()
      var position = 0
      while position < message.count {
        let end = min(message.count, position + Int.random(in: 0...150, using: &random))
        digest.update(message[position..<end])
        position = end
      }
      #expect(SHA256.hex(digest.finalize()) == SHA256.hexDigest(of: message))
    }
  }

  @Test("A copy is independent of the original")
  func copies() {
    var first = SHA256()
    first.update(Array("ab".utf8))
    var second = first
    first.update(Array("c".utf8))
    second.update(Array("x".utf8))
    #expect(SHA256.hex(first.finalize()) == SHA256.hexDigest(of: Array("abc".utf8)))
    #expect(SHA256.hex(second.finalize()) == SHA256.hexDigest(of: Array("abx".utf8)))
  }

  @Test("A sequence without contiguous storage gives the same digest")
  func sequence() {
    #expect(SHA256.hexDigest(of: (0..<3).lazy.map { UInt8(97 + $0) }) == Self.vectors[1].1)
  }
}
