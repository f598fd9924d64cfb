struct PrintingMailer: Mailer {
  func send(to userID: String) async throws {}
}
