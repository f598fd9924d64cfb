/// Jobs that are due at the same minutes.
public struct ScheduleHerd: Hashable, Sendable {
  /// The jobs, in the order of their ids.
  public var jobs: [JobID]
  /// The first minute at which all of them, and no other, are due.
  public var first: Timestamp
  /// The number of such minutes.
  public var count: Int
  /// New schedules that keep each job's period and move the jobs apart; none for jobs that stay.
  public var spread: [ScheduleMove] = []

  /// The number of jobs from which a collision counts as a herd.
  public static let herdSize = 5

  /// Whether so many jobs are due together that they form a herd.
  public var isHerd: Bool { jobs.count >= Self.herdSize }
}

/// A schedule that takes the place of another one, some minutes later, with the same period.
public struct ScheduleMove: Hashable, Sendable {
  /// The job.
  public var job: JobID
  /// The present schedule.
  public var present: String
  /// The suggested cron expression, in the job's time zone.
  public var suggested: String
  /// The number of minutes by which the job runs later.
  public var minutes: Int
}

extension ScheduleHerd {
  /// The maximum number of herds and collisions that a forecast names.
  static let limit = 10
  /// The time that is searched.
  private static let horizon = Duration.days(31)
  /// The shortest period of a job that can collide: one that is always due keeps no distance from others.
  private static let shortestPeriod = Duration.minutes(2)

  /// Returns the herds and collisions of a forecast's jobs, the largest first.
  static func all(in input: ForecastInput) -> [ScheduleHerd] {
    let end = input.start + min(input.span, horizon)
    let timetables = input.jobs.compactMap { Timetable($0.job, from: input.start, to: end) }
    var together: [Int64: [Int]] = [:]
    for (index, timetable) in timetables.enumerated() {
      for minute in timetable.minutes { together[minute, default: []].append(index) }
    }
    var groups: [[Int]: (first: Int64, count: Int)] = [:]
    for (minute, members) in together where members.count > 1 {
      let known = groups[members]
      groups[members] = (min(known?.first ?? minute, minute), (known?.count ?? 0) + 1)
    }
    let sorted = groups.sorted { left, right in
      (-left.key.count, -left.value.count, left.value.first) < (-right.key.count, -right.value.count, right.value.first)
    }
    var chosen: [(members: Set<Int>, herd: ScheduleHerd)] = []
    for (members, group) in sorted where chosen.count < limit {
      if chosen.contains(where: { $0.members.isSuperset(of: members) }) { continue }
      let herd = ScheduleHerd(
        jobs: members.map { timetables[$0].job.id }, first: Timestamp(seconds: group.first * 60), count: group.count)
      chosen.append((Set(members), herd))
    }
    let moves = spread(timetables, moving: chosen.reduce(into: Set()) { $0.formUnion($1.members) })
    return chosen.map { members, herd in
      var herd = herd
      herd.spread = members.sorted().compactMap { moves[$0] }
      return herd
    }
  }

  /// Returns moves that keep jobs apart: each is moved to the minutes of least load, those that can't move first.
  private static func spread(_ timetables: [Timetable], moving: Set<Int>) -> [Int: ScheduleMove] {
    var load = Array(repeating: 0.0, count: Timetable.minutesOfDay)
    var moves: [Int: ScheduleMove] = [:]
    let candidates = timetables.indices.map { moving.contains($0) ? timetables[$0].moves() : [] }
    let order = timetables.indices.sorted { left, right in
      (candidates[left].isEmpty ? 0 : 1, -timetables[left].minutes.count, left)
        < (candidates[right].isEmpty ? 0 : 1, -timetables[right].minutes.count, right)
    }
    for index in order {
      let day = timetables[index].minutesOfDay
      func loadAfter(_ minutes: Int) -> Double {
        day.reduce(0) { $0 + $1.value * load[($1.key + minutes) % load.count] }
      }
      var best = (load: loadAfter(0), move: ScheduleMove?.none)
      for move in candidates[index] where best.load > 0 {
        let found = loadAfter(move.minutes)
        if found < best.load, timetables[index].keepsPeriod(move) { best = (found, move) }
      }
      moves[index] = best.move
      for (minute, weight) in day { load[(minute + (best.move?.minutes ?? 0)) % load.count] += weight }
    }
    return moves
  }

  /// The minutes at which a job is due.
  private struct Timetable {
    static let minutesOfDay = 1_440

    let job: ResolvedJob
    let schedule: Schedule
    let start: Timestamp
    /// The minutes since 1970, in their order.
    let minutes: [Int64]
    /// The part of the job's times that falls on each minute of a day in UTC.
    let minutesOfDay: [Int: Double]

    /// Creates the timetable of a job; nil if it is never due, or almost always.
    init?(_ job: ResolvedJob, from start: Timestamp, to end: Timestamp) {
      guard job.policy.isActive, let schedule = job.schedule, job.kind != .endpoint else { return nil }
      var minutes: [Int64] = []
      var next = firstRun(of: job, after: start - .microseconds(1), under: .masterPass)
      while let time = next, time < end {
        let minute = time.seconds.flooringDivision(by: 60).quotient
        if minute != minutes.last { minutes.append(minute) }
        if minutes.count == 2, .minutes(Int(minutes[1] - minutes[0])) < shortestPeriod { return nil }
        next = schedule.next(after: time)
      }
      if minutes.isEmpty { return nil }
      var parts: [Int: Double] = [:]
      for minute in minutes {
        parts[Int(minute.flooringDivision(by: Int64(Self.minutesOfDay)).remainder), default: 0] +=
          1 / Double(minutes.count)
      }
      (self.job, self.schedule, self.start, self.minutes, minutesOfDay) = (job, schedule, start, minutes, parts)
    }

    /// Returns the cron expressions that are due some minutes later, for all minutes within the period and the hour.
    func moves() -> [ScheduleMove] {
      let fields = cronFields
      guard fields.count == 5 else { return [] }
      let minute = fields[0]
      let rest = fields.dropFirst().joined(separator: " ")
      func move(_ minutes: Int, _ field: String) -> ScheduleMove {
        ScheduleMove(job: job.id, present: schedule.text, suggested: "\(field) \(rest)", minutes: minutes)
      }
      if let number = Int(minute), (0...59).contains(number) {
        return (1..<60).filter { number + $0 < 60 }.map { move($0, "\(number + $0)") }
      }
      // A step: from 0 on, or from another minute.
      let parts = minute.split(separator: "/")
      guard parts.count == 2, let step = Int(parts[1]), step > 1, 60 % step == 0 else { return [] }
      let first = parts[0] == "*" ? 0 : parts[0].hasSuffix("-59") ? Int(parts[0].dropLast(3)) : nil
      guard let first else { return [] }
      return (1..<step).filter { first + $0 < step }.map { move($0, "\(first + $0)-59/\(step)") }
    }

    /// The schedule's five fields of cron; empty if it has no such form.
    private var cronFields: [String] {
      if case .interval(let grid) = schedule.form {
        let (minutes, rest) = grid.step.quotientAndRemainder(dividingBy: 60_000_000)
        guard rest == 0, grid.anchor == .epoch else { return [] }
        if minutes < 60 { return ["*/\(minutes)", "*", "*", "*", "*"] }
        guard minutes % 60 == 0, 1_440 % minutes == 0 else { return [] }
        let hours = minutes / 60
        return ["0", hours == 24 ? "0" : hours == 1 ? "*" : "*/\(hours)", "*", "*", "*"]
      }
      let text = CronParser.macros[schedule.text.lowercased()] ?? schedule.text
      return text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    }

    /// Whether the next times of a move are those of the schedule, the same number of minutes later.
    func keepsPeriod(_ move: ScheduleMove) -> Bool {
      guard let moved = try? Schedule.cron(move.suggested, in: job.zone) else { return false }
      var time = start
      for _ in 0..<5 {
        guard let next = schedule.next(after: time) else { return true }
        let later = next + .minutes(move.minutes)
        guard moved.next(after: later - .microseconds(1)) == later else { return false }
        time = next
      }
      return true
    }
  }
}
