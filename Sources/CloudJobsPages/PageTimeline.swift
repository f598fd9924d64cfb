#if Server
package import CloudJobsCore

/// A bar chart of counts over equal spans of time, drawn by the template `timeline` as SVG with a table for readers who
/// don't see it.
package struct PageTimeline: Sendable {
  /// The counts of a span.
  package struct Span: Sendable {
    /// The start.
    package var start: Timestamp
    /// The number of successes, at the bottom of the bar.
    package var succeeded: Int
    /// The number of failures, above it.
    package var failed: Int
    /// The number of others, at the top.
    package var other: Int

    /// Creates counts.
    package init(start: Timestamp, succeeded: Int = 0, failed: Int = 0, other: Int = 0) {
      (self.start, self.succeeded, self.failed, self.other) = (start, succeeded, failed, other)
    }

    var total: Int { succeeded + failed + other }
  }

  /// A bar as the template draws it, in units of the picture.
  struct Bar: Sendable {
    var x: Int
    var width: Int
    var succeededTop: Int
    var succeededHeight: Int
    var failedTop: Int
    var failedHeight: Int
    var otherTop: Int
    var otherHeight: Int
    var label: String
    var succeeded: Int
    var failed: Int
    var other: Int
    var startText: String
  }

  /// A tick of the time axis; all have the same width.
  struct Tick: Sendable {
    var label: String
  }

  /// The height of the area of the bars.
  static let height = 120
  /// The width of the picture.
  static let width = 960

  /// What the chart shows, for readers who don't see it.
  var caption: String
  var bars: [Bar] = []
  var ticks: [Tick] = []
  var highest: String
  var isEmpty: Bool
  let pictureWidth = PageTimeline.width
  let pictureHeight = PageTimeline.height + 1
  let baseline = PageTimeline.height

  /// Creates a chart.
  ///
  /// - Parameters:
  ///   - caption: what it shows.
  ///   - spans: the spans, in order.
  ///   - tickEvery: the number of spans between ticks of the time axis.
  package init(_ caption: String, _ spans: [Span], tickEvery: Int = 3) {
    self.caption = caption
    let top = max(1, spans.map(\.total).max() ?? 1)
    highest = PageNumber.text(top)
    isEmpty = spans.allSatisfy { $0.total == 0 }
    let pitch = Self.width / max(1, spans.count)
    for (index, span) in spans.enumerated() {
      // A count that is not zero is seen.
      func height(_ count: Int) -> Int { count == 0 ? 0 : max(2, count * (Self.height - 8) / top) }
      let (good, bad, rest) = (height(span.succeeded), height(span.failed), height(span.other))
      let text = PageTime.exact(span.start)
      bars.append(
        Bar(
          x: index * pitch + 1, width: max(1, pitch - 2), succeededTop: Self.height - good, succeededHeight: good,
          failedTop: Self.height - good - bad, failedHeight: bad, otherTop: Self.height - good - bad - rest,
          otherHeight: rest,
          label: "\(text): \(span.succeeded) succeeded, \(span.failed) failed, \(span.other) other",
          succeeded: span.succeeded, failed: span.failed, other: span.other, startText: text))
      if index.isMultiple(of: tickEvery) {
        let clock = text.split(separator: " ").dropFirst().first.map { String($0.prefix(5)) } ?? ""
        ticks.append(Tick(label: clock))
      }
    }
  }
}

/// The links below a list that is longer than a page.
package struct PagePager: Sendable {
  /// What the page shows, such as `50 runs`.
  var shown: String
  /// The path of the next page; nil at the end.
  var next: String?
  /// The path of the first page; nil if this is it.
  var first: String?

  /// Creates the links.
  package init(shown: String, next: String?, first: String?) {
    (self.shown, self.next, self.first) = (shown, next, first)
  }
}
#endif
