#if Server && SQLite
import CloudJobsTesting
import Testing

private struct WelcomeEmail: JobInput {
  static let jobID: JobID = "send_welcome_email"
  var userID: String
}

/// The jobs of the README's program.
private func jobs() throws -> JobRegistry {
  try JobRegistry {
    EndpointJob(WelcomeEmail.self) { _, _ in }
      .retry(RetryPolicy(maxAttempts: 5, backoff: .fixed(.seconds(2))))
    ScheduledJob("report", cron: "* * * * *", in: "Europe/Berlin") { context in
      try await context.enqueue(WelcomeEmail(userID: "42"), key: "welcome-42")
    }
  }
}

@Test("The report greets user 42, although the mail service is busy twice")
func report() async throws {
  let local = try await JobRuntime.simulated(try jobs().failing("send_welcome_email", first: 2))
  try await local.perform("report")
  try await local.assertEnqueued(WelcomeEmail(userID: "42"), key: "welcome-42")
  try await local.drain()  // through all retries
  #expect(local.outcomes(of: "send_welcome_email") == [.retrying, .retrying, .succeeded])
}
#endif
