import CloudJobsCommands

/// The input of the job `send_mail`.
struct SendMail: JobInput {
  static let jobID: JobID = "send_mail"
  var to: String
  var subject: String
}

/// Returns the jobs of the shop.
func makeJobs() throws -> JobRegistry {
  try JobRegistry {
    EndpointJob(SendMail.self) { mail, context in
      // Stands for the call of a mail service, whose idempotency key is the run id.
      context.logger.notice("\"\(mail.subject)\" to \(mail.to), key \(context.runID)")
    }

    ScheduledJob("daily_report", cron: "0 7 * * MON-FRI", in: "Europe/Berlin") { context in
      try await context.enqueue(
        SendMail(to: "shop@example.com", subject: "Orders of yesterday"), key: "report-\(context.runID)")
    }

    PeriodicJob("remind_carts", every: .seconds(600)) { context in
      context.logger.notice("looking for carts that were left behind")
    }
  }
}
