#if Google
import CloudJobs
import CloudJobsCore
import CloudJobsTesting
import HTTPTypes
import Testing

@testable import CloudJobsGoogle

@Suite("Behind Cloud Run's IAM")
struct CloudRunTests {
  private static let policy = TokenPolicy(audiences: [Forge.audience], serviceAccounts: [Forge.account])

  private static func checked(_ claims: [String: JSONValue?] = [:]) -> String {
    "Bearer \(Forge(claims: claims).input).SIGNATURE_REMOVED_BY_GOOGLE"
  }

  private static func reason(_ fields: HTTPFields) -> String? {
    do throws(TokenRejection) {
      _ = try Authentication.identity(ofCloudRun: fields, policy: policy, at: Forge.now)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test(
    "Only a token that has lost its signature is believed, and only for what it must say",
    arguments: [
      (checked(), nil), (checked(["iss": "accounts.google.com"]), nil),
      ("Bearer \(Forge().token)", "signatureNotRemoved"), ("Bearer \(Forge().input).", "signatureNotRemoved"),
      ("Bearer \(Forge().input).SIGNATURE_REMOVED_BY_GOOGL", "signatureNotRemoved"),
      ("Bearer \(Forge().input).signature_removed_by_google", "signatureNotRemoved"),
      (checked(["aud": "https://other.example"]), "audienceWrong"), (checked(["aud": nil]), "audienceMissing"),
      (checked(["email": "other@p"]), "accountWrong"), (checked(["email_verified": false]), "emailNotVerified"),
      (checked(["exp": .integer(Forge.now.seconds - 60)]), "expired"), (checked(["iss": "x"]), "issuerWrong"),
      ("Bearer \(Forge(header: ["alg": "none"]).input).SIGNATURE_REMOVED_BY_GOOGLE", "algorithmNone"),
      ("Bearer x", "notThreeParts"),
    ] as [(String, String?)])
  func believed(value: String, reason: String?) {
    #expect(Self.reason([.authorization: value]) == reason)
  }

  @Test("Where the serverless field is sent, it alone is read, as it alone has been checked")
  func serverless() throws {
    let name = try #require(HTTPField.Name("X-Serverless-Authorization"))
    let other = Self.checked(["email": "other@p"])
    #expect(Self.reason([name: Self.checked()]) == nil)
    #expect(Self.reason([name: Self.checked(), .authorization: "Basic abc"]) == nil)
    #expect(Self.reason([name: other, .authorization: Self.checked()]) == "accountWrong")
    #expect(Self.reason([:]) == "tokenMissing")
  }

  @Test("The mode is a choice of its own: each of the two refuses what the other takes")
  func modes() async throws {
    let clock = SettableClock(Forge.now)
    let exchange = FakeExchange(.json(SigningKey.document([.issuer])))
    let registry = try JobRegistry { EndpointJob("job") { _ in .done } }
    let iam = Authentication.cloudRunIAM(audience: Forge.audience, serviceAccounts: [Forge.account], clock: clock)
    let oidc = Authentication.oidc(
      audience: Forge.audience, serviceAccounts: [Forge.account], client: exchange, clock: clock)
    let rows: [(Authentication, String, Int)] = [
      (iam, Self.checked(), 200), (iam, "Bearer \(Forge().token)", 401), (oidc, Self.checked(), 401),
      (oidc, "Bearer \(Forge().token)", 200),
    ]
    for (mode, value, status) in rows {
      var options = RuntimeOptions()
      options.clock = StandingClock(time: clock)
      options.logger = LogRecorder().logger
      let runtime = try await JobRuntime(
        registry, store: MemoryStore(clock: clock), queue: .caller, authentication: mode, options: options)
      let request = HTTPRequest(
        method: .post, scheme: "https", authority: "worker", path: "/jobs/trigger",
        headerFields: [.authorization: value])
      let answer = await runtime.handle(request, body: Array(#"{"jobId":"job"}"#.utf8))
      #expect(answer.head.status.code == status)
      #expect(mode.allowsRemotePeers)
    }
  }
}
#endif
