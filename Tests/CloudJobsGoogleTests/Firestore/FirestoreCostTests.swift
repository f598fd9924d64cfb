#if HTTP && Server
import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsTesting
import Testing

@testable import CloudJobsGoogle

@Suite("Cost of a pass on Firestore")
struct FirestoreCostTests {
  private static let start = Timestamp(seconds: 1_763_719_320)
  private let clock = SettableClock(start)
  private let service: EmulatedFirestore

  init() {
    service = EmulatedFirestore(clock: clock)
  }

  /// Puts documents of jobs straight into the service, as another program would have left them.
  private func fill(_ count: Int) throws {
    let database = Firestore.DatabaseName(project: "test", database: "(default)")
    let later = Firestore.Value.timestamp(Self.start + .days(30))
    try service.emulator.withState { (state, now) throws(ServiceFault) in
      for first in stride(from: 0, to: count, by: 500) {
        let writes = try (first..<min(first + 500, count)).map { (number) throws(ServiceFault) in
          Firestore.Write(
            try Firestore.Name(document: EmulatedFirestore.configuration.name("jobs", "other-\(number)")),
            .update(fields: ["enabled": .boolean(true), "state": .map(["nextRun": later])], mask: nil))
        }
        _ = try state.firestore.commit(writes, in: database, at: now)
      }
    }
  }

  private func runtime() async throws -> JobRuntime {
    var options = RuntimeOptions()
    options.owner = "one"
    options.clock = StandingClock(time: clock)
    let jobs = try JobRegistry {
      for number in 0..<10 {
        PeriodicJob(JobID(stringLiteral: "due\(number)"), every: .minutes(1)) { _ in .done }
      }
    }
    return try await JobRuntime(
      jobs, store: service.store(), queue: NoQueue(), authentication: .trustLoopback, options: options)
  }

  /// The minutes are none of housekeeping, which reads the documents of all registered jobs besides.
  @Test("Ten due among 100,000 documents cost at most 21 reads and 40 writes; an idle pass costs one read")
  func ten() async throws {
    let runtime = try await runtime()
    try fill(100_000)
    for _ in 0..<2 {
      clock.advance(by: .minutes(1))
      let before = service.usage
      let summary = await runtime.pass()
      let after = service.usage
      #expect(summary.started == 10 && summary.due == 10, "\(summary)")
      #expect(after.reads - before.reads <= 21)
      #expect(after.writes - before.writes <= 40)
      #expect(after.deletes == before.deletes)
    }
    let before = service.usage
    #expect(await runtime.pass().due == 0)
    #expect(service.usage.reads - before.reads == 1 && service.usage.writes == before.writes)
  }
}
#endif
