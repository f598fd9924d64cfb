#if Server && SQLite
import CloudJobsTesting

func aWeekInASecond(_ jobs: JobRegistry) async throws -> [String] {
  let local = try await JobRuntime.simulated(jobs)
  try await local.advance(by: .days(7))
  return local.trace
}
#endif
