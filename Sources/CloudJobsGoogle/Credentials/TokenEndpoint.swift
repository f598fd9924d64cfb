#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP

/// A client for token endpoints, with retries on transient errors.
///
/// Errors contain the server's name and OAuth's error code, and nothing else of a request or response.
struct TokenEndpoint: Sendable {
  /// The maximum number of attempts.
  static let attempts = 4
  /// The maximum delay before the second attempt; it doubles with each further one.
  static let firstPause = Duration.milliseconds(500)

  let client: any HTTPExchange
  let clock: any JobClock
  let random: RandomSource

  /// Sends a request until the response has status 200 or the failure is permanent.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - server: the server's name in errors.
  ///   - remedy: the remedy if the server rejects the request.
  /// - Returns: the response.
  /// - Throws: ``JobError`` `credentialsUnavailable`.
  func answer(
    to request: HTTPExchangeRequest, from server: String, remedy: String
  ) async throws(JobError) -> HTTPExchangeResponse {
    var failure = JobError(.credentialsUnavailable, "\(server) was not asked.")
    for attempt in 1...Self.attempts {
      if attempt > 1 { try await pause(before: attempt, failure) }
      let mayPass: Bool
      do throws(HTTPExchangeError) {
        let response = try await client.send(request)
        if response.status == 200 { return response }
        failure = Self.refusal(response, from: server, remedy: remedy)
        mayPass = response.status >= 500 || response.status == 429 || response.status == 408
      } catch {
        failure = JobError(
          .credentialsUnavailable, "No token from \(server): \(error.message)", nativeCode: error.nativeCode)
        mayPass = Self.mayPass(error)
      }
      guard mayPass else { throw failure }
    }
    throw failure
  }

  private func pause(before attempt: Int, _ failure: JobError) async throws(JobError) {
    let longest = Self.firstPause.microseconds << Int64(attempt - 2)
    let span = random.draw { Int64.random(in: longest / 2...longest, using: &$0) }
    do {
      try await clock.sleep(until: clock.now() + .microseconds(span))
    } catch {
      throw failure
    }
  }

  private static func mayPass(_ error: HTTPExchangeError) -> Bool {
    switch error.code {
    case .couldNotResolve, .couldNotConnect, .timedOut, .connectionClosed, .transferFailed, .tooManyRequests: true
    default: false
    }
  }

  private static func refusal(_ response: HTTPExchangeResponse, from server: String, remedy: String) -> JobError {
    let limits = JSONLimits(bytes: 65_536, depth: 8)
    let code = (try? JSONValue(parsing: response.body, limits: limits))?["error"]?.string
    let isPlain = code.map { $0.utf8.count <= 40 && $0.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) } }
    let reason = isPlain == true ? code.map { " (\($0))" } ?? "" : ""
    return JobError(
      .credentialsUnavailable, "\(server) issued no token\(reason): \(remedy).", nativeCode: "HTTP \(response.status)")
  }
}

/// A body of the type `application/x-www-form-urlencoded` (<https://url.spec.whatwg.org/#urlencoded-serializing>).
enum FormBody {
  /// Returns the encoded names and values, in their order.
  static func encode(_ fields: KeyValuePairs<String, String>) -> [UInt8] {
    Array(fields.map { "\(escape($0.key))=\(escape($0.value))" }.joined(separator: "&").utf8)
  }

  /// Returns text with all but the unreserved characters of RFC 3986 percent-encoded, valid in a query too.
  static func escape(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes = [UInt8]()
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
#endif
