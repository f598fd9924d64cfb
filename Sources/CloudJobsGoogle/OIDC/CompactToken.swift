#if HTTP
import CloudJobsCore

/// A token in compact form, taken apart strictly and not yet believed.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7515#section-7.1> and <https://www.rfc-editor.org/rfc/rfc8725>.
struct CompactToken: Sendable {
  /// The longest token, in bytes; Google's have about 800.
  static let maximumBytes = 8_192
  /// The longest header, encoded, in bytes.
  static let maximumHeaderBytes = 2_048
  /// How deep its JSON may be nested.
  static let maximumDepth = 8
  /// The longest name of a key, in bytes.
  static let maximumKeyIDBytes = 256
  /// What Cloud Run puts in place of a signature that it has checked.
  static let removedSignature = Array("SIGNATURE_REMOVED_BY_GOOGLE".utf8)

  /// The name of the key, for looking it up and nothing else.
  let keyID: String
  /// The claims.
  let claims: [String: JSONValue]
  /// What the signature is over: the encoded header, a dot and the encoded claims.
  let signingInput: [UInt8]
  /// The signature's text, still encoded.
  let encodedSignature: ArraySlice<UInt8>

  /// Takes a token apart.
  ///
  /// Of the header `alg`, `kid`, `typ` and `crit` are looked at; `jwk`, `jku`, `x5u` and `x5c` never are.
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

  /// The signature's bytes.
  func signature() throws(TokenRejection) -> [UInt8] {
    guard !encodedSignature.isEmpty else { throw .signatureMissing }
    guard !isSignatureRemoved else { throw .signatureRemoved }
    guard let signature = Base64URL.decode(encodedSignature) else { throw .signatureEncoding }
    return signature
  }

  /// Whether Cloud Run's mark stands in the signature's place.
  var isSignatureRemoved: Bool { encodedSignature.elementsEqual(Self.removedSignature) }

  private static func keyID(_ header: [String: JSONValue]) throws(TokenRejection) -> String {
    guard let algorithm = header["alg"] else { throw .algorithmMissing }
    guard let name = algorithm.string else { throw .algorithmWrong }
    if name.lowercased() == "none" { throw .algorithmNone }
    guard name.utf8.elementsEqual("RS256".utf8) else { throw .algorithmWrong }
    if let type = header["typ"] {
      guard let type = type.string, type.lowercased().utf8.elementsEqual("jwt".utf8) else { throw .typeWrong }
    }
    // Who does not understand an extension that is marked as critical must refuse the token (RFC 7515, 4.1.11).
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
