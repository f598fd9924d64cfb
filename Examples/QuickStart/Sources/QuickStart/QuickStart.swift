import CloudJobsSQLite
import CloudJobsServer

struct WelcomeEmail: Codable, Sendable {
  var userID: String
}

@main
struct QuickStart {
  static func main() async {
    await JobServer.main {
      let jobs = try JobRegistry {
        EndpointJob("send_welcome_email", input: WelcomeEmail.self) { email, context in
          // Stands for a mail service that is busy twice.
          if email.userID == "flaky", context.attempt < 3 { throw JobFailure.failed("The mail service is busy.") }
          // The run id is the same in every attempt: the key that makes outside effects idempotent.
          context.logger.notice("mail to \(email.userID), once per \(context.runID)")
          return .done
        }
        .retry(RetryPolicy(maxAttempts: 5, backoff: .fixed(.seconds(2))))

        ScheduledJob("report", cron: "* * * * *", in: "Europe/Berlin") { context in
          try await context.enqueue("send_welcome_email", WelcomeEmail(userID: "42"), key: "welcome-42")
          return .done
        }

        PeriodicJob("cleanup", every: .seconds(30)) { context in
          context.logger.notice("cleaning up")
          return .done
        }
      }
      return try await JobRuntime(jobs, store: .sqlite(path: "jobs.db"), authentication: .trustLoopback)
    }
  }
}
