#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes

/// What a visitor asks the calendar for.
struct CalendarQuery: Sendable {
  /// The length of the calendar.
  enum Span: String, CaseIterable {
    /// Seven days.
    case week
    /// Thirty-one days.
    case month
    /// One day with its times.
    case day

    /// The number of days.
    var days: Int {
      switch self {
      case .week: 7
      case .month: 31
      case .day: 1
      }
    }
  }

  /// The length.
  var span: Span
  /// The first day.
  var first: CivilDate
  /// The zone of the days and hours.
  var zone: Zone
  /// The job; nil for all.
  var job: String?
  /// Why the parameters could not be read; nil if they could.
  var refusal: String?

  /// Reads the parameters of a query; what can't be read is told, and counts as none.
  ///
  /// - Parameters:
  ///   - query: the query.
  ///   - zones: the source of time zones.
  ///   - now: the time of the page.
  init(_ query: PageFields, _ zones: ZoneCatalog, now: Timestamp) {
    span = query["span"].flatMap { Span(rawValue: $0) } ?? .week
    job = query["job"].map { String($0.prefix(128)) }
    zone = .utc
    if let name = query["zone"], name != "UTC" {
      do throws(JobError) {
        zone = try zones.zone(named: name)
      } catch {
        refusal = error.message
      }
    }
    let today = zone.date(at: now)
    first = today
    if let text = query["from"] {
      // A calendar stays within the years that times have.
      if let date = CivilDate(text), (1_970...9_000).contains(date.year) {
        first = date
      } else {
        refusal = "Expected a day such as \(today)."
      }
    }
  }

  /// The beginning.
  var start: Timestamp { zone.startOfDay(first) }
  /// The day after the last one.
  var next: CivilDate { CivilDate(daysSinceEpoch: first.daysSinceEpoch + span.days) }
  /// The end.
  var end: Timestamp { zone.startOfDay(next) }
  /// The first day of the calendar before.
  var previous: CivilDate { CivilDate(daysSinceEpoch: first.daysSinceEpoch - span.days) }
}

/// The values of the calendar.
struct CalendarView: Sendable {
  /// The times of a job in an hour.
  struct Entry: Sendable {
    /// The id of the job.
    var entryJob: String
    /// The path of its page.
    var entryHref: String
    /// The times.
    var entryTimes: String
  }

  /// An hour of a day.
  struct Hour: Sendable {
    /// The hour.
    var hourText: String
    /// The number of runs.
    var hourCount: String
    /// The jobs that are due.
    var entries: [Entry]
    /// How many more jobs are due; nil for none.
    var moreJobs: String?
  }

  /// A job whose times are counted, because it has too many to list.
  struct Band: Sendable {
    /// The id of the job.
    var bandJob: String
    /// The path of its page.
    var bandHref: String
    /// Its schedule in words.
    var bandSchedule: String
    /// The days on which it is due.
    var bandDays: [BandDay]
  }

  /// A day of a job whose times are counted.
  struct BandDay: Sendable {
    /// The day of the week and the date.
    var bandDay: String
    /// The path of the day's times.
    var bandDayHref: String
    /// The number of times.
    var bandCount: String
    /// The first and the last time.
    var bandTimes: String
  }

  /// A job of the calendar.
  struct JobTotal: Sendable {
    /// The id of the job.
    var totalJob: String
    /// The path of the calendar of the job alone.
    var totalHref: String
    /// The number of runs.
    var totalRuns: String
    /// The first time.
    var totalFirst: PageTime
  }

  /// The maximum number of times of a calendar that are listed.
  static let timeLimit = 60_000
  /// The number of times a day from which those of a job are counted: one every five minutes.
  static let dailyLimit = 288
  /// The maximum number of jobs in an hour, and of times of a job in an hour that are named.
  private static let (entryLimit, namedLimit) = (30, 6)
  /// The maximum number of jobs in the list of totals, and of days of jobs whose times are counted.
  private static let (totalLimit, bandLimit) = (50, 160)

  var heat: HeatTable?
  var hours: [Hour]
  var isDay: Bool
  var hasTotals: Bool
  var totals: [JobTotal]
  var moreTotals: String?
  var hasBands: Bool
  var bands: [Band] = []
  var moreBands: String?
  var refusalText: String?
  var range: String
  var count: String
  var action: String
  var spans: [PageChoice]
  var jobs: [PageChoice]
  var zones: [PageChoice]
  var zoneName: String
  var from: String
  var job: String?
  var isEmpty: Bool
  var previousHref: String
  var nextHref: String
  var todayHref: String

  /// Makes the calendar: pure.
  ///
  /// - Parameters:
  ///   - listings: all jobs.
  ///   - query: what is asked for.
  ///   - context: the paths and the time of the page.
  init(_ listings: [JobListing], _ query: CalendarQuery, _ context: DashboardContext) {
    let all = listings.compactMap(\.job).filter { query.job == nil || $0.id.rawValue == query.job }
    let planned = PlannedRuns(
      of: all, from: query.start, before: query.end, limit: Self.timeLimit, dailyLimit: Self.dailyLimit)
    func link(_ from: CivilDate, _ span: CalendarQuery.Span, job: String?) -> String {
      context.link("calendar").with("span", span.rawValue).with("from", "\(from)")
        .with("zone", query.zone.name == "UTC" ? nil : query.zone.name).with("job", job).href
    }
    isDay = query.span == .day
    if isDay {
      hours = Self.hours(planned, query, context)
    } else {
      hours = []
      heat = HeatTable(
        ForecastCalendar(planned.hours, from: planned.start, in: query.zone), "Planned runs an hour",
        href: { link($0, .day, job: query.job) })
      let shown = planned.dense.prefix(max(1, Self.bandLimit / query.span.days))
      bands = shown.map { due in
        Band(
          bandJob: due.job.id.rawValue, bandHref: context.link("jobs", due.job.id.rawValue).href,
          bandSchedule: due.schedule.summary,
          bandDays: Self.days(of: due, query) { link($0, .day, job: due.job.id.rawValue) })
      }
      moreBands = Self.more(planned.dense.count - shown.count)
    }
    hasBands = !bands.isEmpty
    let counts = Self.counts(planned)
    totals = counts.prefix(Self.totalLimit).map { job, tally in
      JobTotal(
        totalJob: job.rawValue, totalHref: link(query.first, query.span, job: job.rawValue),
        totalRuns: PageNumber.text(tally.count), totalFirst: context.time(tally.first))
    }
    moreTotals = Self.more(counts.count - totals.count)
    hasTotals = !totals.isEmpty
    refusalText = query.refusal
    let last = CivilDate(daysSinceEpoch: query.next.daysSinceEpoch - 1)
    range = isDay ? "\(query.first)" : "\(query.first) to \(last)"
    count = PageNumber.text(planned.count, "planned run")
    isEmpty = planned.count == 0
    action = context.link("calendar").href
    spans = CalendarQuery.Span.allCases.map { PageChoice($0.rawValue, isChosen: $0 == query.span) }
    let scheduled = listings.filter { $0.job?.schedule != nil && $0.job?.kind != .endpoint }.map(\.id).prefix(500)
    jobs = scheduled.map { PageChoice($0, isChosen: $0 == query.job) }
    let known = Set(listings.compactMap { $0.job?.zone.name } + ["UTC", query.zone.name]).subtracting(["Etc/UTC"])
    zones = known.sorted().prefix(50).map { PageChoice($0, isChosen: $0 == query.zone.name) }
    zoneName = query.zone.name
    from = "\(query.first)"
    job = query.job.map { BoundedText.cut($0, to: 128) }
    previousHref = link(query.previous, query.span, job: query.job)
    nextHref = link(query.next, query.span, job: query.job)
    todayHref = link(query.zone.date(at: context.now), query.span, job: query.job)
  }

  private static func more(_ count: Int) -> String? {
    count > 0 ? "and \(PageNumber.text(count, "more job"))" : nil
  }

  /// Returns the number of times of each job with the first one, the most times first.
  private static func counts(_ planned: PlannedRuns) -> [(job: JobID, tally: JobTimetable.Tally)] {
    let listed = planned.jobs.compactMap { job in
      job.times.first.map {
        (job: job.job, tally: JobTimetable.Tally(count: job.times.count, first: $0, last: job.times.last ?? $0))
      }
    }
    let dense = planned.dense.compactMap { due in
      due.tally(from: planned.start, before: planned.end).map { (job: due.job.id, tally: $0) }
    }
    return (listed + dense).sorted { ($1.tally.count, $0.job) < ($0.tally.count, $1.job) }
  }

  /// Returns the days on which a job is due whose times are counted.
  private static func days(
    of due: JobTimetable, _ query: CalendarQuery, href: (CivilDate) -> String
  ) -> [BandDay] {
    (0..<query.span.days).compactMap { number in
      let date = CivilDate(daysSinceEpoch: query.first.daysSinceEpoch + number)
      let next = CivilDate(daysSinceEpoch: date.daysSinceEpoch + 1)
      let tally = due.tally(from: query.zone.startOfDay(date), before: query.zone.startOfDay(next))
      return tally.map { tally in
        BandDay(
          bandDay: "\(ForecastCalendar.weekdays[ForecastCalendar.column(date)]) \(date)", bandDayHref: href(date),
          bandCount: PageNumber.text(tally.count, "time"), bandTimes: bounds(tally, in: query.zone))
      }
    }
  }

  private static func bounds(_ tally: JobTimetable.Tally, in zone: Zone) -> String {
    "first \(clock(tally.first, in: zone)), last \(clock(tally.last, in: zone))"
  }

  /// The times of a job in an hour.
  private struct Slot {
    var job: JobID
    var first: Timestamp
    var count: Int
    var text: String
  }

  /// Returns the hours of a day with the jobs that are due in each.
  private static func hours(_ planned: PlannedRuns, _ query: CalendarQuery, _ context: DashboardContext) -> [Hour] {
    // By the hour of the zone's clock, so that an hour that repeats is there twice.
    func hour(of time: Timestamp) -> Int64 { time.seconds - Int64(query.zone.secondOfDay(at: time)) % 3_600 }
    var slots: [Int64: [Slot]] = [:]
    for job in planned.jobs {
      for (start, times) in Dictionary(grouping: job.times, by: hour) {
        let named = times.prefix(namedLimit).map { clock($0, in: query.zone) }.joined(separator: ", ")
        let more = times.count > namedLimit ? " and \(times.count - namedLimit) more" : ""
        slots[start, default: []].append(Slot(job: job.job, first: times[0], count: times.count, text: named + more))
      }
    }
    for due in planned.dense {
      var start = planned.start
      while start < planned.end {
        // A clock change may begin or end an hour within one of UTC.
        let whole = Timestamp(seconds: hour(of: start) + 3_600)
        let end = min(planned.end, query.zone.transition(after: start).map { min(whole, $0.time) } ?? whole)
        if let tally = due.tally(from: start, before: end) {
          let text =
            "\(PageNumber.text(tally.count, "time")), \(due.schedule.summary), \(bounds(tally, in: query.zone))"
          slots[hour(of: start), default: []].append(
            Slot(job: due.job.id, first: tally.first, count: tally.count, text: text))
        }
        start = end
      }
    }
    return slots.sorted { $0.key < $1.key }.map { start, slots in
      let entries = slots.sorted { ($0.first, $0.job) < ($1.first, $1.job) }.prefix(entryLimit).map { slot in
        Entry(
          entryJob: slot.job.rawValue, entryHref: context.link("jobs", slot.job.rawValue).href, entryTimes: slot.text)
      }
      return Hour(
        hourText: clock(Timestamp(seconds: start), in: query.zone),
        hourCount: PageNumber.text(slots.reduce(0) { $0 + $1.count }, "run"), entries: Array(entries),
        moreJobs: more(slots.count - entries.count))
    }
  }

  private static func clock(_ time: Timestamp, in zone: Zone) -> String {
    String(LocalTime.text(time, in: zone).drop { $0 != "T" }.dropFirst())
  }
}

/// The calendar of planned runs.
struct CalendarPages: DashboardPages {
  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.count == 1 else { return nil }
    let listings = try await JobInventory(context.runtime).listings().jobs
    let query = CalendarQuery(request.query, context.runtime.zones, now: context.now)
    let view = try await LongComputation.shared.run { [context] in CalendarView(listings, query, context) }
    return context.page(
      view, "calendar", title: "Calendar", segment: "calendar", isLive: false,
      status: query.refusal == nil ? .ok : .unprocessableContent)
  }
}
#endif
