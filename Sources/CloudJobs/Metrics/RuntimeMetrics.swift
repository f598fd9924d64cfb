import CloudJobsCore
import Metrics
import Synchronization

/// What a runtime counts and measures: in its own registry, and by the metrics system of the process.
final class RuntimeMetrics: Sendable {
  /// The registry that `GET metrics` shows.
  let registry = MetricRegistry()
  /// What the last scrape has read from the store.
  let readings = Mutex(StoreReadings())

  /// Adds one to a counter.
  func count(_ metric: RuntimeMetric, _ dimensions: [(String, String)]) {
    registry.series(metric.rawValue, metric.kind, help: metric.help, dimensions).increment(by: Int64(1))
    if let system { system.makeCounter(label: metric.rawValue, dimensions: dimensions).increment(by: 1) }
  }

  /// Adds an observation to a histogram.
  func observe(_ metric: RuntimeMetric, _ duration: Duration, _ dimensions: [(String, String)] = []) {
    let span = max(.zero, duration).microseconds.saturatingMultiplication(by: 1_000)
    registry.series(metric.rawValue, metric.kind, help: metric.help, dimensions).recordNanoseconds(span)
    if let system { system.makeTimer(label: metric.rawValue, dimensions: dimensions).recordNanoseconds(span) }
  }

  /// Counts an event.
  func count(_ event: JobEvent) {
    let job = ("job", event.job.rawValue)
    var labels = [job, ("event", event.name.rawValue)]
    if let skipped = event.skipped {
      labels.append(("reason", skipped.rawValue))
      count(.occurrencesSkipped, [job, ("reason", skipped.rawValue)])
    }
    count(.events, labels)
    if let outcome = event.outcome { count(.runs, [job, ("outcome", outcome)]) }
    if let duration = event.duration { observe(.attemptDuration, duration, [job]) }
  }

  /// The metrics system of the process; nil if it is none, or the registry itself, which would count twice.
  private var system: (any MetricsFactory)? {
    let factory = MetricsSystem.factory
    return factory is NOOPMetricsHandler || factory as AnyObject === registry ? nil : factory
  }
}
