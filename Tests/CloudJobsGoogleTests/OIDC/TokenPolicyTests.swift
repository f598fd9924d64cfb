#if HTTP
import CloudJobsCore
import HTTPTypes
import Testing

@testable import CloudJobsGoogle

@Suite("Claims")
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

  @Test("Names are compared byte by byte, where Swift would take other letters for the same")
  func bytes() {
    #expect("\u{212A}" == "K", "the reason for this test")
    #expect(reason(Self.claims()) == nil)
    #expect(reason(Self.claims(audience: "https://\u{212A}.example")) == "audienceWrong")
    #expect(reason(Self.claims(audience: "second")) == nil)
  }

  @Test(
    "The end of a token's life is met to the microsecond",
    arguments: [
      (Int64(3_659_999_999), nil), (3_660_000_000, "expired"), (3_660_000_001, "expired"), (0, nil),
    ] as [(Int64, String?)])
  func expiry(microseconds: Int64, expected: String?) {
    #expect(reason(Self.claims(), at: Self.now + .microseconds(microseconds)) == expected)
  }

  @Test(
    "The begin of a token's life is met to the microsecond",
    arguments: [(Int64(-60_000_000), nil), (-60_000_001, "issuedInFuture")] as [(Int64, String?)])
  func issue(microseconds: Int64, expected: String?) {
    #expect(reason(Self.claims(), at: Self.now + .microseconds(microseconds)) == expected)
  }

  @Test(
    "A life is between a second and a day",
    arguments: [
      (Int64(0), Int64(1), nil), (0, 0, "lifetimeInvalid"), (0, 86_400, nil), (0, 86_401, "lifetimeInvalid"),
    ] as [(Int64, Int64, String?)])
  func lifetime(issuedAt: Int64, expires: Int64, expected: String?) {
    #expect(reason(Self.claims(issuedAt: issuedAt, expires: expires)) == expected)
  }

  @Test(
    "Keys are kept for as long as the answer's fields allow, within bounds",
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
#endif
