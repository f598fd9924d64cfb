public import Metrics
import Synchronization

/// The metrics of a runtime in memory, which `GET metrics` shows.
///
/// It also takes those of the program, if the program makes it the backend of swift-metrics:
///
/// ```swift
/// MetricsSystem.bootstrap(runtime.metrics)
/// ```
///
/// The number of series is bounded: those beyond are dropped, and `cloud_jobs_metric_series_dropped_total` counts the
/// attempts to add one. Names become valid ones of Prometheus; counters get the suffix `_total`, and timers, which are
/// histograms in seconds, `_seconds`.
public final class MetricRegistry: Sendable {
  /// The maximum number of series by default.
  public static let standardLimit = 10_000
  /// The bounds of timers, in seconds.
  static let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800]
  /// The bounds of recorders, of no unit.
  static let amounts = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000, 1_000_000.0]

  private struct Family {
    var kind: MetricFamily.Kind
    var help: String
    var series: [[MetricFamily.Label]: SeriesHandler] = [:]
  }

  private struct State {
    var families: [String: Family] = [:]
    var seriesCount = 0
    var droppedCount = 0
  }

  private let state = Mutex(State())
  private let limit: Int

  /// Creates a registry without metrics.
  ///
  /// - Parameter limit: the maximum number of series.
  public init(limit: Int = MetricRegistry.standardLimit) {
    self.limit = limit
  }

  /// Returns a series, which is made if it does not exist; one that is dropped if there are too many, or if the name
  /// belongs to a metric of another type.
  func series(
    _ name: String, _ kind: MetricFamily.Kind, help: String? = nil, bounds: [Double] = MetricRegistry.seconds,
    _ dimensions: [(String, String)]
  ) -> SeriesHandler {
    let labels = Self.labels(dimensions)
    return state.withLock { state in
      if let found = state.families[name]?.series[labels], state.families[name]?.kind == kind { return found }
      var family = state.families[name] ?? Family(kind: kind, help: help ?? "A metric of the program.")
      let handler = SeriesHandler(kind, bounds: bounds)
      guard family.kind == kind, state.seriesCount < limit else {
        state.droppedCount += 1
        return handler
      }
      family.series[labels] = handler
      state.families[name] = family
      state.seriesCount += 1
      return handler
    }
  }

  /// Returns the labels of dimensions, by name, each name once.
  private static func labels(_ dimensions: [(String, String)]) -> [MetricFamily.Label] {
    var values: [String: String] = [:]
    for (name, value) in dimensions {
      let name = MetricName.valid(name)
      // The format has them for itself.
      values[name == "le" || name.hasPrefix("__") ? "label_\(name)" : name] = value
    }
    return values.map { MetricFamily.Label($0, $1) }.sorted()
  }

  /// Removes a series.
  private func remove(_ handler: AnyObject) {
    state.withLock { state in
      for (name, family) in state.families {
        guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
        state.families[name]?.series[labels] = nil
        state.seriesCount -= 1
        if family.series.count == 1 { state.families[name] = nil }
        return
      }
    }
  }

  /// All metrics as they are now.
  var families: [MetricFamily] {
    let (families, dropped) = state.withLock { ($0.families, $0.droppedCount) }
    let own = families.map { name, family in
      MetricFamily(
        name: name, kind: family.kind, help: family.help,
        series: family.series.map { MetricFamily.Series(labels: $0, value: $1.value) })
    }
    return own + [
      MetricFamily(
        name: "cloud_jobs_metric_series_dropped_total", kind: .counter,
        help: "The attempts to add a series that were refused, because there are too many or the type differs.",
        series: [.init(Double(dropped))])
    ]
  }
}

extension MetricRegistry: MetricsFactory {
  /// Returns a counter.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(MetricName.valid(label, suffix: "_total"), .counter, dimensions)
  }

  /// Returns a counter of floating-point numbers.
  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(MetricName.valid(label, suffix: "_total"), .counter, dimensions)
  }

  /// Returns a gauge.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(MetricName.valid(label), .gauge, dimensions)
  }

  /// Returns a histogram, or a gauge if values are not aggregated.
  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    series(MetricName.valid(label), aggregate ? .histogram : .gauge, bounds: Self.amounts, dimensions)
  }

  /// Returns a histogram in seconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(MetricName.valid(label, suffix: "_seconds"), .histogram, dimensions)
  }

  /// Removes a counter.
  public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

  /// Removes a counter of floating-point numbers.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

  /// Removes a gauge.
  public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

  /// Removes a histogram or gauge.
  public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

  /// Removes a histogram.
  public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}

/// A series, whatever its type.
final class SeriesHandler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
  private let state: Mutex<MetricFamily.Value>

  /// Creates a series of zero.
  init(_ kind: MetricFamily.Kind, bounds: [Double]) {
    state = Mutex(kind == .histogram ? .histogram(.init(bounds: bounds)) : .number(0))
  }

  /// The value.
  var value: MetricFamily.Value { state.withLock { $0 } }

  private func change(_ change: (Double) -> Double) {
    state.withLock { value in
      if case .number(let number) = value { value = .number(change(number)) }
    }
  }

  private func observe(_ number: Double) {
    state.withLock { value in
      switch value {
      case .number: value = .number(number)
      case .histogram(var histogram):
        // The state has no copy of its own meanwhile, so that nothing is copied.
        value = .number(0)
        histogram.observe(number)
        value = .histogram(histogram)
      }
    }
  }

  func increment(by amount: Int64) { change { $0 + Double(max(0, amount)) } }
  func increment(by amount: Double) { change { $0 + (amount.isFinite ? amount : 0) } }
  func decrement(by amount: Double) { change { $0 - (amount.isFinite ? amount : 0) } }
  func set(_ number: Int64) { change { _ in Double(number) } }
  func set(_ number: Double) { change { _ in number } }
  func record(_ number: Int64) { observe(Double(number)) }
  func record(_ number: Double) { observe(number) }
  func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }

  /// Sets the series to zero.
  func reset() { change { _ in 0 } }
}
