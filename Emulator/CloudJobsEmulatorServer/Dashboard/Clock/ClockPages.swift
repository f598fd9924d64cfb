#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The changes of the clock, and the reset.
struct ClockPages: EmulatorPages {
  /// The maximum number of events of one click.
  static let eventLimit = 1_000
  /// The time for which a click waits for deliveries.
  static let patience = Duration.seconds(15)

  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    guard request.path.count == 2 else { return nil }
    let back = Self.back(request.form["from"])
    switch (request.isReading, request.path[1]) {
    case (true, "reset"):
      return context.confirmation(
        "Reset the emulator?",
        "All tasks, queues, scheduler jobs and documents are deleted, the queues of the start are made again, and the "
          + "time is the machine's.",
        verb: "Reset the emulator", action: context.link("clock", "reset").href, back: EmulatorDashboard.path)
    case (false, "reset"):
      try await context.call("POST", ["_emulator", "reset"])
      return context.redirect(to: context.link(), .reset)
    case (false, "freeze"):
      try await context.call("POST", ["_emulator", "freeze"])
      return Self.response(back, .frozen, nil)
    case (false, "unfreeze"):
      try await context.call("POST", ["_emulator", "unfreeze"])
      return Self.response(back, .unfrozen, nil)
    case (false, "advance"):
      guard let span = DurationText.parse(request.form["by"] ?? ""), span <= EmulatorAPI.longestAdvance else {
        throw PageFault(
          .badRequest, "That is not a duration of at most 366 days. Give one such as 90s, 15min, 2h 30min or 7d.")
      }
      return try await advance(back) { try await $0.advance(by: span) }
    case (false, "next"): return try await advance(back) { try await $0.advanceToNextEvent() }
    case (false, "idle"):
      return try await advance(back) { try await $0.runUntilIdle(limit: Self.eventLimit, within: .days(31)) }
    default: return nil
    }
  }

  /// Advances the clock, and leads back to the page with what that did.
  private func advance(
    _ back: String, _ body: @escaping @Sendable (LiveEmulator) async throws -> AdvanceReport
  ) async throws(PageFault) -> PageResponse {
    let emulator = context.api.emulator
    let report = await withTaskGroup(of: AdvanceReport?.self) { group in
      group.addTask { try? await body(emulator) }
      group.addTask {
        try? await emulator.clock.sleep(until: emulator.clock.now() + Self.patience)
        return nil
      }
      let report = await group.next() ?? nil
      group.cancelAll()
      return report
    }
    do throws(ServiceFault) {
      try await context.api.makeDurable()
    } catch {
      throw PageFault(.serviceUnavailable, error.message)
    }
    return Self.response(back, report.map(Self.message) ?? .slow, report)
  }

  /// Returns the message about an advance.
  static func message(of report: AdvanceReport) -> EmulatorMessage {
    switch report.end {
    case .reached: .advanced
    case .idle: report.events == 0 ? .nothing : .idle
    case .limit: .limit
    case .later: .later
    }
  }

  private static func response(_ back: String, _ message: EmulatorMessage, _ report: AdvanceReport?) -> PageResponse {
    var link = "\(back)\(back.contains("?") ? "&" : "?")done=\(message.rawValue)"
    if let report { link += "&made=\(report.deliveries.started)&failed=\(report.deliveries.failed)" }
    return PageResponse(redirectTo: link)
  }

  /// Returns the path of the page that a form was on; that of the first page for a text that is none of the dashboard.
  static func back(_ text: String?) -> String {
    guard let text, EmulatorDashboard.isTarget(text), text.utf8.count <= 8_192,
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\\") })
    else { return EmulatorDashboard.path }
    return text
  }
}

/// Durations as people type them.
enum DurationText {
  private static let units: [(names: Set<String>, size: Duration)] = [
    (["ms"], .milliseconds(1)), (["s", "sec", "second", "seconds"], .seconds(1)),
    (["m", "min", "minute", "minutes"], .minutes(1)), (["h", "hour", "hours"], .hours(1)),
    (["d", "day", "days"], .days(1)),
  ]

  /// Returns the duration of a text such as `90s`, `2h 30min` or `1.5s`; nil for one that is none.
  static func parse(_ text: String) -> Duration? {
    if let span = WireDuration.parse(text.trimmingSpaces) { return span >= .zero ? span : nil }
    var total = Duration.zero
    var rest = text.trimmingSpaces[...]
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { ("0"..."9").contains($0) }
      rest = rest.dropFirst(digits.count).drop { $0 == " " }
      let name = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(name.count).drop { $0 == " " }
      guard digits.count <= 9, let count = Int64(digits),
        let unit = units.first(where: { $0.names.contains(name.lowercased()) })
      else { return nil }
      total += unit.size * Int(count)
    }
    return total
  }
}

extension String {
  /// The text without spaces at its ends.
  var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
#endif
