#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages
import HTTPTypes

/// The page of a forecast.
struct ForecastPages: DashboardPages {
  /// The number of due times from which a forecast is refused, because a request would take too long.
  static let timeLimit = 60_000.0
  /// The number of due times that a forecast has at most, as far as whole days allow, unless a visitor asks for more.
  static let usualTimes = 6_000.0
  /// The number of recent runs of each job that are measured, and that where the store is paid by what it reads.
  private static let (measuredRuns, billedMeasuredRuns) = (50, 20)

  private let context: DashboardContext
  private var runtime: JobRuntime { context.runtime }

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.count == 1 else { return nil }
    var query = ForecastQuery(request.query)
    var (result, refusal) = (ForecastResult?.none, query.refusal)
    if refusal == nil {
      do throws(JobError) {
        result = try await forecast(&query)
      } catch {
        guard error.code != .storeUnavailable, error.code != .overloaded else { throw error }
        refusal = error
      }
    }
    let view = ForecastPageView(
      query, own: runtime.forecastDeployment.kind, result, refusal: refusal, context)
    return context.page(
      view, "forecast", title: "Forecast", segment: "forecast", isLive: false,
      status: refusal == nil ? .ok : .unprocessableContent)
  }

  private func forecast(_ query: inout ForecastQuery) async throws(JobError) -> ForecastResult {
    var options = ForecastOptions()
    options.span = .days(query.days)
    options.measuredRuns = runtime.readsRunsCheaply ? Self.measuredRuns : Self.billedMeasuredRuns
    options.enqueuedPerDay = query.changes?.rates ?? [:]
    options.deployment = query.deployment(
      over: runtime.forecastDeployment, isStoreBilled: !runtime.readsRunsCheaply)
    let known = context.measurements.entry(at: context.now)
    let measuredAt = known?.measuredAt ?? context.now
    options.measurements = known?.jobs ?? [:]
    var (input, measurements) = try await runtime.measuredForecastInput(options)
    context.measurements.keep(MeasurementCache.Entry(jobs: measurements, measuredAt: measuredAt))
    input.jobs.sort { $0.job.id < $1.job.id }
    if !query.hasDays {
      query.days = Self.usualDays(query.days, for: input.estimatedTimes)
      input.span = .days(query.days)
    }
    let changes = query.changes
    try changes?.checkRates(in: input)
    let changed = try changes?.applied(to: input) ?? input
    let times = max(input.estimatedTimes, changed.estimatedTimes)
    guard times <= Self.timeLimit else {
      throw JobError(
        .invalidField,
        "The schedules have about \(Figure.count(times)) due times, which would take too long in a page. Give fewer "
          + "days or longer intervals, or use the command: forecast.", field: "days")
    }
    let isChanged = changes.map { !$0.isEmpty } ?? false
    return try await LongComputation.shared.run { [input] in
      ForecastResult(
        input: changed, forecast: Forecast(changed), before: isChanged ? Forecast(input) : nil,
        measuredAt: measuredAt)
    }
  }

  /// Returns the number of days for which a page is quick.
  ///
  /// - Parameters:
  ///   - days: the number of days that it would have.
  ///   - times: the number of due times in them.
  /// - Returns: the number of days, at least 1.
  static func usualDays(_ days: Int, for times: Double) -> Int {
    times <= usualTimes ? days : max(1, Int(Double(days) * usualTimes / times))
  }
}
#endif
