import CloudJobsCore

/// The limits of the watchdog, a thread that observes Swift's shared pool of threads.
public struct WatchdogLimits: Hashable, Sendable {
  /// The time without an answer after which the pool counts as blocked.
  public var blockedAfter = Duration.milliseconds(250)
  /// The time after an attempt's time limit for which a blocked pool may recover.
  public var grace = Duration.milliseconds(150)
  /// Whether the process exits, with the status ``exitStatus``, when the pool is blocked and an attempt has exceeded
  /// its time limit; otherwise that is only logged.
  public var exitsProcess = true

  /// The status of a process that exits because its pool is blocked: `EX_TEMPFAIL` of `sysexits.h`.
  public static let exitStatus: Int32 = 75

  /// Creates the default limits.
  public init() {}
}

/// The observations of the watchdog, as a pure state machine whose events carry the time of a monotonic clock.
///
/// The pool is blocked while it leaves a heartbeat unanswered: a task that it would execute at once if a thread were
/// free.
struct WatchdogState: Sendable {
  /// An attempt under way.
  struct Attempt: Sendable {
    var claimed: ClaimedRun
    var began: Duration
    var deadline: Duration
    /// Whether it executes on the shared pool.
    var isOnSharedPool: Bool
  }

  /// An action that the watchdog's thread takes.
  enum Action: Sendable {
    /// Send a heartbeat with this number to the pool.
    case beat(Int)
    /// Report that the pool is blocked since a time, presumably by these attempts.
    case reportBlocked([Attempt], for: Duration)
    /// Report that the pool answers again.
    case reportRecovered(after: Duration)
    /// Report that the attempts exceed their time limits while the pool is blocked, and leave the process.
    case leave(overdue: [Attempt])
  }

  /// The time between two checks while attempts are under way.
  static let interval = Duration.milliseconds(100)

  private let limits: WatchdogLimits
  private var attempts: [Int: Attempt] = [:]
  private var lastNumber = 0
  private var lastBeat = 0
  /// The time at which the unanswered heartbeat was sent; nil if the pool has answered.
  private var unansweredSince: Duration?
  private var lastCheck: Duration?
  /// The time since which the pool is reported as blocked; nil if it is not.
  private var reportedSince: Duration?
  private var isLeaving = false

  init(_ limits: WatchdogLimits) {
    self.limits = limits
  }

  /// Whether no attempt is under way and the pool has answered, so that nothing needs to be checked.
  var isIdle: Bool { attempts.isEmpty && unansweredSince == nil && reportedSince == nil }

  /// Adds an attempt.
  ///
  /// - Returns: the number by which it is ended.
  mutating func begin(_ claimed: ClaimedRun, isOnSharedPool: Bool, at now: Duration) -> Int {
    lastNumber += 1
    attempts[lastNumber] = Attempt(
      claimed: claimed, began: now, deadline: now + claimed.timeLimit, isOnSharedPool: isOnSharedPool)
    return lastNumber
  }

  /// Removes an attempt whose handler has ended.
  mutating func end(_ number: Int) {
    attempts[number] = nil
  }

  /// Handles the pool's answer to a heartbeat.
  mutating func answered(_ beat: Int) {
    if beat == lastBeat { unansweredSince = nil }
  }

  /// Checks the pool and the attempts.
  ///
  /// - Parameter now: the time.
  /// - Returns: the actions to take, in their order.
  mutating func check(at now: Duration) -> [Action] {
    defer { lastCheck = now }
    // After a pause of the whole process, the pool has had no time to answer either.
    let wasPaused = lastCheck.map { now - $0 > Self.interval + limits.blockedAfter } ?? true
    guard let since = unansweredSince else {
      var actions: [Action] = []
      if let reportedSince { actions.append(.reportRecovered(after: now - reportedSince)) }
      reportedSince = nil
      guard !attempts.isEmpty else { return actions }
      lastBeat += 1
      unansweredSince = now
      return actions + [.beat(lastBeat)]
    }
    if wasPaused {
      unansweredSince = now
      return []
    }
    guard now - since >= limits.blockedAfter else { return [] }
    let all = attempts.sorted { $0.key < $1.key }.map(\.value)
    var actions: [Action] = []
    if reportedSince == nil, !attempts.isEmpty {
      reportedSince = since
      let culprits = all.filter { $0.isOnSharedPool && $0.began <= since + Self.interval }
      actions.append(.reportBlocked(culprits, for: now - since))
    }
    let overdue = all.filter { $0.isOnSharedPool && now >= $0.deadline + limits.grace }
    if !overdue.isEmpty, !isLeaving {
      isLeaving = true
      actions.append(.leave(overdue: overdue))
    }
    return actions
  }
}
