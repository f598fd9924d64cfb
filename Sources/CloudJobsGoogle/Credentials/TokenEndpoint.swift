#if HTTP
import CloudJobs
import CloudJobsCore
import CloudJobsHTTP

/// Asks for tokens, and asks again where the failure may pass by itself.
///
/// Its errors name the server and OAuth's own error code, and carry nothing else of a request or an answer.
struct TokenEndpoint: Sendable {
  /// How often a request is sent at most.
  static let attempts = 4
  /// How long the second attempt waits, at most; each later one waits twice as long.
  static let firstPause = Duration.milliseconds(500)

  let client: any HTTPExchange
  let clock: any JobClock
  let random: RandomSource

  /// Sends a request until it has an answer with the status 200, or a failure that won't pass.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - server: what to call the server in an error.
  ///   - remedy: what to do where the server refuses.
  /// - Returns: the answer.
  /// - Throws: ``JobError`` `credentialsUnavailable`.
  func answer(
    to request: HTTPClientRequest, from server: String, remedy: String
  ) async throws(JobError) -> HTTPClientResponse {
    var failure = JobError(.credentialsUnavailable, "\(server) was not asked.")
    for attempt in 1...Self.attempts {
      if attempt > 1 { try await pause(before: attempt, failure) }
      let mayPass: Bool
      do throws(HTTPClientError) {
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

  private static func mayPass(_ error: HTTPClientError) -> Bool {
    switch error.code {
    case .couldNotResolve, .couldNotConnect, .timedOut, .connectionClosed, .transferFailed, .tooManyRequests: true
    default: false
    }
  }

  private static func refusal(_ response: HTTPClientResponse, from server: String, remedy: String) -> JobError {
    let limits = JSONLimits(bytes: 65_536, depth: 8)
    let code = (try? JSONValue(parsing: response.body, limits: limits))?["error"]?.string
    let isPlain = code.map { $0.utf8.count <= 40 && $0.utf8.allSatisfy { $0 == 0x5F || (0x61...0x7A).contains($0) } }
    let reason = isPlain == true ? code.map { " (\($0))" } ?? "" : ""
    return JobError(
      .credentialsUnavailable, "\(server) gave no token\(reason): \(remedy).", nativeCode: "HTTP \(response.status)")
  }
}
#endif
