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

  /// The maximum number of times of a calendar.
  static let timeLimit = 60_000
  /// The maximum number of jobs in an hour, and of times of a job in an hour that are named.
  private static let (entryLimit, namedLimit) = (30, 6)
  /// The maximum number of jobs in the list of totals.
  private static let totalLimit = 50

  var heat: HeatTable?
  var hours: [Hour]
  var isDay: Bool
  var hasTotals: Bool
  var totals: [JobTotal]
  var omitted: String?
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
    let planned = PlannedRuns(of: all, from: query.start, before: query.end, limit: Self.timeLimit)
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
    }
    let byCount = planned.jobs.sorted { ($1.times.count, $0.job) < ($0.times.count, $1.job) }
    totals = byCount.prefix(Self.totalLimit).compactMap { job in
      job.times.first.map { first in
        JobTotal(
          totalJob: job.job.rawValue, totalHref: link(query.first, query.span, job: job.job.rawValue),
          totalRuns: PageNumber.text(job.times.count), totalFirst: context.time(first))
      }
    }
    hasTotals = !totals.isEmpty
    omitted = Self.omitted(planned.omitted)
    refusalText = query.refusal
    let last = CivilDate(daysSinceEpoch: query.next.daysSinceEpoch - 1)
    range = isDay ? "\(query.first)" : "\(query.first) to \(last)"
    count = PageNumber.text(planned.count, "planned run")
    isEmpty = planned.count == 0 && planned.omitted.isEmpty
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

  private static func omitted(_ jobs: [JobID]) -> String? {
    if jobs.isEmpty { return nil }
    let names = jobs.prefix(6).map(\.rawValue).joined(separator: ", ")
    let more = jobs.count > 6 ? " and \(jobs.count - 6) more" : ""
    return "Due too often to be counted here: \(names)\(more). Choose a shorter time, or one of them."
  }

  /// Returns the hours of a day with the jobs that are due in each.
  private static func hours(_ planned: PlannedRuns, _ query: CalendarQuery, _ context: DashboardContext) -> [Hour] {
    var hours: [Int64: [JobID: [Timestamp]]] = [:]
    for job in planned.jobs {
      for time in job.times {
        // By the hour of the zone's clock, so that an hour that repeats is there twice.
        let second = Int64(query.zone.secondOfDay(at: time))
        let start = time.seconds - second % 3_600
        hours[start, default: [:]][job.job, default: []].append(time)
      }
    }
    return hours.sorted { $0.key < $1.key }.map { start, jobs in
      let entries = jobs.sorted { ($0.value[0], $0.key) < ($1.value[0], $1.key) }.prefix(entryLimit).map { job, times in
        let named = times.prefix(namedLimit).map { clock($0, in: query.zone) }.joined(separator: ", ")
        let more = times.count > namedLimit ? " and \(times.count - namedLimit) more" : ""
        return Entry(
          entryJob: job.rawValue, entryHref: context.link("jobs", job.rawValue).href, entryTimes: named + more)
      }
      return Hour(
        hourText: clock(Timestamp(seconds: start), in: query.zone),
        hourCount: PageNumber.text(jobs.values.reduce(0) { $0 + $1.count }, "run"), entries: Array(entries))
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
