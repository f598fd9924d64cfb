#if Encryption
import CloudJobs
import CloudJobsCore
import CloudJobsEncryption
import Testing

@Suite("Encryption with AES-GCM")
struct AESGCMTests {
  static func key(_ id: String, _ byte: UInt8) throws -> EncryptionKeyRing.Key {
    try EncryptionKeyRing.Key(id: id, bytes: [UInt8](repeating: byte, count: 32))
  }

  static func place(_ key: String = "a", job: JobID = "job", field: String = "input") -> PayloadPlace {
    PayloadPlace(jobID: job, runID: RunID(job: "job", occurrence: .key(key)), field: field)
  }

  private let old: AESGCMPayloadCodec
  private let new: AESGCMPayloadCodec
  private let payload = JSONText(["name": "canary", "list": [1, nil, "ü"]])

  init() throws {
    old = AESGCMPayloadCodec(try EncryptionKeyRing(current: Self.key("k1", 1)))
    new = AESGCMPayloadCodec(try EncryptionKeyRing(current: Self.key("k2", 2), older: [Self.key("k1", 1)]))
  }

  @Test("A payload comes back byte for byte, and its stored form contains nothing of it")
  func roundTrip() throws {
    let stored = try new.encode(payload, at: Self.place())
    #expect(try new.decode(stored, at: Self.place()) == payload)
    #expect(stored.value["encrypted"]?["key"] == "k2")
    #expect(!stored.description.contains("canary") && !stored.description.contains("name"))
    #expect(try new.encode(payload, at: Self.place()) != stored, "each payload has its own nonce")
    for text in ["null", "0", "\"\"", "{}", " [ 1 ]"] {
      let text = try JSONText(checking: Array(text.utf8))
      #expect(try new.decode(try new.encode(text, at: Self.place()), at: Self.place()) == text)
    }
  }

  @Test("After a rotation new payloads have the new key, and old ones still decrypt")
  func rotation() throws {
    let stored = try old.encode(payload, at: Self.place())
    #expect(try new.decode(stored, at: Self.place()) == payload)
    #expect(try new.encode(payload, at: Self.place()).value["encrypted"]?["key"] == "k2")
  }

  @Test("A missing key is an error that names it")
  func missingKey() throws {
    let stored = try new.encode(payload, at: Self.place())
    let error = #expect(throws: JobError.self) { try old.decode(stored, at: Self.place()) }
    #expect(error?.code == .payloadKeyUnavailable && error?.message.contains("k2") == true)
  }

  @Test(
    "A payload of another job, run or field does not decrypt",
    arguments: [place("b"), place(job: "other"), place(field: "output")])
  func binding(_ other: PayloadPlace) throws {
    let stored = try new.encode(payload, at: Self.place())
    let error = #expect(throws: JobError.self) { try new.decode(stored, at: other) }
    #expect(error?.code == .payloadDamaged)
  }

  @Test("Every changed bit is found, and so is another key of the same id")
  func damage() throws {
    let stored = try #require(EncryptedPayload(try new.encode(payload, at: Self.place())))
    for index in stored.data.indices {
      var damaged = stored
      damaged.data[index] ^= 1 << (index % 8)
      #expect(throws: JobError.self) { try new.decode(damaged.payload, at: Self.place()) }
    }
    for length in [0, 1, 15, 16, stored.data.count - 1] {
      var damaged = stored
      damaged.data = Array(stored.data.prefix(length))
      #expect(throws: JobError.self) { try new.decode(damaged.payload, at: Self.place()) }
      damaged = stored
      damaged.nonce = Array(stored.nonce.prefix(length))
      if length < 12 { #expect(throws: JobError.self) { try new.decode(damaged.payload, at: Self.place()) } }
    }
    let swapped = AESGCMPayloadCodec(try EncryptionKeyRing(current: Self.key("k2", 3)))
    let error = #expect(throws: JobError.self) { try swapped.decode(stored.payload, at: Self.place()) }
    #expect(error?.code == .payloadDamaged)
  }

  @Test("Payloads from before the encryption are taken as they are, unless that is refused")
  func plaintext() throws {
    #expect(try new.decode(payload, at: Self.place()) == payload)
    let strict = AESGCMPayloadCodec(try EncryptionKeyRing(current: Self.key("k2", 2)), acceptsPlaintext: false)
    let error = #expect(throws: JobError.self) { try strict.decode(payload, at: Self.place()) }
    #expect(error?.code == .payloadDamaged)
  }
}

@Suite("Key rings")
struct EncryptionKeyRingTests {
  private static let base64 = Base64.encode([UInt8](repeating: 7, count: 32))

  @Test("A key ring is read from an environment, the current key first")
  func environment() throws {
    let ring = try EncryptionKeyRing(environment: ["PAYLOAD_KEYS": "k2:\(Self.base64),k1:\(Self.base64)"])
    #expect(ring.current.id == "k2")
    #expect(ring.description == "keys k1, k2, current k2" && !"\(Mirror(reflecting: ring).children)".contains("Key("))
  }

  @Test(
    "An invalid variable is an error without any key",
    arguments: [
      "", "k1", "k1:", ":\(base64)", "k1:short", "k 1:\(base64)", "k1:\(base64),", "k1:\(base64),k1:\(base64)",
      "k1:\(base64)AAAA", "\(String(repeating: "k", count: 65)):\(base64)",
    ])
  func invalid(_ text: String) throws {
    let error = #expect(throws: JobError.self) { try EncryptionKeyRing(environment: ["PAYLOAD_KEYS": text]) }
    #expect(error?.code == .invalidField && error?.description.contains(Self.base64) == false)
    #expect(throws: JobError.self) { try EncryptionKeyRing(environment: [:]) }
  }
}
#endif
