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

/// Answers whether tokens are accepted, so that other programs can make them.
///
/// A line of JSON in, `{"token","now","audience","account","jwks"}` with the keys' document as text, gives a line out:
/// `accepted⇥email`, or `refused⇥reason`, or `error⇥message`. With `"issuer"` tokens of that issuer are accepted in
/// place of Google's.
@main
enum TokenOracle {
  static func main() async {
    while let line = readLine() {
      do {
        print(try await answer(line))
      } catch {
        print("error\t\(error)")
      }
      // To a pipe the lines would wait until a buffer is full, and who asks waits for the line.
      fflush(nil)
    }
  }

  private static func answer(_ line: String) async throws -> String {
    let question = try JSONValue(parsing: Array(line.utf8))
    guard let token = question["token"]?.string, let now = question["now"]?.integer,
      let audience = question["audience"]?.string, let account = question["account"]?.string,
      let keys = question["jwks"]?.string
    else { return "error\tA line has token, now, audience, account and jwks." }
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
#else
/// Without the Google trait there is nothing to ask.
@main
enum TokenOracle {
  static func main() {}
}
#endif
