#if HTTP
import CloudJobsCore

/// The keys of a JWKS document that tokens may be signed by (<https://www.rfc-editor.org/rfc/rfc7517#section-5>).
struct PublicKeySet: Hashable, Sendable {
  /// A key's numbers in Base 64 for URLs.
  struct Key: Hashable, Sendable {
    /// What tokens name it by.
    var id: String
    /// `n`.
    var modulus: String
    /// `e`.
    var exponent: String
  }

  /// The longest document, in bytes.
  static let maximumBytes = 65_536
  /// The most keys that are read.
  static let maximumKeys = 32

  /// The usable keys in their order.
  let keys: [Key]

  /// Reads a document; nil where it is none, or has no usable key.
  ///
  /// Keys of other types, for other uses or other algorithms, without a name or with a repeated one, and those that
  /// are too short or too long are passed over.
  init?(parsing bytes: [UInt8]) {
    let limits = JSONLimits(bytes: Self.maximumBytes, depth: 8)
    guard let values = (try? JSONValue(parsing: bytes, limits: limits))?["keys"]?.array else { return nil }
    var ids = Set<String>()
    keys = values.prefix(Self.maximumKeys).compactMap { Self.key($0) }.filter { ids.insert($0.id).inserted }
    if keys.isEmpty { return nil }
  }

  private static func key(_ value: JSONValue) -> Key? {
    guard value["kty"]?.string == "RSA", value["use"] == nil || value["use"]?.string == "sig",
      value["alg"] == nil || value["alg"]?.string == "RS256",
      let id = value["kid"]?.string, (1...CompactToken.maximumKeyIDBytes).contains(id.utf8.count),
      let modulus = value["n"]?.string, let modulusBytes = Base64URL.decode(Array(modulus.utf8)),
      (256...1_024).contains(modulusBytes.count),
      let exponent = value["e"]?.string, let exponentBytes = Base64URL.decode(Array(exponent.utf8)),
      (1...8).contains(exponentBytes.count)
    else { return nil }
    return Key(id: id, modulus: modulus, exponent: exponent)
  }
}
#endif
