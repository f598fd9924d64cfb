func jobs() throws -> JobRegistry { given() }

struct SignUp: JobInput {
  static let jobID: JobID = "sign_up"
  var userID: String
}

final class RecordingMailer: Mailer {
  var recipients: [String] { given() }
  func send(to userID: String) {}
}
