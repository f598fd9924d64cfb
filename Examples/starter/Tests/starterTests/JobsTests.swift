import CloudJobsTesting
import Testing

@testable import starter

@Suite("Jobs")
struct JobsTests {
  @Test("The world is greeted in the morning, although the first attempt fails")
  func morning() async throws {
    let local = try await JobRuntime.simulated(try makeJobs().failing("greet", first: 1))
    try await local.perform("good_morning")
    try await local.assertEnqueued(Greeting(name: "world"))
    try await local.drain()  // In virtual time, through all retries.
    #expect(local.outcomes(of: "greet") == [.retrying, .succeeded])
  }
}
