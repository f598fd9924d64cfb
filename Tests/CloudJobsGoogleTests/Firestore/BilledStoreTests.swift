#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsGoogle
import CloudJobsTesting
import Logging
import Testing

/// The store that counts in simulations against the count of the emulated Firestore itself.
@Suite("The count of billed operations")
struct BilledStoreTests {
  @Test("It is Firestore's own over a story with all kinds of operations")
  func story() async throws {
    let clock = VirtualClock(start: Timestamp(seconds: 1_767_225_600))
    let service = EmulatedFirestore(clock: clock)
    let store = BilledStore(service.store())
    var options = RuntimeOptions()
    options.journalRetention = .seconds(3_600)
    options.logRetention = .seconds(3_600)
    options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    options.logger.logLevel = .info
    let registry = try JobRegistry {
      PeriodicJob("pass", every: .seconds(300)) { context in
        context.logger.info("A line.")
        try await context.clock.sleep(for: .seconds(12))
        if context.attempt == 1 { throw JobFailure.failed("Again.") }
      }
      .retention(.seconds(1_800))
      PeriodicJob("skipped", every: .seconds(600)) { _ in }.depends(on: "never")
      PeriodicJob("never", every: .seconds(86_400)) { _ in }
      ScheduledJob("cron", cron: "*/10 * * * *") { _ in }.breaker(CircuitBreaker())
      EndpointJob("mail") { (_: JobContext) in }.maxConcurrent(1).retention(.seconds(600))
      EndpointJob("dead") { (_: JobContext) in throw JobFailure.permanent("No.") }.breaker(CircuitBreaker())
      PeriodicJob("first", every: .seconds(900)) { context in try await context.clock.sleep(for: .seconds(3)) }
        .group("shared", maxConcurrent: 1)
      PeriodicJob("second", every: .seconds(900)) { context in try await context.clock.sleep(for: .seconds(3)) }
        .group("shared", maxConcurrent: 1)
    }
    let local = try await JobRuntime.simulated(registry, store: store, clock: clock, options: options)
    for _ in 0..<9 {
      try await local.advance(by: .seconds(1_200))
      try await local.enqueue([EnqueueRequest("mail"), EnqueueRequest("dead"), EnqueueRequest("mail", key: "once")])
      let (counted, billed) = (store.counts, service.usage)
      #expect(counted.reads == billed.reads && counted.writes == billed.writes && counted.deletes == billed.deletes)
    }
    let counted = store.counts
    #expect(counted.reads > 500 && counted.writes > 300 && counted.deletes > 50)
    #expect(local.outcomes(of: "skipped").contains(.skipped) && local.outcomes(of: "pass").contains(.retrying))
  }
}
#endif
