#if Server && SQLite
import CloudJobsSQLite
import CloudJobsServer

// The type is the contract between the job and its callers: the compiler checks both.
struct WelcomeEmail: JobInput {
  static let jobID: JobID = "send_welcome_email"
  var userID: String
}

@main
struct QuickStart {
  static func main() async {
    await JobServer.main(dashboard: .loopback) {
      let jobs = try JobRegistry {
        EndpointJob(WelcomeEmail.self) { email, context in
          // Stands for a mail service that is busy twice.
          if email.userID == "flaky", context.attempt < 3 { throw JobFailure.failed("The mail service is busy.") }
          // The run id is the same in every attempt: the key that makes outside effects idempotent.
          context.logger.notice("mail to \(email.userID), once per \(context.runID)")
        }
        .retry(RetryPolicy(maxAttempts: 5, backoff: .fixed(.seconds(2))))

        ScheduledJob("report", cron: "* * * * *", in: "Europe/Berlin") { context in
          try await context.enqueue(WelcomeEmail(userID: "42"), key: "welcome-42")
        }

        PeriodicJob("cleanup", every: .seconds(30)) { context in
          context.logger.notice("cleaning up")
        }
      }
      return JobRuntime(jobs, store: try .sqlite(path: "jobs.db"), authentication: .trustLoopback)
    }
  }
}
#else
/// A placeholder for builds without the traits Server and SQLite.
@main
enum QuickStart {
  static func main() {}
}
#endif
