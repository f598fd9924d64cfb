import CloudJobsCore

/// A request over REST, whatever server took it.
package struct RESTRequest: Hashable, Sendable {
  /// The HTTP method.
  package var method: String
  /// The path's parts, percent-decoded.
  package var path: [String]
  /// The query's names and values, percent-decoded, in order.
  package var query: [Parameter]
  /// The body; empty where there is none.
  package var body: [UInt8]
  /// Whether the path's parts are text after they are decoded.
  package var isWellFormed = true

  /// A name and a value of a query.
  package struct Parameter: Hashable, Sendable {
    /// The name.
    package var name: String
    /// The value.
    package var value: String
  }

  /// A request from its target as it stands in the request line (`/v2/projects/p?pageSize=2`).
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - target: path and query.
  ///   - body: the body.
  package init(method: String, target: String, body: [UInt8] = []) {
    let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.method = method
    path = (halves.first ?? "").split(separator: "/").map { PercentEncoding.decode($0, plusIsSpace: false) }
    // What is no UTF-8 becomes a replacement character, which may also stand for itself.
    isWellFormed = !zip(path, target.split(separator: "/")).contains { part, encoded in
      part.contains("\u{FFFD}") && !encoded.uppercased().contains("%EF%BF%BD") && !encoded.contains("\u{FFFD}")
    }
    query =
      halves.count < 2
      ? []
      : halves[1].split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return Parameter(
          name: PercentEncoding.decode(parts[0], plusIsSpace: true),
          value: parts.count < 2 ? "" : PercentEncoding.decode(parts[1], plusIsSpace: true))
      }
    self.body = body
  }
}
