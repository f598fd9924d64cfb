#if Google
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
@testable import CloudJobsGoogle
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import TestSupport
import Testing

@Suite("Invalid and expired tokens")
struct InvalidTokenTests {
  private let clock = VirtualClock(start: TestToken.now, sleep: .skips(upTo: .seconds(5)))
  private let exchange = FakeExchange(.json(SigningKey.document([.issuer])))

  private var verifier: TokenVerifier {
    TokenVerifier(audiences: [TestToken.audience], serviceAccounts: [TestToken.account], client: exchange, clock: clock)
  }

  @Test("A valid token is accepted, and yields its identity")
  func good() async throws {
    let identity = try await verifier.verify(TestToken().token).get()
    #expect(identity.email == TestToken.account)
    #expect(identity.subject == "112233445566778899001")
    #expect(identity.audience == TestToken.audience)
    #expect(identity.issuedAt == TestToken.now - .seconds(10))
    #expect(identity.expiresAt == TestToken.now + .seconds(3_590))
  }

  @Test(
    "Harmless differences are accepted",
    arguments: [
      TestToken.claim("iss", "accounts.google.com"), TestToken.claim("sub", nil), TestToken.claim("azp", nil),
      TestToken.header("typ", nil), TestToken.header("typ", "jwt"),
      TestToken.claim("nbf", .integer(TestToken.now.seconds + 60)),
      TestToken.claim("iat", .integer(TestToken.now.seconds + 60)), TestToken.late,
      TestToken.header("jwk", ["kty": "RSA"]), TestToken.claim("google", ["compute_engine": ["zone": "z"]]),
    ])
  func harmless(token: String) async throws {
    #expect(try await verifier.verify(token).get().email == TestToken.account)
  }

  @Test("An invalid token is rejected for its own reason", arguments: InvalidToken.all)
  func refused(forgery: InvalidToken) async throws {
    guard !forgery.token.isEmpty else { return }
    let result = try await verifier.verify(forgery.token)
    guard case .failure(let rejection) = result else {
      Issue.record("accepted: \(forgery.name)")
      return
    }
    #expect(rejection.reason == forgery.reason)
  }

  @Test("The handler answers 401 to every invalid token, and neither response nor log contains any part of a token")
  func noTokenText() async throws {
    let log = LogRecorder()
    var options = RuntimeOptions()
    options.clock = clock
    options.logger = log.logger
    let registry = try JobRegistry { EndpointJob("job") { _ in .done } }
    let runtime = JobRuntime(
      registry, store: MemoryStore(clock: clock), queue: .caller, authentication: .oidc(verifier), options: options)
    let body = Array(#"{"jobId":"job"}"#.utf8)
    var reasons: [String: Int] = [:]
    for forgery in InvalidToken.all {
      let answer = await runtime.handle(Self.request(forgery.token), body: body)
      #expect(answer.head.status == .unauthorized, "\(forgery.name)")
      let text = String(decoding: answer.body, as: UTF8.self)
      for fragment in Self.fragments(forgery.token) {
        #expect(!text.contains(fragment), "\(forgery.name)")
        #expect(!log.lines.contains { $0.contains(fragment) }, "\(forgery.name)")
      }
      #expect(log.lines.last?.contains("oidc \(forgery.reason)") == true, "\(forgery.name)")
      reasons[forgery.reason, default: 0] += 1
    }
    #expect(log.lines.count == InvalidToken.all.count)
    #expect(reasons.count >= 34)
    let answer = await runtime.handle(Self.request(TestToken().token), body: body)
    #expect(answer.head.status == .ok)
  }

  @Test("The table is complete, and its names are unique")
  func table() {
    #expect(InvalidToken.all.count >= 40)
    #expect(Set(InvalidToken.all.map(\.name)).count == InvalidToken.all.count)
  }

  @Test(
    "The token's header field is parsed strictly",
    arguments: [
      ([], "tokenMissing"), (["Bearer "], "tokenMissing"), (["Bearer"], "tokenMissing"), (["Basic abc"], "notBearer"),
      ([TestToken().token], "notBearer"), (["Bearer\t" + TestToken().token], "notBearer"),
      (["Bearer " + TestToken().token, "Bearer " + TestToken().token], "headerRepeated"),
      (["Bearer  " + TestToken().token], "headerEncoding"), (["Bearer " + TestToken().token + " "], nil),
      (["\u{212A}earer " + TestToken().token], "notBearer"),
      (["bearer " + TestToken().token], nil), (["BEARER " + TestToken().token], nil),
    ] as [([String], String?)])
  func header(values: [String], reason: String?) async throws {
    var fields = HTTPFields()
    for value in values { fields.append(HTTPField(name: .authorization, value: value)) }
    let token = Result { () throws(TokenRejection) in try BearerToken.find(in: .authorization, of: fields) }
    let result: Result<TokenIdentity, TokenRejection> =
      switch token {
      case .success(let token): try await verifier.verify(token)
      case .failure(let rejection): .failure(rejection)
      }
    switch result {
    case .success: #expect(reason == nil)
    case .failure(let rejection): #expect(rejection.reason == reason)
    }
  }

  @Test("A token with any changed bit is rejected")
  func mutations() async throws {
    let verifier = verifier
    let good = Array(TestToken().token.utf8)
    var random = SeededGenerator(seed: 11)
    for _ in 0..<3_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<7, using: &random)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: index)
        }
      }
      if bytes == good { continue }
      let result = try await verifier.verify(String(decoding: bytes, as: UTF8.self))
      guard case .failure = result else {
        Issue.record("accepted: \(String(decoding: bytes, as: UTF8.self))")
        return
      }
    }
  }

  private static func request(_ token: String) -> HTTPRequest {
    HTTPRequest(
      method: .post, scheme: "https", authority: "worker", path: "/jobs/trigger",
      headerFields: [.authorization: "Bearer \(token)"])
  }

  /// Returns parts of a token that are long enough to be unambiguous.
  private static func fragments(_ token: String) -> [String] {
    token.split(separator: ".").filter { $0.count >= 16 }.map { String($0.prefix(16)) }
  }
}

#if HTTP
@Suite("Base64url")
struct Base64URLTests {
  @Test("Bytes survive a round trip, and each value has one encoding")
  func roundTrip() {
    var random = SeededGenerator(seed: 3)
    for count in 0..<80 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = Base64URL.encode(bytes)
      #expect(Base64URL.decode(Array(text.utf8)) == bytes)
      #expect(!text.contains { "+/=".contains($0) })
    }
  }

  @Test(
    "Invalid text is rejected",
    arguments: ["A", "AAAAA", "AA==", "AB", "AAB", "A+AA", "A/AA", "AA A", "AA\n", "é", "AAA=", "AA\0A"])
  func refused(text: String) {
    #expect(Base64URL.decode(Array(text.utf8)) == nil)
  }

  @Test("The URL-safe characters are accepted", arguments: [("-_-_", [0xFB, 0xFF, 0xBF]), ("", []), ("AA", [0])])
  func taken(text: String, bytes: [UInt8]) {
    #expect(Base64URL.decode(Array(text.utf8)) == bytes)
  }
}
#endif
#endif
