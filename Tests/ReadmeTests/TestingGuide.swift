#if Server && SQLite
import CloudJobsTesting
import Synchronization
import Testing

/// The examples of `Documentation/testing.md`.
@Suite("The guide to testing")
struct TestingGuide {
  private struct SignUp: JobInput {
    static let jobID: JobID = "sign_up"
    var userID: String
  }

  private struct WelcomeEmail: JobInput {
    static let jobID: JobID = "send_welcome_email"
    var userID: String
  }

  private protocol Mailer: Sendable {
    func send(to userID: String) async throws
  }

  private final class RecordingMailer: Mailer {
    private let all = Mutex([String]())

    var recipients: [String] { all.withLock { $0 } }

    func send(to userID: String) { all.withLock { $0.append(userID) } }
  }

  private func jobs() throws -> JobRegistry {
    let jobs = try JobRegistry {
      EndpointJob(SignUp.self) { user, context in
        let email = WelcomeEmail(userID: user.userID)
        try await context.enqueue(email, after: .seconds(3_600), key: "welcome-\(user.userID)")
      }
      EndpointJob(WelcomeEmail.self) { email, context in
        try await context.dependency((any Mailer).self).send(to: email.userID)
      }
      PeriodicJob("cleanup", every: .seconds(3_600)) { _ in }
    }
    return jobs
  }

  @Test("A sign-up asks for one mail, an hour later")
  func signUp() async throws {
    let local = try await JobRuntime.simulated(try jobs())
    try await local.perform(SignUp(userID: "7"))
    try await local.assertEnqueued(WelcomeEmail(userID: "7"), after: .seconds(3_600), key: "welcome-7", count: 1)
    try await local.assertNotEnqueued(WelcomeEmail(userID: "8"))
    let waiting = try await local.enqueued(WelcomeEmail.self)
    #expect(waiting.map(\.input.userID) == ["7"])
  }

  @Test("The mail is sent, although the mail service is busy twice")
  func retries() async throws {
    var options = RuntimeOptions()
    let mailer = RecordingMailer()
    options.dependencies.set(mailer, as: (any Mailer).self)
    let registry = try jobs().failing("send_welcome_email", first: 2)
    let local = try await JobRuntime.simulated(registry, options: options)
    try await local.enqueue(SignUp(userID: "7"))
    let drained = try await local.drain()
    #expect(drained.succeeded == 2, "\(drained)")
    #expect(local.outcomes(of: "send_welcome_email") == [.retrying, .retrying, .succeeded])
    #expect(mailer.recipients == ["7"])
  }

  @Test("Cleans up every hour")
  func week() async throws {
    let local = try await JobRuntime.simulated(try jobs(), seed: 42)
    try await local.advance(by: .seconds(7 * 24 * 3_600))
    #expect(local.outcomes(of: "cleanup") == Array(repeating: .succeeded, count: 168))
  }

  @Test("A sign-up that failed once has two attempts, and its reason")
  func results() async throws {
    let registry = try jobs().replacing(WelcomeEmail.self) { _, _ in NoOutput() }.failing("sign_up", first: 1)
    let local = try await JobRuntime.simulated(registry)
    try await local.enqueue(SignUp(userID: "7"))
    try await local.drain()
    let signUp = try #require(try await local.runs(of: SignUp.self).first)
    #expect(signUp.input.userID == "7")
    #expect(signUp.run.status == .succeeded && signUp.run.attempt == 2)
    #expect(local.events.contains { $0.name == .retrying })
  }

  @Test("A mail is sent once, whatever fails")
  func failures() async throws {
    var options = RuntimeOptions()
    let mailer = RecordingMailer()
    options.dependencies.set(mailer, as: (any Mailer).self)
    let local = try await JobRuntime.simulated(try jobs(), options: options)
    local.fail(.queue)
    local.fail(.duplicateDelivery, times: 2)
    try await local.enqueue(SignUp(userID: "7"))
    local.fail(.store, for: .seconds(90))
    try await local.advance(by: .seconds(60))
    local.crash()
    try await local.drain()
    #expect(mailer.recipients == ["7"])
    #expect(local.count(of: .queue) == 1)
  }
}
#endif
