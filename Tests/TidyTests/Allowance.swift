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
      reason: "a delivery outlives the call that moved the time; the world keeps its task and cancels it at the end"),
    Allowance(
      path: "Tests/CloudJobsEmulatorTests/", calls: ["ContinuousClock"],
      reason: "what a virtual week and a hundred thousand tasks cost is told by the machine's clock alone"),
    Allowance(
      path: "Tests/CloudJobsHTTPTests/", calls: ["ContinuousClock", "Task.sleep"],
      reason: "libcurl's thread and a server in another process know no virtual time"),
    Allowance(
      path: "Tests/InboxDemoTests/", calls: ["ContinuousClock", "Task.sleep", "UUID()", "ProcessInfo"],
      reason: "the demo runs as a process of its own, in a folder of its own"),
    Allowance(
      path: "Tests/TidyTests/", calls: ["ProcessInfo"], reason: "it asks git for the repository's files"),
  ]
}
