import Metrics
import Testing

@testable import CloudJobs

@Suite("Text format of Prometheus")
struct PrometheusTextTests {
  private static func histogram(_ values: [Double]) -> MetricFamily.Value {
    var histogram = MetricFamily.Histogram(bounds: [0.1, 1])
    for value in values { histogram.observe(value) }
    return .histogram(histogram)
  }

  @Test("Metrics are sorted by name, and series by labels; those without series are left out")
  func order() {
    let text = PrometheusText.text([
      MetricFamily(name: "b", kind: .gauge, help: "Second.", series: [.init(1.5)]),
      MetricFamily(name: "c", kind: .gauge, help: "Nothing.", series: []),
      MetricFamily(
        name: "a_total", kind: .counter, help: "First.",
        series: [.init(2, .init("job", "y")), .init(1, .init("job", "x"), .init("why", "z"))]),
    ])
    #expect(
      text == """
        # HELP a_total First.
        # TYPE a_total counter
        a_total{job="x",why="z"} 1
        a_total{job="y"} 2
        # HELP b Second.
        # TYPE b gauge
        b 1.5

        """)
  }

  @Test("The buckets of a histogram are cumulative and end with +Inf")
  func histograms() {
    let series = MetricFamily.Series(
      labels: [.init("job", "a")], value: Self.histogram([0.05, 0.1, 0.5, 7]))
    let text = PrometheusText.text([MetricFamily(name: "h", kind: .histogram, help: "H.", series: [series])])
    #expect(
      text.split(separator: "\n").dropFirst(2) == [
        #"h_bucket{job="a",le="0.1"} 2"#, #"h_bucket{job="a",le="1"} 3"#, #"h_bucket{job="a",le="+Inf"} 4"#,
        #"h_sum{job="a"} 7.65"#, #"h_count{job="a"} 4"#,
      ])
  }

  @Test("Texts are escaped: quotes in labels only")
  func escapes() {
    let family = MetricFamily(
      name: "m", kind: .gauge, help: "a\\b\n\"c\"", series: [.init(0, .init("l", "a\\b\n\"é\""))])
    #expect(
      PrometheusText.text([family]) == """
        # HELP m a\\\\b\\n"c"
        # TYPE m gauge
        m{l="a\\\\b\\n\\"é\\""} 0

        """)
  }

  @Test(
    "Numbers are ones that Go reads",
    arguments: [
      (0, "0"), (-3, "-3"), (1.5, "1.5"), (1e15, "1000000000000000"), (1e300, "1e+300"), (1e-7, "1e-07"),
      (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    ] as [(Double, String)])
  func numbers(value: Double, text: String) {
    #expect(PrometheusText.number(value) == text)
  }

  @Test(
    "Names become valid ones",
    arguments: [
      ("http.requests", "_total", "http_requests_total"), ("a_total", "_total", "a_total"), ("9é-x", "", "_9__x"),
      ("", "", "_"),
    ])
  func names(text: String, suffix: String, name: String) {
    #expect(MetricName.valid(text, suffix: suffix) == name)
  }
}

@Suite("Metric registry")
struct MetricRegistryTests {
  private func text(_ registry: MetricRegistry) -> [Substring] {
    PrometheusText.text(registry.families).split(separator: "\n").filter { !$0.hasPrefix("#") }
  }

  @Test("It is a backend of swift-metrics for metrics of all types")
  func types() {
    let registry = MetricRegistry()
    Counter(label: "hits", dimensions: [("le", "1"), ("b", "x")], factory: registry).increment(by: 3)
    Counter(label: "hits", dimensions: [("b", "x"), ("le", "1")], factory: registry).increment()
    FloatingPointCounter(label: "paid_total", factory: registry).increment(by: 1.5)
    Meter(label: "level", factory: registry).set(7)
    Gauge(label: "height", factory: registry).record(2.5)
    Recorder(label: "sizes", factory: registry).record(60)
    Timer(label: "calls", factory: registry).recordMilliseconds(20)
    let lines = text(registry)
    #expect(lines.contains(#"hits_total{b="x",label_le="1"} 4"#))
    #expect(lines.contains("paid_total 1.5") && lines.contains("level 7") && lines.contains("height 2.5"))
    #expect(lines.contains(#"sizes_bucket{le="50"} 0"#) && lines.contains(#"sizes_bucket{le="100"} 1"#))
    #expect(lines.contains(#"calls_seconds_bucket{le="0.01"} 0"#) && lines.contains("calls_seconds_sum 0.02"))
  }

  @Test("Series beyond the limit, and those of another type, are dropped and counted; a destroyed one makes room")
  func limit() {
    let registry = MetricRegistry(limit: 2)
    let first = Counter(label: "a", dimensions: [("n", "1")], factory: registry)
    first.increment()
    Counter(label: "a", dimensions: [("n", "2")], factory: registry).increment()
    Counter(label: "a", dimensions: [("n", "3")], factory: registry).increment()
    #expect(text(registry).filter { $0.hasPrefix("a_total") }.count == 2)
    #expect(text(registry).contains("cloud_jobs_metric_series_dropped_total 1"))
    first.destroy()
    Meter(label: "a_total", factory: registry).set(1)
    Counter(label: "a", dimensions: [("n", "3")], factory: registry).increment()
    #expect(text(registry).filter { $0.hasPrefix("a_total") } == [#"a_total{n="2"} 1"#, #"a_total{n="3"} 1"#])
    #expect(text(registry).contains("cloud_jobs_metric_series_dropped_total 2"))
  }
}
