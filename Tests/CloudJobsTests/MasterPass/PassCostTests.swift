import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Cost of a pass")
struct PassCostTests {
  private let fixture = RuntimeFixture()

  private func runtime(due: Int, all: Int) async throws -> JobRuntime {
    let effects = fixture.effects
    return try await fixture.runtime {
      for number in 0..<all {
        PeriodicJob(JobID(stringLiteral: "job\(number)"), every: number < due ? .minutes(1) : .hours(24)) { _ in
          effects.add("ran")
          return .done
        }
      }
    }
  }

  @Test("An idle pass costs one query and nothing else")
  func idle() async throws {
    let runtime = try await runtime(due: 0, all: 20)
    fixture.clock.advance(by: .minutes(1))
    fixture.store.reset()
    #expect(await runtime.runMasterPass().due == 0)
    #expect(fixture.store.counts == FaultyStore.Counts(queries: 1))
  }

  @Test("Ten due among 2,000 documents cost at most 21 reads and 40 writes of documents")
  func ten() async throws {
    let runtime = try await runtime(due: 10, all: 2_000)
    for _ in 0..<2 {
      fixture.clock.advance(by: .minutes(1))
      fixture.store.reset()
      #expect(await runtime.runMasterPass().started == 10)
      let counts = fixture.store.counts
      #expect(counts.readDocuments <= 21)
      #expect(counts.writtenDocuments <= 40)
      #expect(counts.queries == 1)
    }
    #expect(fixture.effects.count == 20)
  }
}
