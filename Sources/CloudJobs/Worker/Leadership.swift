import CloudJobsCore
import Logging

/// A term in which this instance leads those that campaign under the same name.
public struct LeadershipTerm: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The number of the term, greater than that of every earlier one.
  ///
  /// It is a fencing token: a system outside can refuse what comes with a lower number than it has seen, from an
  /// instance that was stopped for long and does not know yet that another one leads.
  public let number: Int64
}

extension JobRuntime {
  /// Runs an operation while this instance leads: of all instances of the store that call this with one name, one
  /// executes its operation at a time.
  ///
  /// Jobs need no leader: each run is claimed by a conditional write. This is for what the program does besides, such
  /// as a subscription that may exist only once.
  ///
  /// It waits until this instance leads. While the operation runs, the term is renewed; if that fails for so long that
  /// another instance may lead soon, the operation's task is cancelled, and once it has returned, the instance
  /// campaigns again. The operation should therefore end soon after its cancellation: one that goes on for longer than
  /// a quarter of `span` may overlap with that of another instance.
  ///
  /// The call returns when the operation has returned in a term that was not lost, or throws its error. It resigns
  /// then, so that another instance leads after a third of `span` at the latest. It does the same if its own task is
  /// cancelled.
  ///
  /// - Parameters:
  ///   - name: the name under which the instances campaign.
  ///   - span: the length of a term without renewal, at least a second: the time after which another instance leads if
  ///     this one dies. The term is renewed after a third of it, each time with one write.
  ///   - operation: the operation.
  /// - Returns: the operation's result.
  /// - Throws: the operation's error; `CancellationError` if the task is cancelled before the instance leads.
  public func whileLeading<Result: Sendable>(
    _ name: String, for span: Duration = .seconds(15),
    _ operation: @escaping @Sendable (LeadershipTerm) async throws -> Result
  ) async throws -> Result {
    var campaign = Campaign(services, name, span: max(span, .seconds(1)))
    while true {
      let term = try await campaign.win()
      let outcome = await lead(campaign, term, operation)
      guard case .lost = outcome, !Task.isCancelled else {
        await campaign.resign()
        switch outcome {
        case .ended(let result): return try result.get()
        case .lost: throw CancellationError()
        }
      }
      services.logger.warning("This instance no longer leads, and campaigns again.", metadata: ["name": "\(name)"])
    }
  }

  private func lead<Result: Sendable>(
    _ campaign: Campaign, _ term: LeadershipTerm,
    _ operation: @escaping @Sendable (LeadershipTerm) async throws -> Result
  ) async -> LeadershipOutcome<Result> {
    await withTaskGroup(of: LeadershipOutcome<Result>?.self) { group in
      group.addTask {
        do { return .ended(.success(try await operation(term))) } catch { return .ended(.failure(error)) }
      }
      group.addTask {
        var campaign = campaign
        await campaign.renewUntilLost()
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      if let first { return first }
      // The term is lost: what the operation still returns was made by one that may not lead any more.
      _ = await group.next()
      return .lost
    }
  }
}

/// The end of an operation in a term.
private enum LeadershipOutcome<Result: Sendable>: Sendable {
  case ended(Swift.Result<Result, any Error>)
  case lost
}

/// The candidacy of an instance under a name.
private struct Campaign: Sendable {
  private let services: RuntimeServices
  private let name: String
  private let span: Duration
  private let candidate: String
  private var term: Int64?
  /// The local time until which the instance may act as the leader.
  private var end = Timestamp.distantPast

  private var id: LedgerID { .leader(name) }
  private var clock: any JobClock { services.clock }

  init(_ services: RuntimeServices, _ name: String, span: Duration) {
    (self.services, self.name, self.span) = (services, name, span)
    candidate = services.options.random.token()
  }

  /// Waits until the instance leads.
  ///
  /// - Throws: `CancellationError` if the task is cancelled.
  mutating func win() async throws -> LeadershipTerm {
    term = nil
    while true {
      try Task.checkCancellation()
      let wait = await step()
      if let term { return LeadershipTerm(name: name, number: term) }
      // The leader may resign at any time.
      try await clock.sleep(for: max(.milliseconds(50), min(wait, span / 3)))
    }
  }

  /// Renews the term until it is lost or the task is cancelled.
  mutating func renewUntilLost() async {
    // A quarter of the term is left to the operation to end.
    while !Task.isCancelled, clock.now() < end - span / 4 {
      let pause = min(span / 3, end - span / 4 - clock.now())
      guard (try? await clock.sleep(for: pause)) != nil else { return }
      let held = term
      _ = await step()
      if term == nil || term != held { return }
    }
  }

  /// Ends the term.
  func resign() async {
    guard let term else { return }
    let record = try? await services.client.read(ledgers: [id]).ledgers[id]
    guard let record, var ledger = record.ledger?.leader, ledger.term == term else { return }
    ledger.holder = nil
    _ = try? await services.client.commit([.putLedger(id, .leader(ledger), .version(record.version))])
  }

  /// Leads, or leads on, if possible.
  ///
  /// - Returns: the time to wait before the next step.
  private mutating func step() async -> Duration {
    let begin = clock.now()
    do throws(StoreError) {
      let reading = try await services.client.once { [services, id] () async throws(StoreError) in
        try await services.store.read(jobs: [], runs: [], ledgers: [id])
      }
      let record = reading.ledgers[id]
      let step = planCampaign(
        record?.ledger?.leader, candidate: candidate, term: term, span: span, at: reading.time)
      switch step {
      case .wait(let until):
        term = nil
        return until - reading.time
      case .lead(let ledger):
        let write = Write.putLedger(id, .leader(ledger), record.map { .version($0.version) } ?? .absent)
        _ = try await services.client.once(.write) { [services] () async throws(StoreError) in
          try await services.store.commit([write])
        }
        // The term began after the read.
        (term, end) = (ledger.term, begin + span)
        return span / 3
      }
    } catch {
      // Without an answer, the term lasts until its end; the next step finds out what has happened.
      if error.code == .conflict { return .milliseconds(50) }
      return span / 10
    }
  }
}
