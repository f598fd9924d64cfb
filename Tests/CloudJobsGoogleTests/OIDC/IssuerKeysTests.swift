#if Google
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsHTTP
import CloudJobsTesting
import HTTPTypes
import Testing

@testable import CloudJobsEmulatorServer
@testable import CloudJobsGoogle

@Suite("Issuer keys", .timeLimit(.minutes(1)))
struct IssuerKeysTests {
  private let clock = VirtualClock(start: TestToken.now, sleep: .moves)

  private func verifier(_ exchange: FakeExchange) -> TokenVerifier {
    TokenVerifier(audiences: [TestToken.audience], serviceAccounts: [TestToken.account], client: exchange, clock: clock)
  }

  private static func keys(_ keys: [SigningKey], maxAge: Int = 3_600) -> HTTPExchangeResponse {
    .json(SigningKey.document(keys), [.cacheControl: "public, max-age=\(maxAge)"])
  }

  /// Returns the outcome in one word.
  private func outcome(_ verifier: TokenVerifier, _ token: String) async -> String {
    do throws(JobError) {
      switch try await verifier.verify(token) {
      case .success: return "accepted"
      case .failure(let rejection): return rejection.reason
      }
    } catch {
      return error.code.rawValue
    }
  }

  /// Returns a token that is valid at the clock's time.
  private func token(by key: SigningKey = .issuer) -> String {
    let now = clock.now().seconds
    return TestToken(
      header: ["kid": .string(key.id)], claims: ["iat": .integer(now), "exp": .integer(now + 3_600)], key: key
    ).token
  }

  @Test("Keys are used for as long as the emulator's header says, and are fetched then", arguments: [false, true])
  func emulatorsHeader(isKeyKept: Bool) async {
    let header = TokenClaims.cacheControl(isKeyKept: isKeyKept)
    let life = isKeyKept ? TokenClaims.keptLife : TokenClaims.fleetingLife
    let exchange = FakeExchange(.json(SigningKey.document([.issuer]), [.cacheControl: header.value]))
    let verifier = verifier(exchange)
    #expect(await outcome(verifier, token()) == "accepted")
    clock.set(TestToken.now + .seconds(life) - .microseconds(1))
    #expect(await outcome(verifier, token()) == "accepted")
    #expect(exchange.requests.count == 1)
    clock.set(TestToken.now + .seconds(life))
    #expect(await outcome(verifier, token()) == "accepted")
    #expect(exchange.requests.count == 2)
  }

  @Test("A thousand concurrent tokens cause one fetch")
  func singleFlight() async {
    let exchange = FakeExchange(Self.keys([.issuer]))
    let verifier = verifier(exchange)
    let token = token()
    exchange.hold()
    let outcomes = await withTaskGroup(of: String.self) { group in
      for _ in 0..<1_000 { group.addTask { await self.outcome(verifier, token) } }
      group.addTask {
        while exchange.requests.isEmpty, !Task.isCancelled { await Task.yield() }
        for _ in 0..<100 { await Task.yield() }
        exchange.open()
        return "opened"
      }
      return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    }
    #expect(outcomes == ["accepted": 1_000, "opened": 1])
    #expect(exchange.requests.count == 1)
    #expect(exchange.requests.first?.url == "https://www.googleapis.com/oauth2/v3/certs")
  }

  @Test("Ten thousand unknown keys cause at most one fetch per minute")
  func strangers() async {
    let exchange = FakeExchange(Self.keys([.issuer], maxAge: 86_400))
    let verifier = verifier(exchange)
    #expect(await outcome(verifier, token()) == "accepted")
    let input = TestToken().input.split(separator: ".")[1]
    let signature = Base64URL.encode([UInt8](repeating: 1, count: 256))
    for number in 0..<10_000 {
      let header = Base64URL.encode(Array(#"{"alg":"RS256","kid":"strange-\#(number)"}"#.utf8))
      #expect(await outcome(verifier, "\(header).\(input).\(signature)") == "keyUnknown")
      clock.advance(by: .milliseconds(60))
    }
    #expect(clock.now() - TestToken.now == .seconds(600))
    #expect(exchange.requests.count == 10, "one at the start and one in each whole minute")
  }

  @Test("A key that the issuer has started to use is fetched, and a withdrawn one is rejected")
  func rotation() async {
    let exchange = FakeExchange(Self.keys([.issuer]))
    let verifier = verifier(exchange)
    #expect(await outcome(verifier, token()) == "accepted")
    exchange.answer { (_, _) throws(HTTPExchangeError) in Self.keys([.next]) }
    #expect(await outcome(verifier, token(by: .next)) == "keyUnknown", "a minute has not passed since the last fetch")
    clock.advance(by: .seconds(60))
    #expect(await outcome(verifier, token(by: .next)) == "accepted")
    #expect(await outcome(verifier, token()) == "keyUnknown")
    #expect(exchange.requests.count == 2)
  }

  @Test("Keys are fetched again when they expire, and not before")
  func maxAge() async {
    let exchange = FakeExchange(Self.keys([.issuer], maxAge: 600))
    let verifier = verifier(exchange)
    for (advance, fetches) in [(0, 1), (599, 1), (1, 2), (599, 2), (1, 3)] {
      clock.advance(by: .seconds(advance))
      #expect(await outcome(verifier, token()) == "accepted")
      #expect(exchange.requests.count == fetches)
    }
  }

  @Test("During an outage the old keys are used for a day, and a fetch is attempted once per minute")
  func outage() async {
    let exchange = FakeExchange(Self.keys([.issuer], maxAge: 600))
    let verifier = verifier(exchange)
    #expect(await outcome(verifier, token()) == "accepted")
    exchange.answer { (_, number) throws(HTTPExchangeError) in
      switch number % 3 {
      case 0: throw HTTPExchangeError(.timedOut, "No answer.")
      case 1: return HTTPExchangeResponse(status: 503)
      default: return .json(#"{"keys":[]}"#)
      }
    }
    clock.advance(by: .seconds(600))
    for _ in 0..<120 {
      #expect(await outcome(verifier, token()) == "accepted")
      clock.advance(by: .milliseconds(1_000))
    }
    #expect(exchange.requests.count == 3)
    clock.set(TestToken.now + .seconds(600) + .hours(24) - .microseconds(1))
    #expect(await outcome(verifier, token()) == "accepted")
    clock.advance(by: .microseconds(1))
    #expect(await outcome(verifier, token()) == "keysUnavailable")
    #expect(await outcome(verifier, token(by: .next)) == "keysUnavailable")
    exchange.answer { (_, _) throws(HTTPExchangeError) in Self.keys([.issuer]) }
    clock.advance(by: .seconds(5))
    #expect(await outcome(verifier, token()) == "accepted")
  }

  @Test("Without any keys a token is neither accepted nor rejected, and a fetch is attempted every five seconds")
  func neverReached() async {
    let exchange = FakeExchange { (_, _) throws(HTTPExchangeError) in throw HTTPExchangeError(.couldNotConnect, "No.") }
    let verifier = verifier(exchange)
    for _ in 0..<50 {
      #expect(await outcome(verifier, token()) == "keysUnavailable")
      clock.advance(by: .milliseconds(500))
    }
    #expect(exchange.requests.count == 5)
    exchange.answer { (_, _) throws(HTTPExchangeError) in Self.keys([.issuer]) }
    #expect(await outcome(verifier, token()) == "accepted")
  }

  @Test("A fetching caller that is cancelled does not make others fail")
  func cancelledLeader() async {
    let exchange = FakeExchange(Self.keys([.issuer]))
    let verifier = verifier(exchange)
    let token = token()
    exchange.hold()
    await withTaskGroup(of: Void.self) { followers in
      await withTaskGroup(of: Void.self) { leader in
        leader.addTask { #expect(await self.outcome(verifier, token) == "keysUnavailable") }
        while exchange.requests.isEmpty, !Task.isCancelled { await Task.yield() }
        for _ in 0..<20 { followers.addTask { #expect(await self.outcome(verifier, token) == "accepted") } }
        for _ in 0..<200 { await Task.yield() }
        leader.cancelAll()
      }
      while exchange.requests.count < 2, !Task.isCancelled { await Task.yield() }
      exchange.open()
    }
    #expect(exchange.requests.count == 2)
    #expect(await outcome(verifier, token) == "accepted")
  }

  @Test("A clock that is set back does not stop fetches")
  func clockSetBack() async {
    let exchange = FakeExchange(Self.keys([.issuer], maxAge: 600))
    let verifier = verifier(exchange)
    #expect(await outcome(verifier, token()) == "accepted")
    clock.set(TestToken.now - .days(3))
    exchange.answer { (_, _) throws(HTTPExchangeError) in Self.keys([.next]) }
    #expect(await outcome(verifier, token(by: .next)) == "accepted")
  }

  @Test(
    "Only usable keys of a document are taken",
    arguments: [
      ("{}", nil), ("[]", nil), (#"{"keys":{}}"#, nil), (#"{"keys":[]}"#, nil), (#"{"keys":[1,null,"x"]}"#, nil),
      (document { $0["kty"] = "EC" }, nil), (document { $0["use"] = "enc" }, nil),
      (document { $0["alg"] = "RS512" }, nil),
      (document { $0["kid"] = nil }, nil), (document { $0["kid"] = "" }, nil), (document { $0["n"] = "AQAB" }, nil),
      (document { $0["n"] = .string(($0["n"]?.string ?? "") + "=") }, nil), (document { $0["e"] = "" }, nil),
      (document { $0["use"] = nil }, "key-1"), (document { $0["alg"] = nil }, "key-1"), (document { _ in }, "key-1"),
    ] as [(String, String?)])
  func documents(text: String, id: String?) {
    #expect(PublicKeySet(parsing: Array(text.utf8))?.keys.first?.id == id)
  }

  @Test("The length of a document and the number of its keys are limited")
  func bounds() {
    let many = (0..<100).map { SigningKey.issuer.published.with("kid", .string("k\($0)")) }
    let set = PublicKeySet(parsing: JSONValue.object(["keys": .array(many)]).encoded)
    #expect(set?.keys.count == 32)
    #expect(set?.keys.map(\.id) == (0..<32).map { "k\($0)" })
    let twice = JSONValue.object(["keys": [SigningKey.issuer.published, SigningKey.stranger.published]])
    #expect(PublicKeySet(parsing: twice.encoded)?.keys.count == 1, "the first of two keys with one name")
    let long = SigningKey.document([.issuer]) + String(repeating: " ", count: 65_536)
    #expect(PublicKeySet(parsing: Array(long.utf8)) == nil)
  }

  private static func document(_ change: (inout [String: JSONValue]) -> Void) -> String {
    var members = SigningKey.issuer.published.object ?? [:]
    change(&members)
    return JSONValue.object(["keys": [.object(members)]]).text
  }
}

#endif
