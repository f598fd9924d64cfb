#if Google
import CloudJobsCore
import CryptoExtras
import Testing

@testable import CloudJobsGoogle

/// A token that must not be accepted, and the reason that must be given.
struct Forgery: CustomTestStringConvertible, Sendable {
  let name: String
  let reason: String
  let token: String

  init(_ name: String, _ reason: String, _ token: String) {
    (self.name, self.reason, self.token) = (name, reason, token)
  }

  var testDescription: String { "\(name): \(reason)" }

  static let all = form + headers + signatures + audiences + accounts + times

  /// What is wrong with the text.
  static let form: [Forgery] = {
    let good = Forge().token
    let parts = good.split(separator: ".").map { String($0) }
    let header = JSONValue.object(Forge.goodHeader).text
    let claims = JSONValue.object(Forge.goodClaims).text
    let nested = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    let twice = claims.dropLast() + #","aud":"https://other.example"}"#
    return [
      Forgery("no token", "tokenMissing", ""),
      Forgery("one part", "notThreeParts", parts[0]),
      Forgery("two parts", "notThreeParts", "\(parts[0]).\(parts[1])"),
      Forgery("four parts", "notThreeParts", good + ".x"),
      Forgery("encrypted form of five parts", "notThreeParts", good + ".x.y"),
      Forgery("two dots and nothing else", "headerNotJSON", ".."),
      Forgery("a leading dot", "notThreeParts", "." + good),
      Forgery("huge", "tooLong", good + String(repeating: "A", count: 8_192)),
      Forgery("a huge header", "headerTooLong", Forge.header("x", .string(String(repeating: "x", count: 2_000)))),
      Forgery("a padded header", "headerEncoding", "\(parts[0])==.\(parts[1]).\(parts[2])"),
      Forgery("claims in the standard alphabet", "claimsEncoding", "\(parts[0]).ab+/.\(parts[2])"),
      Forgery("a padded signature", "signatureEncoding", good + "=="),
      Forgery("a space in the signature", "signatureEncoding", "\(parts[0]).\(parts[1]).ab cd"),
      Forgery("a letter that looks like another", "headerEncoding", "\u{0435}" + good),
      Forgery("the signature's unused bits set", "signatureEncoding", flippingUnusedBits(of: good)),
      Forgery("a header that is no JSON", "headerNotJSON", Forge.signed(Forge.input("{", claims))),
      Forgery("a header that is a list", "headerNotJSON", Forge.signed(Forge.input("[]", claims))),
      Forgery("a header with a comma too many", "headerNotJSON", Forge.signed(Forge.input("{\"a\":1,}", claims))),
      Forgery("claims that are a text", "claimsNotJSON", Forge.signed(Forge.input(header, "\"x\""))),
      Forgery("claims nested forty deep", "claimsNotJSON", Forge.signed(Forge.input(header, "{\"x\":\(nested)}"))),
      Forgery("the audience twice", "claimsNotJSON", Forge.signed(Forge.input(header, String(twice)))),
      Forgery("claims with a byte-order mark", "claimsNotJSON", Forge.signed(Forge.input(header, "\u{FEFF}" + claims))),
      Forgery("claims with more behind them", "claimsNotJSON", Forge.signed(Forge.input(header, claims + "{}"))),
    ]
  }()

  /// What is wrong with the header.
  static let headers = [
    Forgery("alg none", "algorithmNone", Forge(header: ["alg": "none"]).input + "."),
    Forgery("alg NoNe with a signature", "algorithmNone", Forge.header("alg", "NoNe")),
    Forgery("no alg", "algorithmMissing", Forge.header("alg", nil)),
    Forgery("alg as a list", "algorithmWrong", Forge.header("alg", ["RS256"])),
    Forgery("alg rs256", "algorithmWrong", Forge.header("alg", "rs256")),
    Forgery("alg with a space", "algorithmWrong", Forge.header("alg", "RS256 ")),
    Forgery("HS256 with the public key as its secret", "algorithmWrong", Forge.header("alg", "HS256")),
    Forgery("ES256", "algorithmWrong", Forge.header("alg", "ES256")),
    Forgery("PS256", "algorithmWrong", Forge.header("alg", "PS256")),
    Forgery("RS512", "algorithmWrong", Forge.header("alg", "RS512")),
    Forgery("a critical extension", "criticalHeader", Forge.header("crit", ["exp"])),
    Forgery("an unencoded payload", "criticalHeader", Forge.header("b64", false)),
    Forgery("another type", "typeWrong", Forge.header("typ", "at+jwt")),
    Forgery("a type that is a number", "typeWrong", Forge.header("typ", 7)),
    Forgery("no kid", "keyIDMissing", Forge.header("kid", nil)),
    Forgery("an empty kid", "keyIDInvalid", Forge.header("kid", "")),
    Forgery("a kid that is a number", "keyIDInvalid", Forge.header("kid", 1)),
    Forgery("a long kid", "keyIDInvalid", Forge.header("kid", .string(String(repeating: "k", count: 257)))),
    Forgery("an unknown kid", "keyUnknown", Forge.header("kid", "key-9")),
    Forgery("a kid that is a path", "keyUnknown", Forge.header("kid", "../../dev/null")),
    Forgery("a kid that is a query", "keyUnknown", Forge.header("kid", "key-1' OR '1'='1")),
  ]

  /// What is wrong with the signature.
  static let signatures: [Forgery] = {
    let stranger = SigningKey.stranger
    let input = Forge().input
    let good = Forge().token
    let other = Forge(claims: ["email": "admin@project.iam.gserviceaccount.com"]).input
    let shortened = Base64URL.encode(SigningKey.issuer.signature(input).dropLast(3))
    let signature = String(good.split(separator: ".")[2])
    let removed = "SIGNATURE_REMOVED_BY_GOOGLE"
    return [
      Forgery("no signature", "signatureMissing", input + "."),
      Forgery("the mark of Cloud Run", "signatureRemoved", "\(input).\(removed)"),
      Forgery("a truncated signature", "signatureWrong", "\(input).\(shortened)"),
      Forgery("a lengthened signature", "signatureWrong", good + "AAAA"),
      Forgery("zeros", "signatureWrong", "\(input).\(Base64URL.encode([UInt8](repeating: 0, count: 256)))"),
      Forgery("the signature of another token", "signatureWrong", "\(other).\(signature)"),
      Forgery("a stranger's key under a known kid", "signatureWrong", Forge.signed(input, by: stranger)),
      Forgery(
        "a stranger's key in the header", "signatureWrong",
        Forge(header: ["jwk": stranger.published], key: stranger).token),
      Forgery(
        "a stranger's key at an address in the header", "signatureWrong",
        Forge(header: ["jku": "https://evil.example/jwks", "x5u": "https://evil.example/cert"], key: stranger).token),
      Forgery(
        "a stranger's certificate in the header", "signatureWrong",
        Forge(header: ["x5c": ["MIIB"]], key: stranger).token),
      Forgery(
        "a signature with the other padding", "signatureWrong",
        "\(input).\(Base64URL.encode(SigningKey.issuer.signature(input, padding: .PSS)))"),
    ]
  }()

  /// What is wrong with issuer and audience.
  static let audiences = [
    Forgery("no issuer", "issuerMissing", Forge.claim("iss", nil)),
    Forgery("an issuer that is a list", "issuerMissing", Forge.claim("iss", ["accounts.google.com"])),
    Forgery("another issuer", "issuerWrong", Forge.claim("iss", "https://accounts.example.com")),
    Forgery("the issuer over http", "issuerWrong", Forge.claim("iss", "http://accounts.google.com")),
    Forgery("the issuer with a slash", "issuerWrong", Forge.claim("iss", "https://accounts.google.com/")),
    Forgery("the issuer with more behind it", "issuerWrong", Forge.claim("iss", "https://accounts.google.com.evil.io")),
    Forgery("an emulator's issuer", "issuerWrong", Forge.claim("iss", "http://127.0.0.1:8085")),
    Forgery("no audience", "audienceMissing", Forge.claim("aud", nil)),
    Forgery("a null audience", "audienceMissing", Forge.claim("aud", .null)),
    Forgery("the audience in a list", "audienceNotText", Forge.claim("aud", [.string(Forge.audience)])),
    Forgery("another audience", "audienceWrong", Forge.claim("aud", "https://other.a.run.app")),
    Forgery("the audience with a slash", "audienceWrong", Forge.claim("aud", .string(Forge.audience + "/"))),
    Forgery("the audience in capitals", "audienceWrong", Forge.claim("aud", "HTTPS://WORKER-ABC.A.RUN.APP")),
    Forgery("the audience with a zero byte", "audienceWrong", Forge.claim("aud", .string(Forge.audience + "\0"))),
    Forgery("an empty audience", "audienceWrong", Forge.claim("aud", "")),
  ]

  /// What is wrong with the account.
  static let accounts = [
    Forgery("no email", "emailMissing", Forge.claim("email", nil)),
    Forgery("an email that is a list", "emailMissing", Forge.claim("email", [.string(Forge.account)])),
    Forgery("email_verified as a text", "emailNotVerified", Forge.claim("email_verified", "true")),
    Forgery("email_verified as a number", "emailNotVerified", Forge.claim("email_verified", 1)),
    Forgery("email_verified false", "emailNotVerified", Forge.claim("email_verified", false)),
    Forgery("no email_verified", "emailNotVerified", Forge.claim("email_verified", nil)),
    Forgery("another account", "accountWrong", Forge.claim("email", "other@project.iam.gserviceaccount.com")),
    Forgery("the account in capitals", "accountWrong", Forge.claim("email", "TASKS@project.iam.gserviceaccount.com")),
    Forgery(
      "the account with more behind it", "accountWrong", Forge.claim("email", .string(Forge.account + ".evil.io"))),
    Forgery(
      "a letter that looks like another in the account", "accountWrong",
      Forge.claim("email", "t\u{0430}sks@project.iam.gserviceaccount.com")),
    Forgery("the account with a line break", "accountWrong", Forge.claim("email", .string(Forge.account + "\n"))),
  ]

  /// What is wrong with the times.
  static let times: [Forgery] = {
    let now = Forge.now.seconds
    return [
      Forgery("no exp", "expiryMissing", Forge.claim("exp", nil)),
      Forgery("exp as a text", "expiryInvalid", Forge.claim("exp", .string("\(now + 3_600)"))),
      Forgery("exp with a fraction", "expiryInvalid", Forge.claim("exp", 1_795_233_700.5)),
      Forgery("exp beyond all numbers", "expiryInvalid", Forge.claim("exp", 1e300)),
      Forgery("a negative exp", "expiryInvalid", Forge.claim("exp", -1)),
      Forgery("expired by more than the skew", "expired", Forge.claim("exp", .integer(now - 60))),
      Forgery("no iat", "issuedAtMissing", Forge.claim("iat", nil)),
      Forgery("iat as a text", "issuedAtInvalid", Forge.claim("iat", "now")),
      Forgery("issued in the future", "issuedInFuture", Forge.claim("iat", .integer(now + 61))),
      Forgery("good for ever", "lifetimeInvalid", Forge.claim("exp", .integer(now + 100_000))),
      Forgery(
        "ended before it began", "lifetimeInvalid",
        Forge(claims: ["iat": .integer(now + 30), "exp": .integer(now + 20)]).token),
      Forgery("not valid yet", "notYetValid", Forge.claim("nbf", .integer(now + 61))),
      Forgery("nbf as a text", "notBeforeInvalid", Forge.claim("nbf", "now")),
    ]
  }()

  /// The token with the last character of its signature replaced by one that only differs in bits that mean nothing.
  private static func flippingUnusedBits(of token: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    guard let last = token.last, let index = alphabet.firstIndex(of: last) else { return token }
    return String(token.dropLast()) + String(alphabet[index ^ 1])
  }
}
#endif
