#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
@testable import CloudJobsGoogle
import CloudJobsTesting
import HTTPTypes
import TestSupport
import Testing

@Suite("Token claims")
struct TokenPolicyTests {
  private static let now = Timestamp(seconds: 1_795_233_600)

  private static func claims(
    audience: String = "https://K.example", issuedAt: Int64 = 0, expires: Int64 = 3_600
  ) -> [String: JSONValue] {
    [
      "iss": "accounts.google.com", "aud": .string(audience), "email": "a@p", "email_verified": true,
      "iat": .integer(now.seconds + issuedAt), "exp": .integer(now.seconds + expires),
    ]
  }

  private func reason(_ claims: [String: JSONValue], at now: Timestamp = now) -> String? {
    let policy = TokenPolicy(audiences: ["https://K.example", "second"], serviceAccounts: ["a@p", "b@p"])
    do throws(TokenRejection) {
      _ = try policy.check(claims, at: now)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test("Names are compared byte by byte, although Swift treats some letters as equal")
  func bytes() {
    #expect("\u{212A}" == "K", "the reason for this test")
    #expect(reason(Self.claims()) == nil)
    #expect(reason(Self.claims(audience: "https://\u{212A}.example")) == "audienceWrong")
    #expect(reason(Self.claims(audience: "second")) == nil)
  }

  @Test(
    "A token's expiry is exact to the microsecond",
    arguments: [
      (Int64(3_659_999_999), nil), (3_660_000_000, "expired"), (3_660_000_001, "expired"), (0, nil),
    ] as [(Int64, String?)])
  func expiry(microseconds: Int64, expected: String?) {
    #expect(reason(Self.claims(), at: Self.now + .microseconds(microseconds)) == expected)
  }

  @Test(
    "A token's start is exact to the microsecond",
    arguments: [(Int64(-60_000_000), nil), (-60_000_001, "issuedInFuture")] as [(Int64, String?)])
  func issue(microseconds: Int64, expected: String?) {
    #expect(reason(Self.claims(), at: Self.now + .microseconds(microseconds)) == expected)
  }

  @Test(
    "A lifetime is between a second and a day",
    arguments: [
      (Int64(0), Int64(1), nil), (0, 0, "lifetimeInvalid"), (0, 86_400, nil), (0, 86_401, "lifetimeInvalid"),
    ] as [(Int64, Int64, String?)])
  func lifetime(issuedAt: Int64, expires: Int64, expected: String?) {
    #expect(reason(Self.claims(issuedAt: issuedAt, expires: expires)) == expected)
  }

  @Test(
    "Keys are cached for as long as the response allows, within bounds",
    arguments: [
      ([:], 300), ([.cacheControl: "public, max-age=19421, must-revalidate, no-transform"], 19_421),
      ([.cacheControl: "max-age=19421", .age: "19000"], 421), ([.cacheControl: "max-age=100", .age: "500"], 60),
      ([.cacheControl: "MAX-AGE=600"], 600), ([.cacheControl: "max-age=0"], 60), ([.cacheControl: "no-store"], 60),
      ([.cacheControl: "max-age=3600, no-cache"], 60), ([.cacheControl: "max-age=99999999999"], 86_400),
      ([.cacheControl: "max-age=9999999999999999999"], 300), ([.cacheControl: "max-age=-5"], 300),
      ([.cacheControl: "max-age=x"], 300), ([.cacheControl: "s-maxage=9"], 300),
      ([.cacheControl: "max-age=600", .age: "x"], 600),
    ] as [(HTTPFields, Int)])
  func cacheLifetime(fields: HTTPFields, seconds: Int) {
    #expect(CacheLifetime.fresh(fields) == .seconds(seconds))
  }

  @Test(
    "An emulator's issuer is the origin of its keys unless it is named",
    arguments: [
      ("http://127.0.0.1:8085/oauth2/v3/certs", "http://127.0.0.1:8085"), ("http://emulator/certs", "http://emulator"),
      ("http://emulator", "http://emulator"), ("nonsense", "nonsense"),
    ])
  func emulator(url: String, name: String) {
    #expect(TokenIssuer.emulator(jwksURL: url).names == [name])
    #expect(TokenIssuer.emulator(jwksURL: url, name: "x").names == ["x"])
    #expect(TokenIssuer.google.names.contains(name) == false)
  }
}

#if Google
@Suite("Behind Cloud Run's IAM")
struct CloudRunTests {
  private static let policy = TokenPolicy(audiences: [TestToken.audience], serviceAccounts: [TestToken.account])

  private static func checked(_ claims: [String: JSONValue?] = [:]) -> String {
    "Bearer \(TestToken(claims: claims).input).SIGNATURE_REMOVED_BY_GOOGLE"
  }

  private static func reason(_ fields: HTTPFields) -> String? {
    do throws(TokenRejection) {
      _ = try Authentication.identity(ofCloudRun: fields, policy: policy, at: TestToken.now)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test(
    "Only a token with a removed signature is accepted, and only with the expected claims",
    arguments: [
      (checked(), nil), (checked(["iss": "accounts.google.com"]), nil),
      ("Bearer \(TestToken().token)", "signatureNotRemoved"), ("Bearer \(TestToken().input).", "signatureNotRemoved"),
      ("Bearer \(TestToken().input).SIGNATURE_REMOVED_BY_GOOGL", "signatureNotRemoved"),
      ("Bearer \(TestToken().input).signature_removed_by_google", "signatureNotRemoved"),
      (checked(["aud": "https://other.example"]), "audienceWrong"), (checked(["aud": nil]), "audienceMissing"),
      (checked(["email": "other@p"]), "accountWrong"), (checked(["email_verified": false]), "emailNotVerified"),
      (checked(["exp": .integer(TestToken.now.seconds - 60)]), "expired"), (checked(["iss": "x"]), "issuerWrong"),
      ("Bearer \(TestToken(header: ["alg": "none"]).input).SIGNATURE_REMOVED_BY_GOOGLE", "algorithmNone"),
      ("Bearer x", "notThreeParts"),
    ] as [(String, String?)])
  func believed(value: String, reason: String?) {
    #expect(Self.reason([.authorization: value]) == reason)
  }

  @Test("If the serverless field is sent, only that field is read, because only it was verified")
  func serverless() throws {
    let name = try #require(HTTPField.Name("X-Serverless-Authorization"))
    let other = Self.checked(["email": "other@p"])
    #expect(Self.reason([name: Self.checked()]) == nil)
    #expect(Self.reason([name: Self.checked(), .authorization: "Basic abc"]) == nil)
    #expect(Self.reason([name: other, .authorization: Self.checked()]) == "accountWrong")
    #expect(Self.reason([:]) == "tokenMissing")
  }

  @Test("The two modes are separate: each rejects what the other accepts")
  func modes() async throws {
    let clock = VirtualClock(start: TestToken.now, sleep: .skips(upTo: .seconds(5)))
    let exchange = FakeExchange(.json(SigningKey.document([.issuer])))
    let registry = try JobRegistry { EndpointJob("job") { _ in .done } }
    let iam = Authentication.cloudRunIAM(
      audience: TestToken.audience, serviceAccounts: [TestToken.account], clock: clock)
    let oidc = Authentication.oidc(
      audience: TestToken.audience, serviceAccounts: [TestToken.account], client: exchange, clock: clock)
    let rows: [(Authentication, String, Int)] = [
      (iam, Self.checked(), 200), (iam, "Bearer \(TestToken().token)", 401), (oidc, Self.checked(), 401),
      (oidc, "Bearer \(TestToken().token)", 200),
    ]
    for (mode, value, status) in rows {
      var options = RuntimeOptions()
      options.clock = clock
      options.logger = LogRecorder().logger
      let runtime = try await JobRuntime.prepared(
        registry, store: MemoryStore(clock: clock), queue: .caller, authentication: mode, options: options)
      let request = HTTPRequest(
        method: .post, scheme: "https", authority: "worker", path: "/jobs/trigger",
        headerFields: [.authorization: value])
      let answer = await runtime.handle(request, body: Array(#"{"jobId":"job"}"#.utf8))
      #expect(answer.head.status.code == status)
      #expect(mode.allowsRemotePeers)
    }
  }
}
#endif
#endif
