import CloudJobs
import CloudJobsCore

/// Each write with each precondition, where the document exists and where it does not.
extension StoreConformance {
  static var preconditionCases: [Case] {
    Subject.allCases.flatMap { subject in
      Demand.allCases.filter { subject.concernsRun || !$0.isFence || $0 == .currentFence }.flatMap { demand in
        [true, false].map { exists in matrixCase(subject, demand, exists: exists) }
      }
    }
  }

  /// A kind of write.
  private enum Subject: String, CaseIterable {
    case putRun, deleteRun, putConfiguration, patchState, deleteJob

    static let job: JobID = "sample"
    static let run = Samples.run("sample", fence: 5)

    var concernsRun: Bool { self == .putRun || self == .deleteRun }
    var deletes: Bool { self == .deleteRun || self == .deleteJob }

    func write(_ precondition: Precondition, mark: String) -> Write {
      switch self {
      case .putRun:
        var run = Self.run
        run.reason = mark
        return .putRun(run, precondition)
      case .deleteRun: return .deleteRun(Self.run.id, precondition)
      case .putConfiguration: return .putConfiguration(Self.job, Samples.configuration(mark), precondition)
      case .patchState:
        var patch = JobStatePatch()
        patch.set(plannedFor: mark)
        return .patchState(Self.job, patch, precondition)
      case .deleteJob: return .deleteJob(Self.job, precondition)
      }
    }

    /// The version and the mark of the document as stored.
    func look(_ fixture: ConformanceFixture) async throws -> (version: Version, mark: String?)? {
      if concernsRun {
        return try await fixture.record(Self.run.id).map { ($0.version, try $0.run.get().reason) }
      }
      return try await fixture.record(Self.job).map { record in
        let document = try record.document.get()
        return (record.version, self == .patchState ? document.state.plannedFor : document.configuration.group)
      }
    }
  }

  /// A kind of precondition.
  private enum Demand: String, CaseIterable {
    case none, absent, currentVersion, staleVersion, currentFence, staleFence, futureFence

    var isFence: Bool { self == .currentFence || self == .staleFence || self == .futureFence }

    func precondition(current: Version, stale: Version) -> Precondition {
      switch self {
      case .none: .none
      case .absent: .absent
      case .currentVersion: .version(current)
      case .staleVersion: .version(stale)
      case .currentFence: .fence(Subject.run.fence)
      case .staleFence: .fence(Subject.run.fence - 1)
      case .futureFence: .fence(Subject.run.fence + 1)
      }
    }

    func refusal(_ subject: Subject, exists: Bool) -> StoreError.Code? {
      if isFence, !subject.concernsRun { return .invalid }
      switch self {
      case .none: return nil
      case .absent: return exists ? .conflict : nil
      case .currentVersion, .currentFence: return exists ? nil : .conflict
      case .staleVersion, .staleFence, .futureFence: return .conflict
      }
    }
  }

  private static func matrixCase(_ subject: Subject, _ demand: Demand, exists: Bool) -> Case {
    let refusal = demand.refusal(subject, exists: exists)
    let place = exists ? "an existing document" : "a deleted document"
    let verdict = refusal.map { "refused as \($0.rawValue)" } ?? "done"
    return Case("\(subject.rawValue) with \(demand.rawValue) on \(place) is \(verdict)") { fixture in
      let maker = subject.concernsRun ? Subject.putRun : subject.deletes ? .putConfiguration : subject
      try await fixture.commit(maker.write(.none, mark: "first"))
      let stale = try await ConformanceFailure.unwrap(subject.look(fixture), "the first version").version
      try await fixture.commit(maker.write(.none, mark: "second"))
      let current = try await ConformanceFailure.unwrap(subject.look(fixture), "the second version").version
      if !exists {
        let deletion = subject.concernsRun ? Subject.deleteRun : .deleteJob
        try await fixture.commit(deletion.write(.none, mark: ""))
      }
      let write = subject.write(demand.precondition(current: current, stale: stale), mark: "third")
      if let refusal {
        try await fixture.refuse(refusal, [write])
        let after = try await subject.look(fixture)
        try ConformanceFailure.expect(after?.version, exists ? current : nil, "the version after a refusal")
        try ConformanceFailure.expect(after?.mark, exists ? "second" : nil, "the document after a refusal")
      } else {
        try await fixture.commit(write)
        let after = try await subject.look(fixture)
        try ConformanceFailure.expect(after?.mark, subject.deletes ? nil : "third", "the document after the write")
        try ConformanceFailure.expect((after == nil) == subject.deletes, "the document exists unless it was deleted")
      }
    }
  }
}
