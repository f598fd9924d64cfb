import CloudJobsTesting
import Testing

@testable import shop

@Suite("The jobs of the shop")
struct JobsTests {
  @Test("A mail is sent")
  func mail() async throws {
    let local = try await JobRuntime.simulated(try makeJobs())
    try await local.perform(SendMail(to: "ada@example.com", subject: "Your order"))
  }
}
