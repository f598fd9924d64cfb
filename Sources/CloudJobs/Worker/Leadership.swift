public import CloudJobsCore
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

/// The instance that leads under a name, as others see it.
public struct LeadershipStatus: Hashable, Sendable {
  /// The term.
  public let term: LeadershipTerm
  /// The time until which the term lasts, by the store's clock, unless it is renewed.
  public let until: Timestamp
}

extension JobRuntime {
  /// Returns the term in which an instance leads under a name, whichever instance that is.
  ///
  /// - Parameter name: the name under which the instances campaign.
  /// - Returns: the term; nil if none leads.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  public func leadership(of name: String) async throws(JobError) -> LeadershipStatus? {
    let reading = try await services.read { () async throws(StoreError) in
      try await services.store.read(jobs: [], runs: [], ledgers: [.leader(name)])
    }
    guard let ledger = reading.ledgers[.leader(name)]?.ledger?.leader, ledger.holder != nil, reading.time < ledger.until
    else { return nil }
    return LeadershipStatus(term: LeadershipTerm(name: name, number: ledger.term), until: ledger.until)
  }

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
  /// then, so that another instance leads after a third of `span` at the latest. If its own task is cancelled, the
  /// operation's task is cancelled too; the call returns what the operation makes of that, and resigns as well.
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
    let campaign = Campaign(services, name, span: max(span, .seconds(1)))
    while let term = await campaign.win() {
      let outcome = await LeadershipWatch(campaign, term).lead { [operation] in
        try await operation(LeadershipTerm(name: name, number: term.number))
      }
      if case .ended(let result) = outcome {
        await campaign.resign()
        return try result.get()
      }
      services.logger.warning("This instance no longer leads, and campaigns again.", metadata: ["name": "\(name)"])
    }
    await campaign.resign()
    throw CancellationError()
  }
}

/// A term that this instance has won.
private struct WonTerm: Sendable {
  var number: Int64
  /// The time for which the instance may act as the leader without a renewal.
  var remaining: Duration
}

/// The candidacy of an instance under a name.
private struct Campaign: Sendable {
  /// What became of an attempt to lead, or to lead on.
  enum Attempt: Sendable {
    /// The instance leads.
    case leads(term: Int64)
    /// Another instance leads, or just became faster.
    case waits(Duration)
    /// The store has not answered.
    case unknown
  }

  let span: Duration
  /// The time for which an instance may act as the leader after the begin of the attempt that made it one; the rest of
  /// the span is left to its operation to end.
  var actingSpan: Duration { span * 3 / 4 }
  var clock: any JobClock { services.clock }

  private let services: RuntimeServices
  private let candidate: String
  private let id: LedgerID

  init(_ services: RuntimeServices, _ name: String, span: Duration) {
    (self.services, self.span) = (services, span)
    candidate = services.options.random.token()
    id = .leader(name)
  }

  /// Waits until the instance leads.
  ///
  /// - Returns: the term; nil if the task is cancelled.
  func win() async -> WonTerm? {
    var held: Int64?
    while !Task.isCancelled {
      let begin = clock.now()
      switch await attempt(holding: held) {
      case .leads(let term):
        // A response that came late leaves too little of the term; it is renewed first.
        let elapsed = max(.zero, clock.now() - begin)
        if elapsed < span / 4 { return WonTerm(number: term, remaining: actingSpan - elapsed) }
        held = term
      case .waits(let wait):
        held = nil
        // The leader may resign at any time.
        try? await clock.sleep(for: max(.milliseconds(50), min(wait, span / 3)))
      case .unknown: try? await clock.sleep(for: span / 10)
      }
    }
    return nil
  }

  /// Leads, or leads on, if possible.
  ///
  /// - Parameter term: the term in which the instance leads already; nil if it does not.
  /// - Returns: what became of the attempt.
  func attempt(holding term: Int64?) async -> Attempt {
    do throws(StoreError) {
      let reading = try await services.client.once { () async throws(StoreError) in
        try await services.store.read(jobs: [], runs: [], ledgers: [id])
      }
      let record = reading.ledgers[id]
      let step = planCampaign(
        record?.ledger?.leader, candidate: candidate, term: term, span: span, at: reading.time)
      switch step {
      case .wait(let until): return .waits(until - reading.time)
      case .lead(let ledger):
        let write = Write.putLedger(id, .leader(ledger), record.map { .version($0.version) } ?? .absent)
        _ = try await services.client.once(.write) { () async throws(StoreError) in
          try await services.store.commit([write])
        }
        return .leads(term: ledger.term)
      }
    } catch {
      // Another candidate was faster, if the write was not this instance's own, whose response was lost.
      return error.code == .conflict && term == nil ? .waits(.zero) : .unknown
    }
  }

  /// Ends the term of this instance, if there is one, also if the task is cancelled.
  func resign() async {
    await withoutCancellation {
      let record = try? await services.client.read(ledgers: [id]).ledgers[id]
      guard let record, var ledger = record.ledger?.leader, ledger.holder == candidate else { return }
      ledger.holder = nil
      _ = try? await services.client.commit([.putLedger(id, .leader(ledger), .version(record.version))])
    }
  }
}

/// The end of an operation in a term.
private enum LeadershipOutcome<Result: Sendable>: Sendable {
  case ended(Swift.Result<Result, any Error>)
  case lost
}

/// The watch over a term: it renews the term while the operation runs, and cancels the operation in time if it can't.
private struct LeadershipWatch: Sendable {
  private enum Event<Result: Sendable>: Sendable {
    case ended(Swift.Result<Result, any Error>)
    case renewalDue
    case attempted(Int, Campaign.Attempt)
    /// The time is over for which the attempt of this number made the instance the leader.
    case expired(Int)
    case cancelled
  }

  private let campaign: Campaign
  private let term: WonTerm

  init(_ campaign: Campaign, _ term: WonTerm) {
    (self.campaign, self.term) = (campaign, term)
  }

  /// Runs an operation in the term.
  ///
  /// Each attempt has a timer from its begin on, and the timer of the last one that succeeded counts: an attempt that
  /// gets no answer does not prolong the term, and no clock that is set back does.
  func lead<Result: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Result
  ) async -> LeadershipOutcome<Result> {
    await withTaskGroup(of: Event<Result>.self) { group in
      group.addTask {
        do { return .ended(.success(try await operation())) } catch { return .ended(.failure(error)) }
      }
      group.addTask { await event(.expired(0), after: term.remaining) }
      group.addTask { await event(.renewalDue, after: campaign.span / 3) }
      var (begun, confirmed) = (0, 0)
      while let event = await group.next() {
        switch event {
        case .ended(let result):
          group.cancelAll()
          return .ended(result)
        case .renewalDue:
          begun += 1
          group.addTask { [begun] in await self.event(.expired(begun), after: campaign.actingSpan) }
          group.addTask { [begun] in .attempted(begun, await campaign.attempt(holding: term.number)) }
        case .attempted(let number, .leads(term.number)):
          confirmed = number
          group.addTask { await self.event(.renewalDue, after: campaign.span / 3) }
        case .attempted(_, .unknown):
          group.addTask { await self.event(.renewalDue, after: campaign.span / 10) }
        case .expired(let number) where number < confirmed: break
        case .cancelled: break
        case .attempted, .expired:
          group.cancelAll()
          return .lost
        }
      }
      return .lost
    }
  }

  private func event<Result: Sendable>(_ event: Event<Result>, after span: Duration) async -> Event<Result> {
    do { try await campaign.clock.sleep(for: span) } catch { return .cancelled }
    return event
  }
}
