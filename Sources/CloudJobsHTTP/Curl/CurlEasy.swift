#if HTTP
import CCurl

/// An easy handle: the settings and state of a transfer, reusable for the next one.
///
/// Only called on the I/O thread.
final class CurlEasy {
  let handle: UnsafeMutableRawPointer
  private let errorBuffer: UnsafeMutablePointer<CChar>
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private var addressList: UnsafeMutablePointer<curl_slist>?

  /// Creates a handle without settings; nil if libcurl can't create one.
  init?() {
    guard let handle = curl_easy_init() else { return nil }
    self.handle = handle
    errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(headerList)
    curl_slist_free_all(addressList)
    errorBuffer.deallocate()
  }

  /// Clears the transfer's settings; connections and resolved names stay with the multi handle.
  func reset() {
    curl_easy_reset(handle)
    curl_slist_free_all(headerList)
    curl_slist_free_all(addressList)
    headerList = nil
    addressList = nil
    errorBuffer[0] = 0
  }

  /// The status code of the response.
  var status: Int {
    var status = 0
    cloud_jobs_easy_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
    return status
  }

  /// The body's length as declared by the header; 0 if undeclared.
  var declaredLength: Int {
    var length: Int64 = 0
    cloud_jobs_easy_get_size(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length)
    return Int(max(0, length))
  }

  /// The number of request bytes written, on all connections together.
  var sentBytes: Int {
    var size = 0
    cloud_jobs_easy_get_long(handle, CURLINFO_REQUEST_SIZE, &size)
    return size
  }

  /// The library's description of the last failure; empty for none.
  var errorText: String { String(cString: errorBuffer) }

  /// Returns the id of the transfer that an easy handle serves.
  static func transferID(of handle: UnsafeMutableRawPointer) -> UInt64? {
    var pointer: UnsafeMutableRawPointer?
    cloud_jobs_easy_get_pointer(handle, CURLINFO_PRIVATE, &pointer)
    return pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue().id }
  }

  /// Configures a request; the transfer must outlive its stay in the multi handle.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - transfer: the receiver of the response.
  ///   - options: the client's rules.
  ///   - timeout: the timeout of the whole transfer in milliseconds, at least 1.
  ///   - connectTimeout: the timeout of connecting in milliseconds, at least 1.
  /// - Returns: the first failure, or success.
  func prepare(
    _ request: PreparedRequest, for transfer: Transfer, options: CurlHTTPClient.Options, timeout: Int,
    connectTimeout: Int
  ) -> CurlCode {
    var result = CURLE_OK
    func note(_ code: CURLcode) { if result == CURLE_OK { result = code } }
    note(cloud_jobs_easy_set_string(handle, CURLOPT_URL, request.url))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_TIMEOUT_MS, timeout))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, connectTimeout))
    setRules(options, note)
    setReceiver(transfer, note)
    setMethod(request, note)
    // Concurrent requests then share the first connection if it turns out to be HTTP/2. Plain text is HTTP/1.1, where
    // they would needlessly wait for the first response.
    if request.isSecure { note(cloud_jobs_easy_set_long(handle, CURLOPT_PIPEWAIT, 1)) }
    if !request.isIdempotent { setGate(transfer, note) }
    for line in request.headerLines {
      guard append(line, to: &headerList) else { return CurlCode(number: CURLE_OUT_OF_MEMORY.rawValue) }
    }
    note(cloud_jobs_easy_set_list(handle, CURLOPT_HTTPHEADER, headerList))
    if !options.hostAddresses.isEmpty {
      for (host, address) in options.hostAddresses {
        let isAppended = append(Array("\(host):\(address)".utf8), to: &addressList)
        guard isAppended else { return CurlCode(number: CURLE_OUT_OF_MEMORY.rawValue) }
      }
      note(cloud_jobs_easy_set_list(handle, CURLOPT_RESOLVE, addressList))
    }
    return CurlCode(number: result.rawValue)
  }

  private func setRules(_ options: CurlHTTPClient.Options, _ note: (CURLcode) -> Void) {
    let https = options.allowedSchemes.contains(.https)
    note(cloud_jobs_easy_set_protocols(handle, options.allowedSchemes.contains(.http) ? 1 : 0, https ? 1 : 0))
    let version = CurlLibrary.shared.hasHTTP2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
    note(cloud_jobs_easy_set_long(handle, CURLOPT_HTTP_VERSION, version))
    // Without signals: libcurl would otherwise interrupt the whole process to time out name resolution.
    note(cloud_jobs_easy_set_long(handle, CURLOPT_NOSIGNAL, 1))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_FOLLOWLOCATION, 0))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_NETRC, 0))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_PATH_AS_IS, 1))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_BUFFERSIZE, 64 * 1024))
    // An empty value disables proxies named by the environment.
    note(cloud_jobs_easy_set_string(handle, CURLOPT_PROXY, ""))
    note(cloud_jobs_easy_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)))
    if let file = options.certificateAuthorityFile {
      note(cloud_jobs_easy_set_string(handle, CURLOPT_CAINFO, file))
      // By default libcurl trusts the system's directory in addition to a file.
      note(cloud_jobs_easy_set_string(handle, CURLOPT_CAPATH, nil))
    }
    cloud_jobs_easy_set_quick_exit(handle)
  }

  private func setMethod(_ request: PreparedRequest, _ note: (CURLcode) -> Void) {
    let needsLength = !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method)
    if request.method == "HEAD" {
      note(cloud_jobs_easy_set_long(handle, CURLOPT_NOBODY, 1))
    } else if needsLength {
      note(cloud_jobs_easy_set_long(handle, CURLOPT_POST, 1))
      note(cloud_jobs_easy_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(request.body.count)))
      // libcurl copies the body, so that no pointer into Swift's memory outlives this call.
      request.body.withUnsafeBytes { bytes in
        let start = bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
        if let start, !bytes.isEmpty {
          note(cloud_jobs_easy_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, start))
        } else {
          note(cloud_jobs_easy_set_string(handle, CURLOPT_COPYPOSTFIELDS, ""))
        }
      }
    } else {
      note(cloud_jobs_easy_set_long(handle, CURLOPT_HTTPGET, 1))
    }
    note(cloud_jobs_easy_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method))
  }

  /// Makes the transfer decide before each sending whether the request may be sent.
  private func setGate(_ transfer: Transfer, _ note: (CURLcode) -> Void) {
    let gate: cloud_jobs_gate = { pointer, _, _, _, _ in
      guard let pointer else { return 1 }
      return Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue().maySend ? 0 : 1
    }
    note(cloud_jobs_easy_set_gate(handle, gate, Unmanaged.passUnretained(transfer).toOpaque()))
  }

  private func setReceiver(_ transfer: Transfer, _ note: (CURLcode) -> Void) {
    let pointer = Unmanaged.passUnretained(transfer).toOpaque()
    note(cloud_jobs_easy_set_pointer(handle, CURLOPT_PRIVATE, pointer))
    note(cloud_jobs_easy_set_pointer(handle, CURLOPT_ERRORBUFFER, errorBuffer))
    note(cloud_jobs_easy_set_pointer(handle, CURLOPT_HEADERDATA, pointer))
    note(cloud_jobs_easy_set_pointer(handle, CURLOPT_WRITEDATA, pointer))
    note(cloud_jobs_easy_set_pointer(handle, CURLOPT_OPENSOCKETDATA, pointer))
    let onHead: curl_write_callback = { bytes, size, count, pointer in
      guard let pointer else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue()
      let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
      return transfer.receive(headLine: line) ? line.count : 0
    }
    let onBody: curl_write_callback = { bytes, size, count, pointer in
      guard let pointer else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue()
      let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
      return transfer.receive(bodyPiece: piece) ? piece.count : 0
    }
    note(cloud_jobs_easy_set_writer(handle, CURLOPT_HEADERFUNCTION, onHead))
    note(cloud_jobs_easy_set_writer(handle, CURLOPT_WRITEFUNCTION, onBody))
    let onSocket: curl_opensocket_callback = { pointer, _, peer in
      guard let pointer, let peer else { return cloud_jobs_no_socket() }
      let transfer = Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue()
      let mayConnect = transfer.mayConnect(to: CurlEasy.address(of: peer))
      return mayConnect ? cloud_jobs_open_socket(peer) : cloud_jobs_no_socket()
    }
    note(cloud_jobs_easy_set_socket_opener(handle, onSocket))
  }

  /// Returns the numeric form of a peer's address; nil if it is not an IP address.
  private static func address(of peer: UnsafePointer<curl_sockaddr>) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
      guard let start = text.baseAddress, cloud_jobs_peer_address(peer, start, 64) == 1 else { return nil }
      return String(cString: start)
    }
  }

  private func append(_ line: [UInt8], to list: inout UnsafeMutablePointer<curl_slist>?) -> Bool {
    let grown = (line + [0]).withUnsafeBytes { bytes in
      bytes.bindMemory(to: CChar.self).baseAddress.flatMap { curl_slist_append(list, $0) }
    }
    if let grown { list = grown }
    return grown != nil
  }
}
#endif
