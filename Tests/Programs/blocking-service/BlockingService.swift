#if Server && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsSQLite
import CloudJobsServer
import Dispatch
import Foundation

/// A service on an SQLite file whose handlers block their thread in the first attempt, and succeed in the second.
///
/// The job `items` works for 40 s under a time limit of 10 s, and appends the number of each item to a file.
@main
enum BlockingService {
  static func main() async {
    let arguments = CommandLine.arguments
    await JobServer.main {
      var options = RuntimeOptions()
      options.leaseMargin = .seconds(2)
      options.heavy = .subprocess
      return JobRuntime(
        try jobs(), store: try .sqlite(path: arguments.count > 1 ? arguments[1] : "jobs.db"), queue: .store,
        authentication: .trustLoopback, options: options)
    }
  }

  private static func jobs() throws -> JobRegistry {
    try JobRegistry {
      blocking("spin") { spin() }
      blocking("sleep") { Thread.sleep(forTimeInterval: 60) }
      blocking("wait") { DispatchSemaphore(value: 0).wait() }
      blocking("medium-spin") { spin() }.descriptor(JobDescriptor(weight: .medium, isRetryable: true))
      blocking("heavy-spin") { spin() }.descriptor(JobDescriptor(weight: .heavy, isRetryable: true))
      EndpointJob("sum", input: Int.self, output: Int.self) { count, _ in .done((0...count).reduce(0, &+)) }
        .descriptor(JobDescriptor(weight: .heavy, isRetryable: true))
      EndpointJob("greet") { _ in }
      EndpointJob("items", input: String.self) { path, context in return try await items(path, context) }
        .timeout(.seconds(10)).retry(.never)
    }
  }

  /// Takes a second for each of 40 items, and goes on in another attempt before the time limit.
  private static func items(_ path: String, _ context: JobContext) async throws -> JobOutcome<NoOutput> {
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(file) }
    for number in (try context.checkpoint(as: Int.self) ?? 0)..<40 {
      if context.timeRemaining < .seconds(2) { return .continue(from: number) }
      try await context.clock.sleep(for: .seconds(1))
      let line = Array("\(number)\n".utf8)
      _ = write(file, line, line.count)
    }
    return .done
  }

  private static func blocking(
    _ id: JobID, _ block: @escaping @Sendable () -> Void
  ) -> EndpointJob<NoInput, NoOutput> {
    EndpointJob(id) { context in if context.attempt == 1 { block() } }
      .timeout(.seconds(1)).retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.milliseconds(100)), jitter: .none))
  }

  /// Computes for a minute and never looks at its cancellation.
  private static func spin() {
    let end = ContinuousClock.now + .seconds(60)
    var number: UInt64 = 1
    while ContinuousClock.now < end { number = number &* 6_364_136_223_846_793_005 &+ 1 }
  }
}
#else
/// A placeholder for builds without the traits Server and SQLite.
@main
enum BlockingService {
  static func main() {}
}
#endif
