import Testing

@testable import CloudJobsCore

/// A request with a unique key, what holds the key, and what becomes of both.
struct UniqueCase: CustomTestStringConvertible, Sendable {
  var uniqueness: Uniqueness
  /// The holder's status; nil if its record is deleted.
  var status: RunStatus?
  /// The time since the holder was created; nil if there is no holder.
  var age: Duration?
  var expected: String

  init(
    _ conflict: UniqueConflict, window: Duration? = nil, states: Set<RunStatus> = Uniqueness.unfinished,
    _ status: RunStatus?, age: Duration? = .minutes(1), _ expected: String
  ) {
    uniqueness = Uniqueness("key", within: window, states: states, onConflict: conflict)
    (self.status, self.age, self.expected) = (status, age, expected)
  }

  var testDescription: String { "\(uniqueness), \(status?.rawValue ?? "none"), \(age ?? .zero): \(expected)" }

  static let ended: Set<RunStatus> = [.pending, .succeeded]
  static let all: [UniqueCase] = [
    UniqueCase(.drop, nil, age: nil, "create"),
    UniqueCase(.drop, .scheduled, "keep"), UniqueCase(.drop, .pending, "keep"), UniqueCase(.drop, .running, "keep"),
    UniqueCase(.drop, .succeeded, "create"), UniqueCase(.drop, .failed, "create"),
    UniqueCase(.drop, .cancelled, "create"), UniqueCase(.drop, nil, "create"),
    UniqueCase(.drop, states: [.running], .pending, "create"), UniqueCase(.drop, states: [], .pending, "create"),
    UniqueCase(.drop, window: .minutes(1), .pending, age: .minutes(1) - .microseconds(1), "keep"),
    UniqueCase(.drop, window: .minutes(1), .pending, age: .minutes(1), "create"),
    UniqueCase(.drop, states: ended, .succeeded, age: .days(1_000), "keep"),
    UniqueCase(.drop, window: .hours(1), states: ended, .succeeded, "keep"),
    UniqueCase(.drop, window: .hours(1), states: ended, .failed, "create"),
    UniqueCase(.drop, window: .hours(1), states: ended, nil, "keep"),
    UniqueCase(.drop, window: .hours(1), nil, "create"), UniqueCase(.drop, states: ended, nil, "create"),
    UniqueCase(.replace, .scheduled, "replace"), UniqueCase(.replace, .pending, "replace"),
    UniqueCase(.replace, .running, "keep"), UniqueCase(.replace, .succeeded, "create"),
    UniqueCase(.replace, states: ended, .succeeded, "keep"),
    UniqueCase(.keepLater, .scheduled, "update"), UniqueCase(.keepLater, .pending, "update"),
    UniqueCase(.keepLater, .running, "keep"), UniqueCase(.keepLater, .failed, "create"),
  ]
}

@Suite("Unique runs")
struct UniquePlanTests {
  private let now = PlanSample.now

  private func input(_ row: UniqueCase, start: Duration = .zero, existingStart: Duration = .zero) -> UniqueInput {
    var run = Run(
      id: PlanSample.runIDs["other"] ?? RunID(job: "job", occurrence: .key("new")), job: "job", trigger: .task,
      input: JSONText(["n": 2]), status: .pending, maxAttempts: 3, notBefore: now + start, createdAt: now)
    run.scheduledFor = start > .zero ? run.notBefore : nil
    let existing = row.status.map { PlanSample.run($0, attempt: 0, notBefore: existingStart) }
    let holder = row.age.map { age in
      UniqueLedger(
        run: existing?.id ?? RunID(job: "job", occurrence: .key("gone")), createdAt: now - age,
        expireAt: .distantFuture)
    }
    return UniqueInput(
      row.uniqueness, run: run, holder: holder, existing: row.age == nil ? nil : existing,
      retention: Retention(.days(9)),
      now: now, settings: PlanSample.settings)
  }

  @Test("A request is created, dropped, takes a place or changes what waits", arguments: UniqueCase.all)
  func decides(_ row: UniqueCase) {
    let input = input(row)
    switch planUnique(input) {
    case .create(let run, let ledger, let cancelled):
      #expect(row.expected == (cancelled == nil ? "create" : "replace"))
      #expect(run == input.run)
      #expect((ledger.run, ledger.createdAt) == (run.id, now))
      #expect(ledger.expireAt == now + .days(90))
      if let cancelled {
        #expect((cancelled.status, cancelled.expireAt) == (.cancelled, now + .days(9)))
        #expect(cancelled.id == input.existing?.id)
        #expect(cancelled.reason?.contains(run.id.rawValue) == true)
      }
    case .update(let run):
      #expect(row.expected == "update")
      #expect((run.id, run.input) == (input.existing?.id, input.run.input))
    case .keep(let id):
      #expect(row.expected == "keep")
      #expect(id == input.holder?.run)
    }
  }

  @Test("The later request moves the start, and never to an earlier time")
  func later() {
    let row = UniqueCase(.keepLater, .scheduled, "update")
    guard case .update(let moved) = planUnique(input(row, start: .seconds(60), existingStart: .seconds(30))),
      case .update(let kept) = planUnique(input(row, start: .seconds(10), existingStart: .seconds(30)))
    else {
      Issue.record("The run was not changed.")
      return
    }
    #expect((moved.notBefore, moved.scheduledFor) == (now + .seconds(60), now + .seconds(60)))
    #expect((moved.reenqueues, kept.reenqueues) == (1, 0))
    #expect(kept.notBefore == now + .seconds(30))
  }

  @Test("A key is kept for its window, if that is longer")
  func expiry() {
    let row = UniqueCase(.drop, window: .days(200), nil, age: nil, "create")
    guard case .create(_, let ledger, nil) = planUnique(input(row, start: .days(10))) else {
      Issue.record("The run was not created.")
      return
    }
    #expect(ledger.expireAt == now + .days(210))
  }
}
