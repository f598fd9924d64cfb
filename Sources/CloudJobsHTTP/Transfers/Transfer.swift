#if HTTP
import HTTPTypes

/// A request in progress with the response received so far; only used on the I/O thread.
final class Transfer {
  let id: UInt64
  let host: String
  let easy: CurlEasy
  private let isIdempotent: Bool
  private let maxBody: Int
  private let maxHead: Int
  private let peerFilter: (@Sendable (String) -> Bool)?
  private var head: [UInt8] = []
  private var body: [UInt8] = []
  private var isHeadComplete = false
  private var overflow: String?
  private var wasRefused = false
  private var wasAllowed = false

  /// Creates a transfer with an easy handle of its own.
  init(_ submission: TransferSubmission, easy: CurlEasy, options: CurlHTTPClient.Options) {
    id = submission.id
    host = submission.request.host
    self.easy = easy
    isIdempotent = submission.request.isIdempotent
    maxBody = options.maxResponseBytes
    maxHead = options.maxResponseHeaderBytes
    peerFilter = options.peerFilter
  }

  /// Receives a header line: of the response, of an interim response before it, or of a trailer after it.
  ///
  /// - Returns: false if the header section exceeds its limit.
  func receive(headLine line: UnsafeRawBufferPointer) -> Bool {
    if isHeadComplete {
      guard line.starts(with: "HTTP/".utf8) else { return true }
      head = []
      isHeadComplete = false
    }
    guard head.count + line.count <= maxHead else {
      overflow = "header is longer than \(maxHead) bytes"
      return false
    }
    if line.first == 0x0D || line.first == 0x0A { isHeadComplete = true } else { head.append(contentsOf: line) }
    return true
  }

  /// Receives a piece of the body.
  ///
  /// - Returns: false if the body exceeds its limit, or its declared length does.
  func receive(bodyPiece piece: UnsafeRawBufferPointer) -> Bool {
    let declared = body.isEmpty ? easy.declaredLength : 0
    guard declared <= maxBody, piece.count <= maxBody - body.count else {
      overflow = "body is longer than \(maxBody) bytes"
      return false
    }
    if declared > piece.count { body.reserveCapacity(declared) }
    body.append(contentsOf: piece)
    return true
  }

  /// Whether the request may be sent now: once, or again if it is idempotent.
  ///
  /// libcurl itself would send any request again when a kept connection ends before the first byte of the response.
  var maySend: Bool { isIdempotent || easy.sentBytes == 0 }

  /// Returns whether a connection to an address may be opened.
  func mayConnect(to address: String?) -> Bool {
    guard maySend else { return false }
    guard let peerFilter else { return true }
    guard let address, peerFilter(address) else {
      wasRefused = true
      return false
    }
    wasAllowed = true
    return true
  }

  /// Returns the transfer's outcome.
  func outcome(_ code: CurlCode) -> Result<RawResponse, HTTPExchangeError> {
    if let overflow { return .failure(.responseTooLarge(host: host, what: overflow, native: code)) }
    guard code.isSuccess else {
      let isRefused = wasRefused && !wasAllowed
      let error: HTTPExchangeError =
        isRefused
        ? .addressRefused(host: host, native: code) : .transfer(code, host: host, detail: easy.errorText)
      // If a second connection failed or was prevented, the request sent on the first one got no response.
      let isSecond = code == .abortedByCallback || (error.requestWasNotSent && easy.sentBytes > 0)
      return .failure(isSecond ? .transfer(.gotNothing, host: host, detail: "") : error)
    }
    // libcurl treats a truncated header section as a complete one.
    guard isHeadComplete else { return .failure(.transfer(.gotNothing, host: host, detail: "")) }
    return .success(RawResponse(status: easy.status, head: head, body: body))
  }
}

/// A response as received; the caller's task parses it to unburden the I/O thread.
struct RawResponse: Sendable {
  /// The status code.
  var status: Int
  /// The status line and header lines of the final response, with their terminators.
  var head: [UInt8]
  /// The body.
  var body: [UInt8]

  /// Returns the response with parsed header fields.
  ///
  /// A continuation line is joined to the previous one by a space [RFC 9112, 5.2]; a line without a colon or with an
  /// invalid name is left out, so that a faulty header does not hide the response.
  func parsed() -> HTTPExchangeResponse {
    var fields: [(name: HTTPField.Name, value: [UInt8])] = []
    for line in head.split(separator: 0x0A).dropFirst() {
      if Self.isBlank(line[line.startIndex]) {
        if !fields.isEmpty { fields[fields.count - 1].value += [0x20] + Self.trimmed(line) }
      } else if let colon = line.firstIndex(of: 0x3A) {
        guard let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self)) else { continue }
        fields.append((name, Array(Self.trimmed(line[(colon + 1)...]))))
      }
    }
    var headers = HTTPFields()
    for field in fields { headers.append(HTTPField(name: field.name, value: field.value)) }
    return HTTPExchangeResponse(status: status, headers: headers, body: body)
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = line
    while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return rest
  }

  /// Space, tab, and the carriage return that ends a line.
  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
#endif
