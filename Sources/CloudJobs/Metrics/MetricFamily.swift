/// A metric with all of its series at a moment, as ``PrometheusText`` writes it.
struct MetricFamily: Hashable, Sendable {
  /// The types of the text format.
  enum Kind: String, Hashable, Sendable {
    /// A number that only grows.
    case counter
    /// A number that goes up and down.
    case gauge
    /// Numbers of observations up to some bounds.
    case histogram
  }

  /// A label of a series.
  struct Label: Hashable, Comparable, Sendable {
    /// The name.
    var name: String
    /// The value, any text.
    var value: String

    /// Creates a label.
    init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }

    static func < (left: Label, right: Label) -> Bool {
      (left.name, left.value) < (right.name, right.value)
    }
  }

  /// The observations of a histogram.
  struct Histogram: Hashable, Sendable {
    /// The upper bounds of the buckets, ascending; one more bucket has no bound.
    var bounds: [Double]
    /// The number of observations in each bucket, without those of the buckets before it.
    var counts: [Int]
    /// The sum of all observations.
    var sum = 0.0

    /// Creates a histogram without observations.
    init(bounds: [Double]) {
      self.bounds = bounds
      counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// Adds an observation.
    mutating func observe(_ value: Double) {
      counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
      sum += value
    }
  }

  /// The value of a series.
  enum Value: Hashable, Sendable {
    case number(Double)
    case histogram(Histogram)
  }

  /// A series.
  struct Series: Hashable, Sendable {
    /// The labels, by name.
    var labels: [Label]
    /// The value.
    var value: Value

    /// Creates a series of a number.
    init(_ number: Double, _ labels: Label...) {
      self.init(labels: labels, value: .number(number))
    }

    /// Creates a series.
    init(labels: [Label], value: Value) {
      self.labels = labels
      self.value = value
    }
  }

  /// The name.
  var name: String
  /// The type.
  var kind: Kind
  /// The meaning, in a sentence.
  var help: String
  /// The series.
  var series: [Series]
}

/// Writes metrics in the text format of Prometheus, version 0.0.4: pure.
///
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.
enum PrometheusText {
  /// The content type of the format.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Returns the text of some metrics, by name, and their series by labels; metrics without series are left out.
  static func text(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families.sorted(by: { $0.name < $1.name }) where !family.series.isEmpty {
      text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for series in family.series.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
        write(series, of: family.name, to: &text)
      }
    }
    return text
  }

  private static func write(_ series: MetricFamily.Series, of name: String, to text: inout String) {
    switch series.value {
    case .number(let number): text += line(name, series.labels, number)
    case .histogram(let histogram):
      var count = 0
      for (place, bound) in (histogram.bounds + [.infinity]).enumerated() {
        count += histogram.counts[place]
        text += line("\(name)_bucket", series.labels + [.init("le", number(bound))], Double(count))
      }
      text += line("\(name)_sum", series.labels, histogram.sum)
      text += line("\(name)_count", series.labels, Double(count))
    }
  }

  private static func line(_ name: String, _ labels: [MetricFamily.Label], _ value: Double) -> String {
    let list = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
    return "\(name)\(list.isEmpty ? "" : "{\(list)}") \(number(value))\n"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Returns a number as Go's `ParseFloat` reads it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return Int64(exactly: value).map { abs($0) < 1 << 53 ? String($0) : "\(value)" } ?? "\(value)"
  }
}

/// Makes names valid ones of Prometheus: pure.
///
/// Source: <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>.
enum MetricName {
  /// Returns a name whose invalid characters are underscores.
  ///
  /// - Parameters:
  ///   - text: any text.
  ///   - suffix: what the name ends with; added if it does not.
  /// - Returns: a valid name of a metric, without colons.
  static func valid(_ text: String, suffix: String = "") -> String {
    var name = ""
    for scalar in text.unicodeScalars {
      let isLetter = scalar.isASCII && (scalar.properties.isAlphabetic || scalar == "_")
      let isDigit = ("0"..."9").contains(scalar)
      if isDigit, name.isEmpty { name = "_" }
      name.unicodeScalars.append(isLetter || isDigit ? scalar : "_")
    }
    if name.isEmpty { name = "_" }
    return name.hasSuffix(suffix) ? name : name + suffix
  }
}
