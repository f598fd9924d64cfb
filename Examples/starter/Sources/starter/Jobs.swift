import CloudJobsCommands

/// The input of the job `greet`: the contract between the job and its callers, which the compiler checks.
struct Greeting: JobInput {
  static let jobID: JobID = "greet"
  var name: String
}

/// Returns the jobs of this program.
func makeJobs() throws -> JobRegistry {
  try JobRegistry {
    EndpointJob(Greeting.self) { greeting, context in
      // The run id is the same in every attempt: the key that makes outside effects idempotent.
      context.logger.notice("Hello, \(greeting.name)! This is run \(context.runID).")
    }
    .retry(RetryPolicy(maxAttempts: 5, backoff: .fixed(.seconds(2))))

    ScheduledJob("good_morning", cron: "0 9 * * *", in: "Europe/Berlin") { context in
      try await context.enqueue(Greeting(name: "world"))
    }
  }
}
