#if Google
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Testing

@testable import CloudJobsGoogle

@Suite("Forged and stale tokens")
struct ForgedTokenTests {
  private let clock = SettableClock(Forge.now)
  private let exchange = FakeExchange(.json(SigningKey.document([.issuer])))

  private var verifier: TokenVerifier {
    TokenVerifier(audiences: [Forge.audience], serviceAccounts: [Forge.account], client: exchange, clock: clock)
  }

  @Test("A good token is accepted, and says whose it is")
  func good() async throws {
    let identity = try await verifier.verify(Forge().token).get()
    #expect(identity.email == Forge.account)
    #expect(identity.subject == "112233445566778899001")
    #expect(identity.audience == Forge.audience)
    #expect(identity.issuedAt == Forge.now - .seconds(10))
    #expect(identity.expiresAt == Forge.now + .seconds(3_590))
  }

  @Test(
    "Harmless differences are accepted",
    arguments: [
      Forge.claim("iss", "accounts.google.com"), Forge.claim("sub", nil), Forge.claim("azp", nil),
      Forge.header("typ", nil), Forge.header("typ", "jwt"), Forge.claim("nbf", .integer(Forge.now.seconds + 60)),
      Forge.claim("iat", .integer(Forge.now.seconds + 60)), Forge.late,
      Forge.header("jwk", ["kty": "RSA"]), Forge.claim("google", ["compute_engine": ["zone": "z"]]),
    ])
  func harmless(token: String) async throws {
    #expect(try await verifier.verify(token).get().email == Forge.account)
  }

  @Test("A forgery is refused for its own reason", arguments: Forgery.all)
  func refused(forgery: Forgery) async throws {
    guard !forgery.token.isEmpty else { return }
    let result = try await verifier.verify(forgery.token)
    guard case .failure(let rejection) = result else {
      Issue.record("accepted: \(forgery.name)")
      return
    }
    #expect(rejection.reason == forgery.reason)
  }

  @Test("The handler answers 401 to every forgery, and neither answer nor log has anything of a token")
  func noTokenText() async throws {
    let log = LogRecorder()
    var options = RuntimeOptions()
    options.clock = StandingClock(time: clock)
    options.logger = log.logger
    let registry = try JobRegistry { EndpointJob("job") { _ in .done } }
    let runtime = try await JobRuntime(
      registry, store: MemoryStore(clock: clock), queue: .caller, authentication: .oidc(verifier), options: options)
    let body = Array(#"{"jobId":"job"}"#.utf8)
    var reasons: [String: Int] = [:]
    for forgery in Forgery.all {
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
    #expect(log.lines.count == Forgery.all.count)
    #expect(reasons.count >= 34)
    let answer = await runtime.handle(Self.request(Forge().token), body: body)
    #expect(answer.head.status == .ok)
  }

  @Test("The table is as large as it should be, and each row stands once")
  func table() {
    #expect(Forgery.all.count >= 40)
    #expect(Set(Forgery.all.map(\.name)).count == Forgery.all.count)
  }

  @Test(
    "The header that carries the token is read strictly",
    arguments: [
      ([], "tokenMissing"), (["Bearer "], "tokenMissing"), (["Bearer"], "tokenMissing"), (["Basic abc"], "notBearer"),
      ([Forge().token], "notBearer"), (["Bearer\t" + Forge().token], "notBearer"),
      (["Bearer " + Forge().token, "Bearer " + Forge().token], "headerRepeated"),
      (["Bearer  " + Forge().token], "headerEncoding"), (["Bearer " + Forge().token + " "], nil),
      (["\u{212A}earer " + Forge().token], "notBearer"),
      (["bearer " + Forge().token], nil), (["BEARER " + Forge().token], nil),
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

  @Test("A token of which any bit is changed is refused")
  func mutations() async throws {
    let verifier = verifier
    let good = Array(Forge().token.utf8)
    var random = SeededGenerator(state: 11)
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

  /// Parts of a token that are long enough to be nothing else.
  private static func fragments(_ token: String) -> [String] {
    token.split(separator: ".").filter { $0.count >= 16 }.map { String($0.prefix(16)) }
  }
}
#endif
