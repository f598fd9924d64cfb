#if Server && SQLite
import CloudJobsTesting
import Testing

@Test("Cleans up every hour")
func cleanup() async throws {
  let jobs = try JobRegistry { PeriodicJob("cleanup", every: .seconds(3_600)) { _ in } }
  let local = try await JobRuntime.simulated(jobs)
  try await local.advance(by: .seconds(7 * 24 * 3_600))
  #expect(local.outcomes(of: "cleanup") == Array(repeating: .succeeded, count: 168))
}
#endif
