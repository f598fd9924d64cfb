#if Server && SQLite
import CloudJobs
import CloudJobsCore
import CloudJobsServer
import Foundation
import Testing

@Suite("The page on defaults")
struct DefaultsTests {
  private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Documentation/defaults.md").standardizedFileURL

  private static func lines() throws -> [String] {
    try String(contentsOf: page, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
  }

  @Test("Its document changes nothing of a job's policy, and has the values of a plain breaker")
  func document() throws {
    let block = try Self.lines().drop { $0 != "```json" }.dropFirst().prefix { $0 != "```" }
    let fields = try JSONValue(parsing: Array(block.joined(separator: "\n").utf8))
    let names = [
      "enabled", "paused", "priority", "maxRetries", "retry", "timeout", "retention", "misfire", "breaker", "trigger",
    ]
    #expect(fields.object.map { Set($0.keys) } == Set(names))
    let retry = fields["retry"]?.object.map { Set($0.keys) }
    #expect(retry == ["maxAttempts", "backoff", "delay", "maxDelay", "jitter"])
    #expect(fields["breaker"]?.object.map { Set($0.keys) } == ["threshold", "cooldown"])
    var policy = JobPolicy().overridden(by: try JobConfiguration(fields: fields))
    #expect(policy.breaker == CircuitBreaker())
    #expect(try JobConfiguration(fields: ["breaker": .object([:])]).breaker == CircuitBreaker())
    policy.breaker = nil
    var plain = JobPolicy()
    (plain.timeout, plain.retry, plain.retention) = (plain.timeout, plain.retry, plain.retention)
    #expect(policy == plain)
    #expect(fields["maxRetries"] == .integer(Int64(RetryPolicy.standard.maxAttempts - 1)))
    #expect(fields["retry"]?["maxAttempts"] == .integer(Int64(RetryPolicy.standard.maxAttempts)))
  }

  @Test("Its table has the defaults of the options")
  func options() throws {
    let cells = try Self.lines().filter { $0.hasPrefix("| `") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(cells.allSatisfy { $0.count == 2 })
    let table = Dictionary(cells.map { ($0[0], $0[1]) }) { first, _ in first }
    #expect(table.count == cells.count)
    let (runtime, memory) = (RuntimeOptions(), MemoryLimits())
    let (worker, server) = (JobWorker.Options(), JobServerConfiguration())
    #expect(
      table == [
        "`RuntimeOptions.leaseMargin`": text(runtime.leaseMargin),
        "`RuntimeOptions.sweepDelay`": text(runtime.sweepDelay),
        "`RuntimeOptions.misfireGrace`": text(runtime.misfireGrace),
        "`RuntimeOptions.passBudget`": text(runtime.passBudget),
        "`RuntimeOptions.passConcurrency`": "\(runtime.passConcurrency)",
        "`QueueDrainOptions.budget`": text(runtime.drain.budget),
        "`QueueDrainOptions.concurrency`": "\(runtime.drain.concurrency)",
        "`RuntimeOptions.housekeeping`": text(runtime.housekeeping),
        "`RuntimeOptions.journalRetention`": text(runtime.journalRetention),
        "`RuntimeOptions.logRetention`": text(runtime.logRetention),
        "`RuntimeOptions.runLogLevel`": runtime.runLogLevel.map { "\($0)" } ?? "none",
        "`RuntimeOptions.cancellationPoll`": text(runtime.cancellationPoll),
        "`RuntimeOptions.hookTimeout`": text(runtime.hookTimeout),
        "`RuntimeOptions.maxConcurrentDeliveries`": "\(runtime.maxConcurrentDeliveries)",
        "`MemoryLimits.warnAt`": "\(memory.warnAt)",
        "`MemoryLimits.refuseAt`": "\(memory.refuseAt)", "`MemoryLimits.drainAt`": "\(memory.drainAt)",
        "`JobWorker.Options.concurrency`": "\(worker.concurrency)",
        "`JobWorker.Options.pollInterval`": text(worker.pollInterval),
        "`JobWorker.Options.reconcileInterval`": text(worker.reconcileInterval),
        "`JobWorker.Options.heartbeat`": worker.heartbeat.map { text($0) } ?? "none",
        "`JobWorker.Options.staleAfter`": text(worker.staleAfter),
        "`JobServerConfiguration.defaultPort`": "\(JobServerConfiguration.defaultPort)",
        "`JobServerConfiguration.drainLimit`": text(server.drainLimit),
        "`JobServerConfiguration.exitLimit`": text(server.exitLimit),
      ])
    #expect(runtime.memory == memory, "the limits of the memory hold unless they are switched off")
  }

  /// Returns a duration of whole seconds in the largest unit that has no remainder.
  private func text(_ duration: Duration) -> String {
    let (seconds, rest) = duration.components
    let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")]
    guard rest == 0, seconds > 0, let unit = units.first(where: { seconds % $0.0 == 0 }) else { return "\(duration)" }
    return "\(seconds / unit.0)\(unit.1)"
  }
}
#endif
