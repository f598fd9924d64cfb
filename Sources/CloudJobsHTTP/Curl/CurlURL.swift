#if HTTP
import CCurl

/// The library's own reading of a URL, so that what is checked is what will be connected to.
enum CurlURL {
  /// The host and the port of a URL.
  ///
  /// - Throws: `invalidURL`.
  static func parse(_ text: String) throws(HTTPClientError) -> (host: String, port: Int) {
    guard let url = curl_url() else { throw .outOfResources("A URL could not be read") }
    defer { curl_url_cleanup(url) }
    let flags = UInt32(CURLU_PATH_AS_IS) | UInt32(CURLU_DISALLOW_USER)
    let code = curl_url_set(url, CURLUPART_URL, text, flags)
    if code == CURLUE_USER_NOT_ALLOWED {
      throw HTTPClientError(
        .invalidURL, "The URL holds credentials, which end up in logs: send an Authorization header instead.")
    }
    guard code == CURLUE_OK, let host = part(CURLUPART_HOST, of: url), !host.isEmpty,
      let port = part(CURLUPART_PORT, of: url).flatMap({ Int($0) }), (1...65_535).contains(port)
    else {
      let reason = code == CURLUE_OK ? "" : " (error \(code.rawValue) of the URL parser)"
      throw HTTPClientError(
        .invalidURL, "The URL has no valid host and port\(reason): write it as http://host:port/path.")
    }
    return (host.lowercased(), port)
  }

  private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    defer { curl_free(text) }
    guard curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK else { return nil }
    return text.map { String(cString: $0) }
  }
}
#endif
