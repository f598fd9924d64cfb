/// The account of a limit: who holds permits, who waits, and how many attempts started recently.
///
/// Starts are counted in buckets of a sixty-fourth of the period. A start counts until the end of its bucket is a
/// period ago, so that no sliding period ever has more starts than the limit allows, and the account is small for any
/// limit. Neighbours that have at most a sixty-fourth of the allowed starts together become one, so that the account of
/// a limit that is far from reached has few.
///
/// The starts of the latest change have no bucket yet: they took place at the time of that change, which a store may
/// know only afterwards.
public struct LimitLedger: Hashable, Sendable {
  /// The runs that hold permits, with the time at which each permit expires.
  public var holders: [RunID: Timestamp] = [:]
  /// The runs for which a permit is kept, with the time until which it is: they were woken, and have not come yet.
  public var reserved: [RunID: Timestamp] = [:]
  /// The runs that wait for a permit: higher priority first, then the longest wait; at most ``maximumWaiters``.
  public var waiters: [RunID] = []
  /// The priorities of those that wait, apart from 0.
  public var priorities: [RunID: Int] = [:]
  /// Whether further runs wait that are not listed.
  public var hasMoreWaiters = false
  /// The number of starts by the end of their bucket.
  public var starts: [Timestamp: Int] = [:]
  /// The number of starts in the latest change.
  public var newStarts = 0
  /// The number of starts that were ever counted, so that no change leaves the stored account as it was: a store may
  /// keep the time of the earlier change then.
  public var totalStarts = 0
  /// The period in which starts are counted; nil if they never were.
  public var period: Duration?
  /// The time at which the next run that exceeds the rate tries again.
  public var nextSlot: Timestamp?
  /// The time after which the ledger may be deleted.
  public var expireAt = Timestamp.distantPast

  /// The maximum number of listed runs that wait.
  public static let maximumWaiters = 100
  /// The time for which a ledger without effect is kept.
  static let retention = Duration.days(2)
  /// The delay after which the first run that waits tries again, in case it was not woken.
  static let firstRetry = Duration.seconds(5)
  /// The shortest such delay of the others: the first of them all wakes as many as fit when its attempt ends.
  static let nextRetry = Duration.seconds(15)
  /// The longest such delay of a listed run; one that is not listed waits up to twice as long.
  static let longestRetry = Duration.seconds(60)

  /// Creates an empty account.
  public init() {}
}

extension LimitLedger {
  /// Returns the account after a change: total, and a function of its input alone.
  ///
  /// - Parameters:
  ///   - change: the change.
  ///   - changedAt: the time of the latest change; nil if there was none.
  ///   - now: the time of this change, or an earlier one at which the account was the same.
  /// - Returns: the account.
  /// - Throws: ``LedgerFault``: the change must not be made.
  public func applying(
    _ change: LedgerChange, changedAt: Timestamp?, at now: Timestamp
  ) throws(LedgerFault) -> LimitLedger {
    var ledger = self
    try ledger.apply(change, changedAt: changedAt, at: now)
    return ledger
  }

  /// Changes the account in place, so that nothing is copied; otherwise like ``applying(_:changedAt:at:)``.
  ///
  /// - Parameters:
  ///   - change: the change.
  ///   - changedAt: the time of the latest change; nil if there was none.
  ///   - now: the time of this change, or an earlier one at which the account was the same.
  /// - Throws: ``LedgerFault``: the change must not be made. The account is as it was, without what has expired.
  public mutating func apply(
    _ change: LedgerChange, changedAt: Timestamp?, at now: Timestamp
  ) throws(LedgerFault) {
    refresh(changedAt: changedAt, at: now)
    try applyNext(change, at: now)
  }

  /// Makes a further change of the same commit, of which the first was made by ``apply(_:changedAt:at:)``.
  ///
  /// - Parameters:
  ///   - change: the change.
  ///   - now: the time of the first change.
  /// - Throws: ``LedgerFault``: the change must not be made, and the account is as it was.
  package mutating func applyNext(_ change: LedgerChange, at now: Timestamp) throws(LedgerFault) {
    switch change {
    case .take(let permit):
      if let refusal = refusal(of: permit, at: now) { throw .refused(refusal) }
      waiters.removeAll { $0 == permit.run }
      reserved[permit.run] = nil
      if permit.limit.maxConcurrent != nil { holders[permit.run] = permit.until }
      if let rate = permit.limit.rate {
        joinLastBuckets(rate)
        newStarts += 1
        totalStarts &+= 1
        period = rate.period
      }
    case .give(let runs):
      for run in runs { (holders[run], reserved[run]) = (nil, nil) }
    case .reserve(let permit):
      if holders[permit.run] != nil || refusal(of: permit, at: now) != nil { throw .hasNoRoom }
      reserved[permit.run] = permit.until
    case .enlist(let permit):
      if refusal(of: permit, at: now) == nil { throw .hasRoom }
      enlist(permit, at: now)
    case .dismiss(let runs):
      waiters.removeAll { runs.contains($0) }
      for run in runs { reserved[run] = nil }
    case .list(let runs, let hasMore):
      let room = Self.maximumWaiters - waiters.count
      let missing = runs.filter { !waiters.contains($0) }
      waiters += missing.prefix(room)
      hasMoreWaiters = hasMore || missing.count > room
    }
    if !priorities.isEmpty { priorities = priorities.filter { waiters.contains($0.key) } }
    let lastStart = max(starts.keys.max() ?? now, now)
    let end = max(holders.values.max() ?? now, nextSlot ?? now, lastStart + (period ?? .zero))
    // A whole day, so that few changes of the account change the index of a store too.
    expireAt = Timestamp(seconds: end.seconds.flooringDivision(by: 86_400).quotient * 86_400) + Self.retention
  }

  /// Returns the refusal of a permit, or nil if there is room.
  ///
  /// - Parameters:
  ///   - permit: the permit that is asked for; one that its run holds already does not count.
  ///   - changedAt: the time of the latest change; nil if there was none.
  ///   - now: the time.
  /// - Returns: the refusal, or nil.
  package func refusal(of permit: LimitPermit, changedAt: Timestamp?, at now: Timestamp) -> LimitRefusal? {
    var ledger = self
    ledger.refresh(changedAt: changedAt, at: now)
    return ledger.refusal(of: permit, at: now)
  }

  /// Returns the number of permits that a limit leaves.
  ///
  /// - Parameters:
  ///   - limit: the limit.
  ///   - changedAt: the time of the latest change; nil if there was none.
  ///   - now: the time.
  /// - Returns: the number, from 0.
  package func room(in limit: JobLimit, changedAt: Timestamp?, at now: Timestamp) -> Int {
    var ledger = self
    ledger.refresh(changedAt: changedAt, at: now)
    let places = limit.maxConcurrent.map { $0 - ledger.holders.count - ledger.reserved.count } ?? .max
    return max(0, min(places, limit.rate.map { $0.count - ledger.startCount(in: $0, at: now) } ?? .max))
  }

  /// Whether any run waits.
  package var hasWaiters: Bool { !waiters.isEmpty || hasMoreWaiters }

  /// Removes what has expired, and counts the starts of the latest change in their bucket.
  ///
  /// - Parameters:
  ///   - changedAt: the time of the latest change; nil if there was none.
  ///   - now: the time.
  package mutating func refresh(changedAt: Timestamp?, at now: Timestamp) {
    if !reserved.isEmpty { reserved = reserved.filter { now < $0.value } }
    if holders.contains(where: { $0.value <= now }) { holders = holders.filter { now < $0.value } }
    if newStarts > 0, let period, let changedAt {
      starts[Self.bucketEnd(of: changedAt, period), default: 0] += newStarts
    }
    newStarts = 0
    let span = period ?? .zero
    if starts.contains(where: { $0.key + span <= now }) { starts = starts.filter { now < $0.key + span } }
  }

  private func refusal(of permit: LimitPermit, at now: Timestamp) -> LimitRefusal? {
    let limit = permit.limit
    // A run whose permit is kept gives way to those that execute only.
    let taken = holders.count + (reserved[permit.run] == nil ? reserved.count : 0)
    if let count = limit.maxConcurrent, holders[permit.run] == nil, taken >= count {
      let subject = limit.ledger.rawValue.hasPrefix("group/") ? "the group" : "the job"
      return LimitRefusal(
        limit.ledger, retryAt: now + retryDelay(of: permit.run),
        reason: RunReason.Text.concurrencyReached(count, of: subject))
    }
    if let rate = limit.rate, startCount(in: rate, at: now) >= rate.count {
      return LimitRefusal(
        limit.ledger, retryAt: slot(for: permit.run, rate, at: now),
        reason: RunReason.Text.rateReached(rate))
    }
    return nil
  }

  private mutating func enlist(_ permit: LimitPermit, at now: Timestamp) {
    if waiters.contains(permit.run) { return }
    let isRateReached = permit.limit.rate.map { startCount(in: $0, at: now) >= $0.count } ?? false
    if let rate = permit.limit.rate, isRateReached {
      nextSlot = slot(for: permit.run, rate, at: now) + rate.spacing
    }
    // Those of one priority keep their order.
    let place = waiters.firstIndex { (priorities[$0] ?? 0) < permit.priority } ?? waiters.count
    waiters.insert(permit.run, at: place)
    if permit.priority != 0 { priorities[permit.run] = permit.priority }
    if waiters.count > Self.maximumWaiters {
      priorities[waiters.removeLast()] = nil
      hasMoreWaiters = true
    }
  }

  /// Returns the delay after which a run tries again, by its place among those that wait.
  private func retryDelay(of run: RunID) -> Duration {
    let place = waiters.firstIndex(of: run) ?? waiters.count
    if place == 0 { return Self.firstRetry }
    if place < Self.maximumWaiters { return min(Self.nextRetry + .milliseconds(500 * place), Self.longestRetry) }
    // Runs that are not listed spread over the time, each at a moment of its own.
    let share = Int64(run.rawValue.prefix(4), radix: 16) ?? 0
    return Self.longestRetry + .microseconds(Self.longestRetry.microseconds * share / 0xFFFF)
  }

  /// Returns the time at which a run that exceeds the rate tries again: at the first room, or after those that wait.
  private func slot(for run: RunID, _ rate: RateLimit, at now: Timestamp) -> Timestamp {
    var count = startCount(in: rate, at: now)
    var first = now
    for (end, number) in starts.sorted(by: { $0.key < $1.key }) where count >= rate.count {
      count -= number
      first = end + rate.period
    }
    return waiters.contains(run) ? first : max(first, nextSlot ?? first)
  }

  private func startCount(in rate: RateLimit, at now: Timestamp) -> Int {
    starts.reduce(newStarts) { count, bucket in now < bucket.key + rate.period ? count + bucket.value : count }
  }

  /// Joins the last two buckets if they have few starts: those of the earlier one count a little longer.
  private mutating func joinLastBuckets(_ rate: RateLimit) {
    if starts.count < 2 { return }
    let last = starts.keys.sorted().suffix(2)
    let (earlier, later) = (last[last.startIndex], last[last.startIndex + 1])
    let sum = (starts[earlier] ?? 0) + (starts[later] ?? 0)
    if sum > rate.count / Int(RateLimit.bucketCount) { return }
    (starts[earlier], starts[later]) = (nil, sum)
  }

  /// Returns the end of the bucket of a time.
  private static func bucketEnd(of time: Timestamp, _ period: Duration) -> Timestamp {
    let width = RateLimit(1, per: period).bucketWidth
    let (quotient, remainder) = time.microseconds.flooringDivision(by: width)
    return Timestamp(microseconds: (remainder == 0 ? quotient : quotient + 1) * width)
  }
}

extension LimitLedger {
  init(_ reader: FieldReader) throws(JobError) {
    self.init()
    holders = try Self.table("holders", "microseconds", reader) { Timestamp(microseconds: $0) }
    reserved = try Self.table("reserved", "microseconds", reader) { Timestamp(microseconds: $0) }
    for value in try reader.read("waiters", "a list", { $0.array }) ?? [] {
      guard let run = value.string.flatMap({ try? RunID($0) }) else { throw reader.fault("waiters", "run ids", value) }
      waiters.append(run)
    }
    priorities = try Self.table("priorities", "a number", reader) { Int($0) }
    hasMoreWaiters = try reader.bool("hasMoreWaiters") ?? false
    for (name, value) in try reader.read("starts", "an object", { $0.object }) ?? [:] {
      guard let end = Int64(name), let count = value.integer.flatMap({ Int(exactly: $0) }), count > 0 else {
        throw JobError(.invalidField, "Expected microseconds with a number.", field: "starts.\(name)")
      }
      starts[Timestamp(microseconds: end)] = count
    }
    newStarts = try reader.int("newStarts", 0...Int.max) ?? 0
    totalStarts = try reader.int("totalStarts", 0...Int.max) ?? 0
    period = try reader.long("period").map { .microseconds($0) }
    nextSlot = try reader.timestamp("nextSlot")
    expireAt = try reader.required("expireAt", reader.timestamp("expireAt"))
  }

  /// Reads an object of run ids with whole numbers; empty if there is none.
  private static func table<Value>(
    _ field: String, _ unit: String, _ reader: FieldReader, _ value: (Int64) -> Value
  ) throws(JobError) -> [RunID: Value] {
    var table: [RunID: Value] = [:]
    for (name, number) in try reader.read(field, "an object", { $0.object }) ?? [:] {
      guard let run = try? RunID(name), let number = number.integer else {
        throw JobError(.invalidField, "Expected a run id with \(unit).", field: "\(field).\(name)")
      }
      table[run] = value(number)
    }
    return table
  }

  /// Returns the stored form of a table; nil for an empty one.
  private static func field<Value>(_ table: [RunID: Value], _ number: (Value) -> Int64) -> JSONValue? {
    if table.isEmpty { return nil }
    return .object(Dictionary(uniqueKeysWithValues: table.map { ($0.key.rawValue, .integer(number($0.value))) }))
  }

  var fields: JSONValue {
    var members: [String: JSONValue] = ["kind": "limits", "expireAt": .string(expireAt.description)]
    members["holders"] = Self.field(holders) { $0.microseconds }
    members["reserved"] = Self.field(reserved) { $0.microseconds }
    if !waiters.isEmpty { members["waiters"] = .array(waiters.map { .string($0.rawValue) }) }
    members["priorities"] = Self.field(priorities) { Int64($0) }
    if hasMoreWaiters { members["hasMoreWaiters"] = true }
    if !starts.isEmpty {
      members["starts"] = .object(
        Dictionary(uniqueKeysWithValues: starts.map { ("\($0.key.microseconds)", .integer(Int64($0.value))) }))
    }
    if newStarts > 0 { members["newStarts"] = .integer(Int64(newStarts)) }
    if totalStarts > 0 { members["totalStarts"] = .integer(Int64(totalStarts)) }
    members["period"] = period.map { .integer($0.microseconds) }
    members["nextSlot"] = nextSlot.map { .string($0.description) }
    return .object(members)
  }
}
