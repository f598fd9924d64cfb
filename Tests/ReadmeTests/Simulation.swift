#if Server && SQLite
import CloudJobsTesting

func aWeekInASecond(_ jobs: JobRegistry) async throws -> [String] {
  let local = try await JobRuntime.simulated(jobs)
  try await local.advance(by: .seconds(7 * 24 * 3_600))
  return local.trace
}
#endif
