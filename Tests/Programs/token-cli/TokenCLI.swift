#if Google
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A command line over the verification of OIDC tokens, for tokens that other programs create.
///
/// Each input line, `{"token","now","audience","account","jwks"}` with the key set as text, produces one output line:
/// `accepted⇥email`, `refused⇥reason` or `error⇥message`. The optional member `"issuer"` replaces Google as the
/// accepted issuer.
@main
enum TokenCLI {
  static func main() async {
    while let line = readLine() {
      do {
        print(try await answer(line))
      } catch {
        print("error\t\(error)")
      }
      // Standard output to a pipe is block-buffered, and the caller waits for each line.
      fflush(nil)
    }
  }

  private static func answer(_ line: String) async throws -> String {
    let question = try JSONValue(parsing: Array(line.utf8))
    guard let token = question["token"]?.string, let now = question["now"]?.integer,
      let audience = question["audience"]?.string, let account = question["account"]?.string,
      let keys = question["jwks"]?.string
    else { return "error\tExpected the members token, now, audience, account and jwks." }
    let issuer: TokenIssuer =
      question["issuer"]?.string.map { .emulator(jwksURL: "http://keys.test/", name: $0) } ?? .google
    let verifier = TokenVerifier(
      audiences: [audience], serviceAccounts: [account], issuer: issuer, client: FixedKeys(document: keys),
      clock: FixedClock(time: Timestamp(seconds: now)))
    switch try await verifier.verify(token) {
    case .success(let identity): return "accepted\t\(identity.email)"
    case .failure(let rejection): return "refused\t\(rejection.reason)"
    }
  }
}

/// A clock that always returns one time.
private struct FixedClock: JobClock {
  let time: Timestamp

  func now() -> Timestamp { time }

  func sleep(until deadline: Timestamp) async throws {}
}

/// An HTTP client that answers every request with one document.
private struct FixedKeys: HTTPExchange {
  let document: String

  func send(_ request: HTTPExchangeRequest) async throws(HTTPExchangeError) -> HTTPExchangeResponse {
    HTTPExchangeResponse(status: 200, body: Array(document.utf8))
  }
}
#else
/// A placeholder for builds without the trait Google.
@main
enum TokenCLI {
  static func main() {}
}
#endif
