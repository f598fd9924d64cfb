#if Google
import CloudJobsCore

@testable import CloudJobsGoogle

/// Makes tokens, good ones and bad ones, at one time and for one audience and account.
struct Forge: Sendable {
  static let now = Timestamp(seconds: 1_795_233_600)
  static let audience = "https://worker-abc.a.run.app"
  static let account = "tasks@project.iam.gserviceaccount.com"

  /// The header's members; a nil value takes the member away.
  var header: [String: JSONValue?] = [:]
  /// The claims' members; a nil value takes the member away.
  var claims: [String: JSONValue?] = [:]
  var key = SigningKey.issuer

  /// The header of a good token.
  static let goodHeader: [String: JSONValue] = ["alg": "RS256", "kid": "key-1", "typ": "JWT"]
  /// The claims of a good token.
  static let goodClaims: [String: JSONValue] = [
    "iss": "https://accounts.google.com", "aud": .string(audience), "azp": "112233445566778899001",
    "sub": "112233445566778899001", "email": .string(account), "email_verified": true,
    "iat": .integer(now.seconds - 10), "exp": .integer(now.seconds + 3_590),
  ]

  /// The claims with the changes.
  var allClaims: [String: JSONValue] {
    var members = Self.goodClaims
    for (name, value) in claims { members[name] = value }
    return members
  }

  private var allHeader: [String: JSONValue] {
    var members = Self.goodHeader
    for (name, value) in header { members[name] = value }
    return members
  }

  /// What is signed.
  var input: String { Self.input(JSONValue.object(allHeader).text, JSONValue.object(allClaims).text) }

  /// The token.
  var token: String { Self.signed(input, by: key) }

  /// What is signed, of a header and claims as they are.
  static func input(_ header: String, _ claims: String) -> String {
    "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
  }

  /// A token over what is signed.
  static func signed(_ input: String, by key: SigningKey = .issuer) -> String {
    "\(input).\(Base64URL.encode(key.signature(input)))"
  }

  /// A token that ended a minute ago, all but a second, which clocks may differ by.
  static let late = Forge(
    claims: ["iat": .integer(now.seconds - 3_659), "exp": .integer(now.seconds - 59)]
  ).token

  /// A token with one claim changed.
  static func claim(_ name: String, _ value: JSONValue?) -> String { Forge(claims: [name: value]).token }

  /// A token with one member of the header changed.
  static func header(_ name: String, _ value: JSONValue?) -> String { Forge(header: [name: value]).token }
}
#endif
