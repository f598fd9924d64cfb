import CloudJobs
import CloudJobsCore
import CloudJobsEmulator
import TestSupport
import Testing

@Suite("Actions of operators")
struct OperatorActionTests {
  private let fixture = RuntimeFixture()

  private func runtime() async throws -> JobRuntime {
    try await fixture.runtime { PeriodicJob("job", every: .hours(1)) { _ in } }
  }

  @Test("Actions are listed latest first, each with its operator, job and run")
  func list() async throws {
    let runtime = try await runtime()
    let run = RunID(job: "job", occurrence: .key("one"))
    try await runtime.record("Paused all jobs.", by: "Ada")
    fixture.clock.advance(by: .seconds(1))
    try await runtime.record("Cancelled the run.", by: "Grace", job: "job", run: run)
    let actions = try await runtime.operatorActions()
    #expect(actions.map(\.text) == ["Cancelled the run.", "Paused all jobs."])
    #expect(actions.map(\.actor) == ["Grace", "Ada"])
    #expect(actions.map(\.job) == ["job", nil])
    #expect(actions.map(\.run) == [run, nil])
    #expect(actions.map(\.time) == [RuntimeFixture.start + .seconds(1), RuntimeFixture.start])
    #expect(try await runtime.operatorActions(on: "job").map(\.text) == ["Cancelled the run."])
    #expect(try await runtime.operatorActions(until: RuntimeFixture.start).map(\.text) == ["Paused all jobs."])
    #expect(try await runtime.operatorActions(limit: 1).map(\.text) == ["Cancelled the run."])
  }

  @Test("Decisions are no actions, and an explanation reads no action as a decision")
  func explanation() async throws {
    let runtime = try await runtime()
    let before = try await runtime.why("job")
    #expect(try await runtime.passJournal(of: "job").count > 0)
    #expect(try await runtime.operatorActions().isEmpty)
    try await runtime.record("Paused the job.", by: "Ada", job: "job")
    #expect(try await runtime.why("job") == before)
    let time = RuntimeFixture.start + .minutes(10)
    let asked = try await runtime.why("job", at: time)
    try await runtime.record("Resumed the job.", by: "Ada", job: "job")
    #expect(try await runtime.why("job", at: time) == asked)
    #expect(try await runtime.operatorActions(on: "job").count == 2)
  }

  @Test("A long text is cut")
  func bound() async throws {
    let runtime = try await runtime()
    try await runtime.record(String(repeating: "é", count: 501), by: "Ada")
    #expect(try await runtime.operatorActions()[0].text == String(repeating: "é", count: 500) + "…")
  }

  @Test("The name by which actions are found is no valid id of a job")
  func name() {
    #expect(throws: JobError.self) { try JobID(PassJournalEntry.operatorName) }
  }
}
