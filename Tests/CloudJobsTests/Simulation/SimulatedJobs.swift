import CloudJobs
import CloudJobsCore
import CloudJobsTesting

/// The input of a job that enqueues another one.
struct SignUp: JobInput {
  static let jobID: JobID = "sign_up"
  var userID: String
}

/// The input of a job that fails if it is told to.
struct Mail: JobInput, Equatable {
  static let jobID: JobID = "mail"
  var userID: String
  var failures = 0
}

/// The input of a job with a result.
struct Doubling: JobInput {
  typealias Output = Int
  static let jobID: JobID = "double"
  var number: Int
}

/// The error of a handler of these jobs.
struct MailError: Error, Equatable {
  var code: Int
}

/// The jobs that the tests of the testing kit run.
enum SimulatedJobs {
  static func registry(_ effects: Effects = Effects()) throws -> JobRegistry {
    try JobRegistry {
      EndpointJob(SignUp.self) { user, context in
        effects.add("sign_up \(user.userID)")
        try await context.enqueue(Mail(userID: user.userID), after: .hours(2), key: "mail-\(user.userID)")
      }
      EndpointJob(Mail.self) { mail, context in
        effects.add("mail \(mail.userID)")
        if context.attempt <= mail.failures { throw MailError(code: context.attempt) }
      }
      .retry(RetryPolicy(maxAttempts: 4, backoff: .fixed(.minutes(10)), jitter: .none))
      EndpointJob(Doubling.self) { double, context in
        try await context.clock.sleep(for: .minutes(1))
        return double.number * 2
      }
    }
  }
}
