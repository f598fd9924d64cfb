/// The permits of limits on the walk of a forecast, and the runs that wait for them.
struct ForecastPermits {
  /// The permits of a limit.
  private struct Account {
    /// The number of permits that are taken or kept for a run.
    var taken = 0
    /// The runs that wait, longest first.
    var waiting: [(job: Int, attempt: ForecastWalk.Attempt)] = []
  }

  private var accounts: [LedgerID: Account] = [:]

  /// Returns the first limit that is reached; nil if an attempt may begin.
  func refusal(of limits: [JobLimit]) -> LedgerID? {
    limits.first { limit in
      limit.maxConcurrent.map { (accounts[limit.ledger]?.taken ?? 0) >= $0 } ?? false
    }?.ledger
  }

  /// Takes a permit.
  mutating func take(_ ledger: LedgerID) {
    accounts[ledger, default: Account()].taken += 1
  }

  /// Lets an attempt wait for a permit.
  ///
  /// - Returns: the number of attempts that have waited before it.
  mutating func wait(_ job: Int, _ attempt: ForecastWalk.Attempt, for ledger: LedgerID) -> Int {
    let place = accounts[ledger]?.waiting.count ?? 0
    accounts[ledger, default: Account()].waiting.append((job, attempt))
    return place
  }

  /// Returns whether the attempt with a ticket still waits for one of some limits.
  func hasWaiting(_ ticket: Int, for limits: [JobLimit]) -> Bool {
    limits.contains { limit in
      accounts[limit.ledger]?.waiting.contains { $0.attempt.ticket == ticket } ?? false
    }
  }

  /// Gives a permit back, and keeps it for the attempt that waits longest for it.
  ///
  /// - Returns: the attempt, and the number of those that waited with it; nil if none waits.
  mutating func giveBack(_ ledger: LedgerID) -> (job: Int, attempt: ForecastWalk.Attempt, waiting: Int)? {
    guard var account = accounts[ledger] else { return nil }
    account.taken -= 1
    defer { accounts[ledger] = account }
    if account.waiting.isEmpty { return nil }
    var woken = account.waiting.removeFirst()
    woken.attempt.reserved = ledger
    account.taken += 1
    return (woken.job, woken.attempt, account.waiting.count + 1)
  }
}
