/// A place where a banned call is right, with the reason.
struct Allowance: Sendable {
  let path: String
  let calls: Set<String>
  let reason: String

  /// All of them; `Live/` folders need none, as they hold the adapters to the machine.
  static let all: [Allowance] = [
    Allowance(
      path: "Sources/cloud-jobs/", calls: ["print(", "ProcessInfo", "getenv", "Task {"],
      reason: "an executable: it prints, reads its environment and is the composition root"),
    Allowance(
      path: "Sources/InboxDemo/", calls: ["print(", "ProcessInfo", "getenv", "Task {"],
      reason: "an executable: it prints, reads its environment and is the composition root"),
    Allowance(
      path: "Emulator/CloudJobsEmulator/Driver/VirtualWorld.swift", calls: ["Task {"],
      reason: "a virtual world starts deliveries on its own executor, which nothing else can reach"),
    Allowance(
      path: "Sources/CloudJobsSQLite/SQLiteFile.swift", calls: ["ContinuousClock"],
      reason: "opening a file waits for other processes, in the time that they live in"),
    Allowance(
      path: "Tests/CloudJobsCoreTests/Schedules/NeverFiringTests.swift", calls: ["ContinuousClock"],
      reason: "how fast an expression is refused is what is tested"),
    Allowance(
      path: "Tests/CloudJobsSQLiteTests/TemporaryFolder.swift", calls: ["UUID()"],
      reason: "processes that run at the same time need folders of their own"),
    Allowance(
      path: "Tests/ScheduleOracle/", calls: ["print(", "ContinuousClock"],
      reason: "an executable that the conformance tests ask, and that times itself"),
    Allowance(
      path: "Tests/TokenOracle/", calls: ["print("], reason: "an executable that the conformance tests ask"),
    Allowance(
      path: "Tests/CloudRunService/", calls: ["ProcessInfo"], reason: "an executable: it reads its environment"),
    Allowance(
      path: "Tests/GoogleDriver/", calls: ["print("], reason: "an executable that the conformance tests read"),
    Allowance(
      path: "Tests/StoreHammer/", calls: ["print(", "ContinuousClock"],
      reason: "an executable that several times at once works on one file, in real time"),
    Allowance(
      path: "Tests/CloudJobsHTTPTests/", calls: ["ContinuousClock", "Task.sleep"],
      reason: "libcurl's thread and a server in another process know no virtual time"),
    Allowance(
      path: "Tests/TidyTests/", calls: ["ProcessInfo"], reason: "it asks git for the repository's files"),
  ]
}
