#if Google
import CloudJobsCore
import CryptoExtras
import Testing

@testable import CloudJobsGoogle

/// A token that must be rejected, and the expected reason.
struct InvalidToken: CustomTestStringConvertible, Sendable {
  let name: String
  let reason: String
  let token: String

  init(_ name: String, _ reason: String, _ token: String) {
    (self.name, self.reason, self.token) = (name, reason, token)
  }

  var testDescription: String { "\(name): \(reason)" }

  static let all = form + headers + signatures + audiences + accounts + times

  /// Tokens with an invalid form.
  static let form: [InvalidToken] = {
    let good = TestToken().token
    let parts = good.split(separator: ".").map { String($0) }
    let header = JSONValue.object(TestToken.goodHeader).text
    let claims = JSONValue.object(TestToken.goodClaims).text
    let nested = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    let twice = claims.dropLast() + #","aud":"https://other.example"}"#
    return [
      InvalidToken("no token", "tokenMissing", ""),
      InvalidToken("one part", "notThreeParts", parts[0]),
      InvalidToken("two parts", "notThreeParts", "\(parts[0]).\(parts[1])"),
      InvalidToken("four parts", "notThreeParts", good + ".x"),
      InvalidToken("encrypted form of five parts", "notThreeParts", good + ".x.y"),
      InvalidToken("two dots and nothing else", "headerNotJSON", ".."),
      InvalidToken("a leading dot", "notThreeParts", "." + good),
      InvalidToken("huge", "tooLong", good + String(repeating: "A", count: 8_192)),
      InvalidToken(
        "a huge header", "headerTooLong", TestToken.header("x", .string(String(repeating: "x", count: 2_000)))),
      InvalidToken("a padded header", "headerEncoding", "\(parts[0])==.\(parts[1]).\(parts[2])"),
      InvalidToken("claims in the standard alphabet", "claimsEncoding", "\(parts[0]).ab+/.\(parts[2])"),
      InvalidToken("a padded signature", "signatureEncoding", good + "=="),
      InvalidToken("a space in the signature", "signatureEncoding", "\(parts[0]).\(parts[1]).ab cd"),
      InvalidToken("a letter that looks like another", "headerEncoding", "\u{0435}" + good),
      InvalidToken("the signature's unused bits set", "signatureEncoding", flippingUnusedBits(of: good)),
      InvalidToken("a header that is no JSON", "headerNotJSON", TestToken.signed(TestToken.input("{", claims))),
      InvalidToken("a header that is a list", "headerNotJSON", TestToken.signed(TestToken.input("[]", claims))),
      InvalidToken(
        "a header with a comma too many", "headerNotJSON", TestToken.signed(TestToken.input("{\"a\":1,}", claims))),
      InvalidToken("claims that are a text", "claimsNotJSON", TestToken.signed(TestToken.input(header, "\"x\""))),
      InvalidToken(
        "claims nested forty deep", "claimsNotJSON", TestToken.signed(TestToken.input(header, "{\"x\":\(nested)}"))),
      InvalidToken("the audience twice", "claimsNotJSON", TestToken.signed(TestToken.input(header, String(twice)))),
      InvalidToken(
        "claims with a byte-order mark", "claimsNotJSON", TestToken.signed(TestToken.input(header, "\u{FEFF}" + claims))
      ),
      InvalidToken(
        "claims with more behind them", "claimsNotJSON", TestToken.signed(TestToken.input(header, claims + "{}"))),
    ]
  }()

  /// Tokens with an invalid header.
  static let headers = [
    InvalidToken("alg none", "algorithmNone", TestToken(header: ["alg": "none"]).input + "."),
    InvalidToken("alg NoNe with a signature", "algorithmNone", TestToken.header("alg", "NoNe")),
    InvalidToken("no alg", "algorithmMissing", TestToken.header("alg", nil)),
    InvalidToken("alg as a list", "algorithmWrong", TestToken.header("alg", ["RS256"])),
    InvalidToken("alg rs256", "algorithmWrong", TestToken.header("alg", "rs256")),
    InvalidToken("alg with a space", "algorithmWrong", TestToken.header("alg", "RS256 ")),
    InvalidToken("HS256 with the public key as its secret", "algorithmWrong", TestToken.header("alg", "HS256")),
    InvalidToken("ES256", "algorithmWrong", TestToken.header("alg", "ES256")),
    InvalidToken("PS256", "algorithmWrong", TestToken.header("alg", "PS256")),
    InvalidToken("RS512", "algorithmWrong", TestToken.header("alg", "RS512")),
    InvalidToken("a critical extension", "criticalHeader", TestToken.header("crit", ["exp"])),
    InvalidToken("an unencoded payload", "criticalHeader", TestToken.header("b64", false)),
    InvalidToken("another type", "typeWrong", TestToken.header("typ", "at+jwt")),
    InvalidToken("a type that is a number", "typeWrong", TestToken.header("typ", 7)),
    InvalidToken("no kid", "keyIDMissing", TestToken.header("kid", nil)),
    InvalidToken("an empty kid", "keyIDInvalid", TestToken.header("kid", "")),
    InvalidToken("a kid that is a number", "keyIDInvalid", TestToken.header("kid", 1)),
    InvalidToken("a long kid", "keyIDInvalid", TestToken.header("kid", .string(String(repeating: "k", count: 257)))),
    InvalidToken("an unknown kid", "keyUnknown", TestToken.header("kid", "key-9")),
    InvalidToken("a kid that is a path", "keyUnknown", TestToken.header("kid", "../../dev/null")),
    InvalidToken("a kid that is a query", "keyUnknown", TestToken.header("kid", "key-1' OR '1'='1")),
  ]

  /// Tokens with an invalid signature.
  static let signatures: [InvalidToken] = {
    let stranger = SigningKey.stranger
    let input = TestToken().input
    let good = TestToken().token
    let other = TestToken(claims: ["email": "admin@project.iam.gserviceaccount.com"]).input
    let shortened = Base64URL.encode(SigningKey.issuer.signature(input).dropLast(3))
    let signature = String(good.split(separator: ".")[2])
    let removed = "SIGNATURE_REMOVED_BY_GOOGLE"
    return [
      InvalidToken("no signature", "signatureMissing", input + "."),
      InvalidToken("the mark of Cloud Run", "signatureRemoved", "\(input).\(removed)"),
      InvalidToken("a truncated signature", "signatureWrong", "\(input).\(shortened)"),
      InvalidToken("a lengthened signature", "signatureWrong", good + "AAAA"),
      InvalidToken("zeros", "signatureWrong", "\(input).\(Base64URL.encode([UInt8](repeating: 0, count: 256)))"),
      InvalidToken("the signature of another token", "signatureWrong", "\(other).\(signature)"),
      InvalidToken("a stranger's key under a known kid", "signatureWrong", TestToken.signed(input, by: stranger)),
      InvalidToken(
        "a stranger's key in the header", "signatureWrong",
        TestToken(header: ["jwk": stranger.published], key: stranger).token),
      InvalidToken(
        "a stranger's key at an address in the header", "signatureWrong",
        TestToken(header: ["jku": "https://evil.example/jwks", "x5u": "https://evil.example/cert"], key: stranger).token
      ),
      InvalidToken(
        "a stranger's certificate in the header", "signatureWrong",
        TestToken(header: ["x5c": ["MIIB"]], key: stranger).token),
      InvalidToken(
        "a signature with the other padding", "signatureWrong",
        "\(input).\(Base64URL.encode(SigningKey.issuer.signature(input, padding: .PSS)))"),
    ]
  }()

  /// Tokens with an invalid issuer or audience.
  static let audiences = [
    InvalidToken("no issuer", "issuerMissing", TestToken.claim("iss", nil)),
    InvalidToken("an issuer that is a list", "issuerMissing", TestToken.claim("iss", ["accounts.google.com"])),
    InvalidToken("another issuer", "issuerWrong", TestToken.claim("iss", "https://accounts.example.com")),
    InvalidToken("the issuer over http", "issuerWrong", TestToken.claim("iss", "http://accounts.google.com")),
    InvalidToken("the issuer with a slash", "issuerWrong", TestToken.claim("iss", "https://accounts.google.com/")),
    InvalidToken(
      "the issuer with more behind it", "issuerWrong", TestToken.claim("iss", "https://accounts.google.com.evil.io")),
    InvalidToken("an emulator's issuer", "issuerWrong", TestToken.claim("iss", "http://127.0.0.1:8085")),
    InvalidToken("no audience", "audienceMissing", TestToken.claim("aud", nil)),
    InvalidToken("a null audience", "audienceMissing", TestToken.claim("aud", .null)),
    InvalidToken("the audience in a list", "audienceNotText", TestToken.claim("aud", [.string(TestToken.audience)])),
    InvalidToken("another audience", "audienceWrong", TestToken.claim("aud", "https://other.a.run.app")),
    InvalidToken(
      "the audience with a slash", "audienceWrong", TestToken.claim("aud", .string(TestToken.audience + "/"))),
    InvalidToken("the audience in capitals", "audienceWrong", TestToken.claim("aud", "HTTPS://WORKER-ABC.A.RUN.APP")),
    InvalidToken(
      "the audience with a zero byte", "audienceWrong", TestToken.claim("aud", .string(TestToken.audience + "\0"))),
    InvalidToken("an empty audience", "audienceWrong", TestToken.claim("aud", "")),
  ]

  /// Tokens with an invalid account.
  static let accounts = [
    InvalidToken("no email", "emailMissing", TestToken.claim("email", nil)),
    InvalidToken("an email that is a list", "emailMissing", TestToken.claim("email", [.string(TestToken.account)])),
    InvalidToken("email_verified as a text", "emailNotVerified", TestToken.claim("email_verified", "true")),
    InvalidToken("email_verified as a number", "emailNotVerified", TestToken.claim("email_verified", 1)),
    InvalidToken("email_verified false", "emailNotVerified", TestToken.claim("email_verified", false)),
    InvalidToken("no email_verified", "emailNotVerified", TestToken.claim("email_verified", nil)),
    InvalidToken("another account", "accountWrong", TestToken.claim("email", "other@project.iam.gserviceaccount.com")),
    InvalidToken(
      "the account in capitals", "accountWrong", TestToken.claim("email", "TASKS@project.iam.gserviceaccount.com")),
    InvalidToken(
      "the account with more behind it", "accountWrong",
      TestToken.claim("email", .string(TestToken.account + ".evil.io"))),
    InvalidToken(
      "a letter that looks like another in the account", "accountWrong",
      TestToken.claim("email", "t\u{0430}sks@project.iam.gserviceaccount.com")),
    InvalidToken(
      "the account with a line break", "accountWrong", TestToken.claim("email", .string(TestToken.account + "\n"))),
  ]

  /// Tokens with invalid times.
  static let times: [InvalidToken] = {
    let now = TestToken.now.seconds
    return [
      InvalidToken("no exp", "expiryMissing", TestToken.claim("exp", nil)),
      InvalidToken("exp as a text", "expiryInvalid", TestToken.claim("exp", .string("\(now + 3_600)"))),
      InvalidToken("exp with a fraction", "expiryInvalid", TestToken.claim("exp", 1_795_233_700.5)),
      InvalidToken("exp beyond all numbers", "expiryInvalid", TestToken.claim("exp", 1e300)),
      InvalidToken("a negative exp", "expiryInvalid", TestToken.claim("exp", -1)),
      InvalidToken("expired by more than the skew", "expired", TestToken.claim("exp", .integer(now - 60))),
      InvalidToken("no iat", "issuedAtMissing", TestToken.claim("iat", nil)),
      InvalidToken("iat as a text", "issuedAtInvalid", TestToken.claim("iat", "now")),
      InvalidToken("issued in the future", "issuedInFuture", TestToken.claim("iat", .integer(now + 61))),
      InvalidToken("good for ever", "lifetimeInvalid", TestToken.claim("exp", .integer(now + 100_000))),
      InvalidToken(
        "ended before it began", "lifetimeInvalid",
        TestToken(claims: ["iat": .integer(now + 30), "exp": .integer(now + 20)]).token),
      InvalidToken("not valid yet", "notYetValid", TestToken.claim("nbf", .integer(now + 61))),
      InvalidToken("nbf as a text", "notBeforeInvalid", TestToken.claim("nbf", "now")),
    ]
  }()

  /// Returns the token with a signature that only differs in unused bits of its last character.
  private static func flippingUnusedBits(of token: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    guard let last = token.last, let index = alphabet.firstIndex(of: last) else { return token }
    return String(token.dropLast()) + String(alphabet[index ^ 1])
  }
}
#endif
