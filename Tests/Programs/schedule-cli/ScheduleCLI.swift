import CloudJobsCore

/// A command line over schedules and time zones, for comparing results with those of other implementations.
///
/// Each input line, `mode⇥expression⇥zone⇥seconds`, produces one output line: a time in seconds since 1970, `never`
/// or `error⇥message`. The modes are `next`, `previous`, `unix` (the next time, with the text parsed as Cloud Scheduler
/// does), `offset` (the zone's offset; the expression is ignored) and `summary`. `--rate <expression> <zone>` prints
/// the number of next times that this machine computes in a second.
@main
enum ScheduleCLI {
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
      throw JobError(.invalidField, "Expected four tab-separated fields: mode, expression, zone, seconds.")
    }
    let zone = try ZoneCatalog.system.zone(named: parts[2])
    let time = Timestamp(seconds: seconds)
    switch parts[0] {
    case "next": return text(try Schedule(parsing: parts[1], in: zone).next(after: time))
    case "previous": return text(try Schedule(parsing: parts[1], in: zone).previous(before: time))
    case "unix": return text(try Schedule.unixCron(parts[1], in: zone).next(after: time))
    case "offset": return String(zone.offset(at: time))
    case "summary": return try Schedule(parsing: parts[1], in: zone).summary
    default: throw JobError(.invalidField, "Unknown mode: use next, previous, unix, offset or summary.")
    }
  }

  private static func text(_ time: Timestamp?) -> String {
    time.map { String($0.seconds) } ?? "never"
  }

  /// Measures the rate of computing next times, each from the one before, starting in 2026.
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
