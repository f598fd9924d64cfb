#if Server
import CloudJobsCore
package import HTTPTypes

/// A request for a page: its method, its path under that of the dashboard, its query, and the fields of a form.
package struct PageRequest: Sendable {
  /// The maximum size of a form, which may have a payload of 1 MiB with every byte percent-encoded.
  package static let maximumFormBytes = 4 << 20

  /// The method.
  package var method: HTTPRequest.Method
  /// The segments of the path under that of the dashboard, decoded; none for the first page.
  package var path: [String]
  /// The parameters of the query.
  package var query: PageFields
  /// The fields of the form; none for a request that reads.
  package var form = PageFields()

  /// Whether the request only reads.
  package var isReading: Bool { method == .get || method == .head }

  /// Creates a request from its target; nil if the target is not under the path of the dashboard.
  ///
  /// - Parameters:
  ///   - method: the method.
  ///   - target: the path and the query.
  ///   - base: the path of the dashboard, without a slash at its end.
  package init?(_ method: HTTPRequest.Method, target: String, under base: String) {
    let target = target.prefix { $0 != "#" }
    let path = target.prefix { $0 != "?" }
    guard path.hasPrefix(base), path.count == base.count || path.dropFirst(base.count).first == "/" else { return nil }
    self.method = method
    self.path = path.dropFirst(base.count).split(separator: "/").map { PercentEncoding.decode($0, plusIsSpace: false) }
    query = PageFields(target.drop { $0 != "?" }.dropFirst())
  }
}

/// The fields of a query or a form, `application/x-www-form-urlencoded`
/// (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>).
package struct PageFields: Sendable {
  /// The maximum number of fields; more are left out.
  static let maximumCount = 2_000

  private var fields: [(name: String, value: String)] = []

  /// Creates no fields.
  package init() {}

  /// Creates the fields of an encoded text.
  package init(_ text: some StringProtocol) {
    for pair in text.split(separator: "&", maxSplits: Self.maximumCount).prefix(Self.maximumCount) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? PercentEncoding.decode(parts[1], plusIsSpace: true) : ""
      fields.append((PercentEncoding.decode(parts[0], plusIsSpace: true), value))
    }
  }

  /// Returns the first field of a name; nil if there is none, or if it is empty, as a form's unused fields are.
  package subscript(name: String) -> String? {
    fields.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
  }

  /// Returns the text of a field as a form sent it, with line ends as `\n`; nil if there is none.
  package func text(_ name: String) -> String? {
    fields.first { $0.name == name }.map { field in
      field.value.split(separator: "\r\n", omittingEmptySubsequences: false).joined(separator: "\n")
    }
  }

  /// Returns all fields of a name, as of check boxes.
  package func all(_ name: String) -> [String] {
    fields.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
  }

  /// Returns whether there is a field of a name, also an empty one.
  package func contains(_ name: String) -> Bool { fields.contains { $0.name == name } }
}

/// A path with a query, for links.
package struct PageLink: Sendable {
  private var text: String
  private var hasQuery = false

  /// Creates a link.
  ///
  /// - Parameters:
  ///   - base: the path of the dashboard.
  ///   - segments: the segments under it, not encoded.
  package init(_ base: String, _ segments: String...) {
    text = base + segments.map { "/" + PercentEncoding.encode($0) }.joined()
    if text.isEmpty { text = "/" }
  }

  /// Returns the link with a further segment, which is encoded.
  package func appending(_ segment: String) -> PageLink {
    var link = self
    link.text += (link.text.hasSuffix("/") ? "" : "/") + PercentEncoding.encode(segment)
    return link
  }

  /// Returns the link with a further parameter; as it is if the value is nil.
  package func with(_ name: String, _ value: String?) -> PageLink {
    guard let value else { return self }
    var link = self
    link.text += (hasQuery ? "&" : "?") + PercentEncoding.encode(name) + "=" + PercentEncoding.encode(value)
    link.hasQuery = true
    return link
  }

  /// The path and query.
  package var href: String { text }
}
#endif
