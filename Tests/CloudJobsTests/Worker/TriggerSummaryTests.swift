import CloudJobsCore
import Testing

@testable import CloudJobs

@Suite("What a server says at its start about its triggers")
struct TriggerSummaryTests {
  private static let all = [
    JobDefinition(id: "tick", kind: .periodic, schedule: .every(.seconds(60))),
    JobDefinition(id: "nightly", kind: .scheduled, schedule: .text("0 2 * * *")),
    JobDefinition(id: "mail", kind: .endpoint),
  ]

  @Test(
    "A schedule that nobody is known to trigger needs attention, and is named",
    arguments: [
      (RetryOwner.pass, true, false, true, false, "The worker of this process"),
      (.pass, false, false, true, true, "No worker runs"), (.pass, false, false, false, true, "No worker runs"),
      (.runtime, false, false, true, true, "CloudSync"), (.runtime, false, true, true, false, "the sync sees to that"),
      (.runtime, false, false, false, false, "The queue delivers runs."),
      (.caller, false, false, true, true, "Nothing in this process triggers"),
      (.caller, false, false, false, false, "Runs are retried by their callers."),
    ])
  func notes(
    owner: RetryOwner, hasWorker: Bool, hasSync: Bool, hasSchedules: Bool, needsAttention: Bool, words: String
  ) {
    let definitions = Self.all.filter { hasSchedules || $0.kind == .endpoint }
    let note = TriggerSummary(
      definitions, owner: owner, worker: hasWorker ? JobWorker.Options() : nil, hasSync: hasSync, mountPath: "/tasks")
    #expect(note.needsAttention == needsAttention)
    #expect(note.text.contains(words), "\(note.text)")
    #expect(note.text.contains("tick, nightly") == hasSchedules)
    if needsAttention { #expect(note.text.contains("/tasks/master")) }
  }

  @Test("A worker that is switched off altogether needs attention")
  func off() {
    var options = JobWorker.Options()
    options.runsSchedules = false
    #expect(!TriggerSummary(Self.all, owner: .pass, worker: options, hasSync: false).needsAttention)
    options.executesRuns = false
    let note = TriggerSummary(Self.all, owner: .pass, worker: options, hasSync: false)
    #expect(note.needsAttention && note.text.contains("does nothing"))
  }

  @Test("Long lists are cut")
  func many() {
    let definitions = (1...8).map { JobDefinition(id: JobID(stringLiteral: "j\($0)"), kind: .periodic) }
    let note = TriggerSummary(definitions, owner: .pass, worker: JobWorker.Options(), hasSync: false)
    #expect(note.text.contains("j5 and 3 more"))
  }
}
