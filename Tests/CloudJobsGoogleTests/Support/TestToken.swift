#if Google
import CloudJobsCore

@testable import CloudJobsGoogle

/// A signed token, valid by default, at a fixed time and for a fixed audience and account.
struct TestToken: Sendable {
  static let now = Timestamp(seconds: 1_795_233_600)
  static let audience = "https://worker-abc.a.run.app"
  static let account = "tasks@project.iam.gserviceaccount.com"

  /// The changed header members; a nil value removes the member.
  var header: [String: JSONValue?] = [:]
  /// The changed claims; a nil value removes the claim.
  var claims: [String: JSONValue?] = [:]
  var key = SigningKey.issuer

  /// The header of a valid token.
  static let goodHeader: [String: JSONValue] = ["alg": "RS256", "kid": "key-1", "typ": "JWT"]
  /// The claims of a valid token.
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

  /// The signed text.
  var input: String { Self.input(JSONValue.object(allHeader).text, JSONValue.object(allClaims).text) }

  /// The token.
  var token: String { Self.signed(input, by: key) }

  /// Returns the signed text of a header and claims.
  static func input(_ header: String, _ claims: String) -> String {
    "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
  }

  /// Returns a token over signed text.
  static func signed(_ input: String, by key: SigningKey = .issuer) -> String {
    "\(input).\(Base64URL.encode(key.signature(input)))"
  }

  /// A token that expired a minute ago, less a second, within the permitted clock skew.
  static let late = TestToken(
    claims: ["iat": .integer(now.seconds - 3_659), "exp": .integer(now.seconds - 59)]
  ).token

  /// Returns a token with one claim changed.
  static func claim(_ name: String, _ value: JSONValue?) -> String { TestToken(claims: [name: value]).token }

  /// Returns a token with one header member changed.
  static func header(_ name: String, _ value: JSONValue?) -> String { TestToken(header: [name: value]).token }
}
#endif
