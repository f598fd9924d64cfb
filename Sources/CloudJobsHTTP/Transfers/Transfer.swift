#if HTTP
/// One request in progress, with what has come of its answer; only the I/O thread touches it.
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

  /// A transfer that has not started, on an easy handle that is its own until it ends.
  init(_ submission: TransferSubmission, easy: CurlEasy, options: HTTPClientOptions) {
    id = submission.id
    host = submission.request.host
    self.easy = easy
    isIdempotent = submission.request.isIdempotent
    maxBody = options.maxResponseBytes
    maxHead = options.maxResponseHeaderBytes
    peerFilter = options.peerFilter
  }

  /// Takes a line of a header: of the answer, of an interim answer before it, or of a trailer after it.
  ///
  /// - Returns: false where the header is over its limit.
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

  /// Takes a piece of the body.
  ///
  /// - Returns: false where the body is over its limit, or says that it will be.
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

  /// Whether the request may be sent, now: once, or again where that means the same.
  ///
  /// libcurl would send any request again when a kept connection ends before a byte of the answer has come.
  var maySend: Bool { isIdempotent || easy.sentBytes == 0 }

  /// Decides whether a connection to an address may be opened.
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

  /// What the transfer ended with.
  func outcome(_ code: CurlCode) -> Result<RawResponse, HTTPClientError> {
    if let overflow { return .failure(.responseTooLarge(host: host, what: overflow, native: code)) }
    guard code.isSuccess else {
      let isRefused = wasRefused && !wasAllowed
      let error: HTTPClientError =
        isRefused
        ? .addressRefused(host: host, native: code) : .transfer(code, host: host, detail: easy.errorText)
      // Where a second connection failed or was not wanted, the request that went out on the first had no answer.
      let isSecond = code == .abortedByCallback || (error.requestWasNotSent && easy.sentBytes > 0)
      return .failure(isSecond ? .transfer(.gotNothing, host: host, detail: "") : error)
    }
    // The library takes a header that breaks off in the middle for a whole one.
    guard isHeadComplete else { return .failure(.transfer(.gotNothing, host: host, detail: "")) }
    return .success(RawResponse(status: easy.status, head: head, body: body))
  }
}
#endif
