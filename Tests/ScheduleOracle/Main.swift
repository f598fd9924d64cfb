import CloudJobsCore

/// Answers questions about schedules and zones, so that other programs' answers can be compared with them.
///
/// A line in, `mode⇥expression⇥zone⇥seconds`, gives a line out: a time in seconds since 1970, `never`, or
/// `error⇥message`. The modes are `next`, `previous`, `unix` (next, as Cloud Scheduler takes the text), `offset` (the
/// zone's offset; the expression is ignored) and `summary`. With the argument `--rate` and a line's parts it prints how
/// many `next` a second this machine computes.
@main
enum ScheduleOracle {
  static func main() {
    let arguments = CommandLine.arguments
    if arguments.count >= 4, arguments[1] == "--rate" {
      print(rate(expression: arguments[2], zone: arguments[3], clock: ContinuousClock()))
      return
    }
    while let line = readLine() {
      do {
        print(try answer(line))
      } catch {
        print("error\t\(error.description)")
      }
    }
  }

  private static func answer(_ line: String) throws(JobError) -> String {
    let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 4, let seconds = Int64(parts[3]) else {
      throw JobError(.invalidField, "A line has four parts with tabs between them: mode, expression, zone, seconds.")
    }
    let zone = try ZoneCatalog.system.zone(named: parts[2])
    let time = Timestamp(seconds: seconds)
    switch parts[0] {
    case "next": return text(try Schedule(parsing: parts[1], in: zone).next(after: time))
    case "previous": return text(try Schedule(parsing: parts[1], in: zone).previous(before: time))
    case "unix": return text(try Schedule.unixCron(parts[1], in: zone).next(after: time))
    case "offset": return String(zone.offset(at: time))
    case "summary": return try Schedule(parsing: parts[1], in: zone).summary
    default: throw JobError(.invalidField, "The mode is not known.")
    }
  }

  private static func text(_ time: Timestamp?) -> String {
    time.map { String($0.seconds) } ?? "never"
  }

  /// How many next times a second are computed, each from the one before, from 2026 on.
  private static func rate(expression: String, zone: String, clock: some Clock<Duration>) -> String {
    do {
      let schedule = try Schedule(parsing: expression, in: try ZoneCatalog.system.zone(named: zone))
      let start = Timestamp(seconds: 1_767_225_600)
      var time = start
      let count = 2_000_000
      let elapsed = clock.measure {
        for _ in 0..<count { time = schedule.next(after: time) ?? start }
      }
      let perSecond = Int64(count) * 1_000_000 / max(1, elapsed.microseconds)
      return "\(perSecond) a second, last \(time)"
    } catch {
      return "error\t\(error)"
    }
  }
}
