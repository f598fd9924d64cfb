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

  @Test("The report asks for one mail to the shop")
  func report() async throws {
    let local = try await JobRuntime.simulated(try makeJobs())
    try await local.perform("daily_report")
    try await local.assertEnqueued(SendMail(to: "shop@example.com", subject: "Orders of yesterday"), count: 1)
  }

  @Test("In a week there are five reports and 1,008 reminders, although each mail fails once")
  func week() async throws {
    let local = try await JobRuntime.simulated(try makeJobs().failing("send_mail", first: 1))
    try await local.advance(by: .seconds(7 * 24 * 3_600))
    #expect(local.outcomes(of: "daily_report") == Array(repeating: .succeeded, count: 5))
    #expect(local.outcomes(of: "remind_carts").count == 1_008)
    #expect(local.outcomes(of: "send_mail").filter { $0 == .succeeded }.count == 5)
    #expect(local.outcomes(of: "send_mail").filter { $0 == .retrying }.count == 5)
  }
}
