/// The method of a delivery, with its number in `google.cloud.tasks.v2.HttpMethod`.
public enum HTTPMethod: Int, Hashable, Sendable, Codable, CaseIterable {
  /// POST, the default.
  case post = 1
  /// GET.
  case get = 2
  /// HEAD.
  case head = 3
  /// PUT.
  case put = 4
  /// DELETE.
  case delete = 5
  /// PATCH.
  case patch = 6
  /// OPTIONS.
  case options = 7

  /// The name on the wire.
  public var name: String {
    switch self {
    case .post: "POST"
    case .get: "GET"
    case .head: "HEAD"
    case .put: "PUT"
    case .delete: "DELETE"
    case .patch: "PATCH"
    case .options: "OPTIONS"
    }
  }

  /// Whether a target may have a body with this method.
  public var allowsBody: Bool {
    switch self {
    case .post, .put, .patch: true
    case .get, .head, .delete, .options: false
    }
  }
}
