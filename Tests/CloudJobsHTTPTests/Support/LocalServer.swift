#if HTTP
import CloudJobsHTTP
import Foundation
import HTTPTypes
import Synchronization
import Testing

/// Python's HTTP server and a misbehaving one, in a process that ends with this value.
final class LocalServer: Sendable {
  /// The servers' counters.
  struct Counts: Decodable {
    var connections: Int
    var requests: Int
    var rawOpen: Int
    var rawRequests: Int
  }

  /// The response of `/echo`: the request as the server received it.
  struct Echo: Decodable {
    var method: String
    var path: String
    var headers: [[String]]
    var bytes: Int
    var sha256: String

    /// Returns the values of a field, by its lower-case name.
    func values(_ name: String) -> [String] { headers.filter { $0[0] == name }.map { $0[1] } }
  }

  /// The base URL of the well-behaved server, such as `http://127.0.0.1:40001`.
  let good: String
  /// The base URL of the misbehaving server.
  let bad: String
  /// The servers for tests without counters.
  static let shared: LocalServer = {
    do { return try LocalServer() } catch { preconditionFailure("python3 is missing: \(error)") }
  }()

  private let process: ScriptProcess

  init() throws {
    process = try ScriptProcess("server.py")
    good = "http://127.0.0.1:\(process.words[0])"
    bad = "http://127.0.0.1:\(process.words[1])"
  }

  /// Returns the current counters, including this request, through a client of its own.
  func counts() async throws -> Counts {
    let client = CurlHTTPClient()
    let response = try await client.send(HTTPExchangeRequest(url: good + "/stats"))
    await client.shutDown()
    return try JSONDecoder().decode(Counts.self, from: Data(response.body))
  }

  /// Waits until the counters satisfy a condition; records an issue after a minute.
  func wait(_ what: Comment, until condition: (Counts) -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if condition(try await counts()) { return }
      try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what)
  }
}

extension HTTPExchangeResponse {
  /// Returns the request as the server received it.
  func echo() throws -> LocalServer.Echo { try JSONDecoder().decode(LocalServer.Echo.self, from: Data(body)) }
}

extension CurlHTTPClient {
  /// Returns the code with which a request fails; nil if it succeeds.
  func failure(of request: HTTPExchangeRequest) async -> HTTPExchangeError.Code? {
    do throws(HTTPExchangeError) {
      _ = try await send(request)
      return nil
    } catch {
      return error.code
    }
  }
}

/// Python's HTTPS servers with certificates of their own authority, in a process that ends with this value.
final class TLSServer: Sendable {
  /// The file of the authority that signed the certificates.
  let authorityFile: String
  /// The port of the server whose certificate is valid for `right.test` and 127.0.0.1.
  let goodPort: Int
  /// The port of the server with an expired certificate.
  let expiredPort: Int
  /// The port of an HTTP/2 server that answers its first 20 requests only once all of them are active.
  let gatheringPort: Int
  /// The port of an HTTP/2 server that refuses every other stream, starting with the first.
  let refusingPort: Int
  /// The port of an HTTP/2 server that resets every other stream, starting with the first.
  let resettingPort: Int
  /// The port of an HTTP/2 server that goes away at every other request, starting with the first, without processing
  /// it.
  let leavingPort: Int
  /// The servers for all tests.
  static let shared: TLSServer = {
    do { return try TLSServer() } catch { preconditionFailure("python3 or openssl is missing: \(error)") }
  }()

  private let process: ScriptProcess

  private init() throws {
    process = try ScriptProcess("tls_server.py")
    authorityFile = process.words[0]
    let ports = process.words.dropFirst().compactMap { Int($0) }
    try #require(ports.count == 6)
    (goodPort, expiredPort) = (ports[0], ports[1])
    (gatheringPort, refusingPort, resettingPort, leavingPort) = (ports[2], ports[3], ports[4], ports[5])
  }
}

/// A Python script of this folder, in a process that ends with this value.
final class ScriptProcess: Sendable {
  /// The words of the line that the script printed when it was ready.
  let words: [String]
  private let process: Process
  private let input: Pipe

  /// Runs a script and waits for its first line.
  init(_ name: String) throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: name)
    process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script.path]
    let output = Pipe()
    input = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = Data()
    while !line.contains(0x0A) {
      let piece = output.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "\(name) could not start the test's servers")
      line += piece
    }
    words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

/// A peer filter that permits only one connection.
final class OneConnection: Sendable {
  private let isMade = Mutex(false)

  /// Returns true the first time.
  func pass() -> Bool {
    isMade.withLock { isMade in
      defer { isMade = true }
      return !isMade
    }
  }
}
#endif
