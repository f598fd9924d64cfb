#if Server && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsServer
import CloudJobsTesting
import Logging

struct WelcomeEmail: Codable, Sendable {
  var userID: String
}

func makeJobs(_ mailer: some Mailer) throws -> JobRegistry {
  try JobRegistry {
    EndpointJob("send_welcome_email", input: WelcomeEmail.self) { email, context in
      // The run id is the same in every attempt: the key that makes outside effects idempotent.
      try await mailer.send(to: email.userID, key: context.runID.rawValue)
      return .done
    }
    .retry(RetryPolicy(maxAttempts: 5, backoff: .exponential(.seconds(10))))

    ScheduledJob("nightly_report", cron: "0 2 * * *", in: "Europe/Berlin") { context in
      context.logger.info("reporting", metadata: ["slot": "\(context.scheduledFor ?? context.clock.now())"])
      return .done
    }

    PeriodicJob("cleanup_temp_files", every: .hours(1)) { context in
      try await context.enqueue("send_welcome_email", WelcomeEmail(userID: "42"), key: "welcome-42")
      return .done
    }
  }
}

func serve(_ jobs: JobRegistry) async throws {
  let runtime = try await JobRuntime(
    jobs, store: .sqlite(path: "jobs.db"), queue: .store, authentication: .trustLoopback)
  try await runtime.enqueue(in: .minutes(5), "send_welcome_email", WelcomeEmail(userID: "7"))
  try await JobServer(runtime).runUntilSignal()
}

func aWeekInASecond(_ jobs: JobRegistry) async throws -> [String] {
  let local = try await JobRuntime.simulated(jobs)
  try await local.advance(by: .days(7))
  return local.trace
}
#endif
