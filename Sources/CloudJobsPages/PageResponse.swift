#if Server
package import HTTPTypes

/// A response of a dashboard, with the header fields that confine what its pages can do.
package struct PageResponse: Sendable {
  /// A status of HTTP.
  package typealias Status = HTTPResponse.Status

  /// The status.
  package var status: Status
  /// The header fields.
  package var fields: HTTPFields
  /// The body.
  package var body: [UInt8]

  /// Creates a response.
  ///
  /// - Parameters:
  ///   - status: the status.
  ///   - type: the media type of the body.
  ///   - body: the body.
  package init(_ status: Status, type: String, _ body: [UInt8]) {
    (self.status, self.body) = (status, body)
    fields = Self.confinement
    fields[.contentType] = type
    fields[.cacheControl] = "no-store"
  }

  /// Creates a response with a page.
  package init(page: [UInt8], status: Status = .ok) {
    self.init(status, type: "text/html; charset=utf-8", page)
  }

  /// Creates a response that leads to another page after a form was sent.
  ///
  /// - Parameter path: the path and query of the page, percent-encoded.
  package init(redirectTo path: String) {
    self.init(.seeOther, type: "text/plain; charset=utf-8", [])
    fields[.location] = path
  }

  /// The fields of every response.
  ///
  /// Scripts, styles, pictures and connections come from the dashboard itself, nothing inline, and no page of another
  /// origin can frame it, open it as its child, or load its responses (<https://www.w3.org/TR/CSP3/>,
  /// <https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header>). A referrer policy stricter than
  /// `same-origin` would take the origin away from its own forms.
  package static var confinement: HTTPFields {
    var fields = HTTPFields()
    fields[.contentSecurityPolicy] = contentSecurityPolicy
    fields[.xContentTypeOptions] = "nosniff"
    for (name, value) in [
      ("X-Frame-Options", "DENY"), ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
      ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
      if let name = HTTPField.Name(name) { fields[name] = value }
    }
    return fields
  }

  /// The content security policy of every response.
  package static let contentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}
#endif
