#if HTTP
import CloudJobsHTTP
import Foundation
import HTTPTypes
import Testing

/// Python's own HTTP server beside one that misbehaves, in a process that ends with this value.
final class LocalServer: Sendable {
  /// What the servers have counted.
  struct Counts: Decodable {
    var connections: Int
    var requests: Int
    var rawOpen: Int
    var rawRequests: Int
  }

  /// What `/echo` answers: the request as the server read it.
  struct Echo: Decodable {
    var method: String
    var path: String
    var headers: [[String]]
    var bytes: Int
    var sha256: String

    /// The values of a field, whose name stands in lower case.
    func values(_ name: String) -> [String] { headers.filter { $0[0] == name }.map { $0[1] } }
  }

  /// The address of the server that behaves well, such as `http://127.0.0.1:40001`.
  let good: String
  /// The address of the server that misbehaves.
  let bad: String
  /// The servers for tests that count nothing.
  static let shared: LocalServer = {
    do { return try LocalServer() } catch { preconditionFailure("python3 is missing: \(error)") }
  }()

  private let process: ScriptProcess

  init() throws {
    process = try ScriptProcess("server.py")
    good = "http://127.0.0.1:\(process.words[0])"
    bad = "http://127.0.0.1:\(process.words[1])"
  }

  /// What the servers have counted so far, this request included, by a client of its own.
  func counts() async throws -> Counts {
    let client = HTTPClient()
    let response = try await client.send(HTTPClientRequest(url: good + "/stats"))
    await client.shutDown()
    return try JSONDecoder().decode(Counts.self, from: Data(response.body))
  }

  /// Waits until the counts fulfil a condition; records an issue where they don't within a minute.
  func wait(_ what: Comment, until condition: (Counts) -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      if condition(try await counts()) { return }
      try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what)
  }
}

extension HTTPClientResponse {
  /// The request as the server read it.
  func echo() throws -> LocalServer.Echo { try JSONDecoder().decode(LocalServer.Echo.self, from: Data(body)) }
}

extension HTTPClient {
  /// The code that a request fails with; nil where it succeeds.
  func failure(of request: HTTPClientRequest) async -> HTTPClientError.Code? {
    do throws(HTTPClientError) {
      _ = try await send(request)
      return nil
    } catch {
      return error.code
    }
  }
}
#endif
