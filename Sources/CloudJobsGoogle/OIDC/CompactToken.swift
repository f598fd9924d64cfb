#if HTTP
import CloudJobsCore

/// A token in compact form, strictly parsed but not yet verified.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7515#section-7.1> and <https://www.rfc-editor.org/rfc/rfc8725>.
struct CompactToken: Sendable {
  /// The maximum size of a token in bytes; Google's have about 800.
  static let maximumBytes = 8_192
  /// The maximum size of the encoded header in bytes.
  static let maximumHeaderBytes = 2_048
  /// The maximum nesting of its JSON.
  static let maximumDepth = 8
  /// The maximum size of a key id in bytes.
  static let maximumKeyIDBytes = 256
  /// The text with which Cloud Run replaces a verified signature.
  static let removedSignature = Array("SIGNATURE_REMOVED_BY_GOOGLE".utf8)

  /// The key id, only for looking up the key.
  let keyID: String
  /// The claims.
  let claims: [String: JSONValue]
  /// The signed bytes: the encoded header, a dot and the encoded claims.
  let signingInput: [UInt8]
  /// The encoded signature.
  let encodedSignature: ArraySlice<UInt8>

  /// Parses a token.
  ///
  /// The header's `alg`, `kid`, `typ` and `crit` are checked; `jwk`, `jku`, `x5u` and `x5c` are never used.
  init(_ token: [UInt8]) throws(TokenRejection) {
    guard token.count <= Self.maximumBytes else { throw .tooLong }
    let parts = token.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .notThreeParts }
    guard parts[0].count <= Self.maximumHeaderBytes else { throw .headerTooLong }
    guard let header = Base64URL.decode(parts[0]) else { throw .headerEncoding }
    guard let members = Self.object(header) else { throw .headerNotJSON }
    keyID = try Self.keyID(members)
    guard let claims = Base64URL.decode(parts[1]) else { throw .claimsEncoding }
    guard let members = Self.object(claims) else { throw .claimsNotJSON }
    self.claims = members
    signingInput = Array(token[..<parts[1].endIndex])
    encodedSignature = parts[2]
  }

  /// Returns the decoded signature.
  func signature() throws(TokenRejection) -> [UInt8] {
    guard !encodedSignature.isEmpty else { throw .signatureMissing }
    guard !isSignatureRemoved else { throw .signatureRemoved }
    guard let signature = Base64URL.decode(encodedSignature) else { throw .signatureEncoding }
    return signature
  }

  /// Whether Cloud Run has removed the signature.
  var isSignatureRemoved: Bool { encodedSignature.elementsEqual(Self.removedSignature) }

  private static func keyID(_ header: [String: JSONValue]) throws(TokenRejection) -> String {
    guard let algorithm = header["alg"] else { throw .algorithmMissing }
    guard let name = algorithm.string else { throw .algorithmWrong }
    if name.lowercased() == "none" { throw .algorithmNone }
    guard name.utf8.elementsEqual("RS256".utf8) else { throw .algorithmWrong }
    if let type = header["typ"] {
      guard let type = type.string, type.lowercased().utf8.elementsEqual("jwt".utf8) else { throw .typeWrong }
    }
    // A token with an unsupported critical extension must be rejected (RFC 7515, 4.1.11).
    guard header["crit"] == nil, header["b64"] == nil else { throw .criticalHeader }
    guard let key = header["kid"] else { throw .keyIDMissing }
    guard let id = key.string, (1...maximumKeyIDBytes).contains(id.utf8.count) else { throw .keyIDInvalid }
    return id
  }

  private static func object(_ bytes: [UInt8]) -> [String: JSONValue]? {
    let limits = JSONLimits(bytes: maximumBytes, depth: maximumDepth)
    return (try? JSONValue(parsing: bytes, limits: limits))?.object
  }
}

#endif
