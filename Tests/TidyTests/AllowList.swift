/// A permission to use banned calls below a path, with the reason.
struct Allowance: Sendable {
  let path: String
  let calls: Set<String>
  let reason: String

  /// All permissions; `Live/` folders need none, as they hold the adapters to the machine.
  static let all: [Allowance] = [
    Allowance(
      path: "Sources/InboxDemo/", calls: ["ProcessInfo"], reason: "an executable: it reads its environment"),
    Allowance(
      path: "Emulator/CloudJobsEmulator/Driver/SimulatedEmulator.swift", calls: ["Task {"],
      reason: "a simulated emulator starts deliveries on its own executor"),
    Allowance(
      path: "Sources/CloudJobs/Execution/Deadlines.swift", calls: ["Task {"],
      reason: "one task sleeps for all attempts, and outlives each of them"),
    Allowance(
      path: "Sources/CloudJobs/Delivery/AttemptExecutor.swift", calls: ["Task {"],
      reason: "a handler that ignores its cancellation is left behind, which no child task can be"),
    Allowance(
      path: "Tests/CloudJobsCoreTests/Schedules/NeverFiringTests.swift", calls: ["ContinuousClock"],
      reason: "the test measures the time to reject an expression"),
    Allowance(
      path: "Tests/Programs/", calls: ["print(", "ContinuousClock", "ProcessInfo"],
      reason: "programs: they print results, measure real time and read the environment"),
    Allowance(
      path: "Tests/CloudJobsHTTPTests/", calls: ["ContinuousClock", "Task.sleep"],
      reason: "libcurl's thread and a server in another process run in real time"),
  ]

  /// Returns a finding for each call of a permission that no file below its path uses.
  static func unused(in files: [SourceFile], allowances: [Allowance] = all) -> [Finding] {
    allowances.flatMap { allowance in
      let covered = files.filter { $0.path.hasPrefix(allowance.path) && !$0.isLive }
      let used = Set(covered.flatMap { BannedCalls.occurrences(in: $0).map(\.call) })
      return allowance.calls.subtracting(used).sorted().map {
        Finding(path: allowance.path, line: 1, message: "the allow-list's row for \($0) matches nothing: remove it")
      }
    }
  }
}
