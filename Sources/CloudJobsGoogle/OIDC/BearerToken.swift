#if HTTP
import HTTPTypes

/// Finds the one bearer token of a request (<https://www.rfc-editor.org/rfc/rfc6750#section-2.1>).
enum BearerToken {
  /// The token in a header field.
  ///
  /// - Parameters:
  ///   - name: the field.
  ///   - fields: the request's header.
  /// - Returns: the token.
  /// - Throws: ``TokenRejection`` `tokenMissing`, `headerRepeated` or `notBearer`.
  static func find(in name: HTTPField.Name, of fields: HTTPFields) throws(TokenRejection) -> String {
    let values = fields[values: name]
    guard let value = values.first else { throw .tokenMissing }
    guard values.count == 1 else { throw .headerRepeated }
    // An empty token's field loses its space on the way, as space around a field's value means nothing.
    if value.lowercased().utf8.elementsEqual("bearer".utf8) { throw .tokenMissing }
    let token = value.dropFirst(7)
    guard value.prefix(7).utf8.count == 7, value.prefix(7).lowercased().utf8.elementsEqual("bearer ".utf8) else {
      throw .notBearer
    }
    guard !token.isEmpty else { throw .tokenMissing }
    return String(token)
  }
}
#endif
