#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The values of the bar with the clock, which every page has.
struct ClockBar: Sendable {
  /// A duration that a click advances by.
  struct Step: Sendable {
    /// The text of the button.
    var stepLabel: String
    /// The duration in words, for readers who don't see the page.
    var stepName: String
    /// The duration as the form sends it.
    var stepValue: String
  }

  /// The time in RFC 3339.
  var clockMachine: String
  /// The time in words.
  var clockExact: String
  /// The kind of the state, a class of the style sheet.
  var clockKind: String
  /// The state in words.
  var clockState: String
  /// Whether the clock stands.
  var isFrozen: Bool
  /// The time of the next attempt; nil if none follows by time alone.
  var nextEvent: PageTime?
  /// Whether the next attempt is due already, which starts it only if the clock runs.
  var isDue: Bool
  /// The path of the page, to which a change of the clock returns.
  var returnPath: String
  /// The path of the pages of the clock.
  var clockPath: String
  /// The durations that a click advances by.
  let steps = [
    Step(stepLabel: "1 s", stepName: "1 second", stepValue: "1s"),
    Step(stepLabel: "1 min", stepName: "1 minute", stepValue: "1min"),
    Step(stepLabel: "10 min", stepName: "10 minutes", stepValue: "10min"),
    Step(stepLabel: "1 h", stepName: "1 hour", stepValue: "1h"),
    Step(stepLabel: "1 d", stepName: "1 day", stepValue: "1d"),
  ]

  /// Creates the values.
  ///
  /// - Parameters:
  ///   - status: the emulator's clock.
  ///   - request: the request for the page.
  init(_ status: ClockStatus, _ request: DashboardRequest) {
    clockMachine = "\(status.now)"
    clockExact = PageTime.exact(status.now)
    isFrozen = status.isFrozen
    (clockKind, clockState) = Self.state(of: status)
    nextEvent = status.nextEvent.map { PageTime($0, now: status.now) }
    isDue = status.nextEvent.map { $0 <= status.now } ?? false
    clockPath = EmulatorDashboard.path + "/clock"
    returnPath = Self.returnPath(of: request)
  }

  /// Returns the kind and the words of the state of a clock.
  static func state(of status: ClockStatus) -> (kind: String, words: String) {
    if status.isFrozen { return ("paused", "frozen") }
    let ahead = status.ahead
    // The two clocks are not read at the same instant.
    if ahead > .seconds(-1), ahead < .seconds(1) { return ("good", "the machine's time") }
    return ahead > .zero
      ? ("warn", "\(PageNumber.text(.seconds(ahead.components.seconds))) ahead")
      : ("warn", "\(PageNumber.text(.seconds(-ahead.components.seconds))) behind")
  }

  /// Returns the path and query of a page without what it says about an earlier change.
  static func returnPath(of request: DashboardRequest) -> String {
    guard request.isReading else { return EmulatorDashboard.path }
    var link = request.path.reduce(PageLink(EmulatorDashboard.path)) { $0.appending($1) }
    for name in ["after", "show", "q", "as"] { link = link.with(name, request.query[name]) }
    return link.href
  }
}
#endif
