import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Runs and drafts of scheduler jobs")
struct ScheduledRunTests {
  @Test(
    "a run during an execution makes one more attempt, which is not retried",
    arguments: [(500, [0, 5, 110, 320]), (200, [0, 5])])
  func runDuringExecution(status: Int, seconds: [Int]) async throws {
    let fixture = Fixture(taking: .seconds(10)) { _ in .status(status) }
    try fixture.makeJob(
      schedule: "0 0 1 1 *", retry: .init(retryCount: 2, minBackoff: .seconds(100), maxBackoff: .seconds(1_000)))
    let name = try Fixture.job()
    for _ in 0..<2 {
      _ = try fixture.emulator.withState { state, now in try state.scheduler.runJob(name, at: now) }
      try await fixture.emulator.advance(by: .seconds(5))
    }
    #expect(try await fixture.emulator.runUntilIdle())
    #expect(fixture.offsets == seconds.map { .seconds($0) })
    #expect(fixture.received.map(\.delivery.attempt) == Array([1, 1, 2, 3].prefix(seconds.count)))
    let refusals = fixture.emulator.trace.count {
      $0.hasSuffix("given up: a run request during an execution is not retried")
    }
    #expect(refusals == (status == 500 ? 1 : 0))
  }

  @Test("a description has at most 500 characters", arguments: ["x", "é"])
  func description(character: String) throws {
    let fixture = Fixture()
    let parent = try LocationName(Fixture.location)
    func refusal(_ count: Int) -> ServiceFault? {
      let draft = CloudScheduler.JobDraft(
        description: String(repeating: character, count: count), target: .http(.init(url: "http://127.0.0.1/")),
        schedule: "* * * * *")
      return fault {
        try fixture.emulator.withState { state, now in
          _ = try state.scheduler.createJob(draft, in: parent, at: now)
        }
      }
    }
    #expect(refusal(500) == nil)
    #expect(refusal(501) == .invalidArgument("Job.description must not contain more than 500 characters."))
  }

  @Test("the deadline of a job for Pub/Sub has no effect", arguments: [1, 15, 86_400])
  func pubsubDeadline(seconds: Int) async throws {
    let topic = "projects/p/topics/t"
    let fixture = Fixture(scheduler: .init(pushEndpoints: [topic: "http://127.0.0.1/push"]))
    let job = try fixture.makeJob(deadline: .seconds(seconds), target: .pubsub(.init(topicName: topic, data: [1])))
    #expect(job.attemptDeadline == nil)
    try await fixture.emulator.advance(by: .minutes(1))
    #expect(fixture.received.first?.delivery.deadline == .minutes(3))
  }

  @Test("the time of a client's change has whole seconds")
  func userUpdateTime() async throws {
    let fixture = Fixture()
    try await fixture.emulator.advance(by: .milliseconds(1_999))
    #expect(try fixture.makeJob().userUpdateTime == Fixture.start + .seconds(1))
    try await fixture.emulator.advance(by: .milliseconds(1_500))
    let draft = CloudScheduler.JobDraft(name: try Fixture.job().text, description: "d")
    let changed = try fixture.emulator.withState { state, now in
      try state.scheduler.updateJob(draft, mask: FieldMask(["description"]), at: now)
    }
    #expect(changed.userUpdateTime == Fixture.start + .seconds(3))
  }
}
