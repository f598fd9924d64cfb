/// Puts the times of a schedule's day into plain English.
enum TimeSummary {
  /// The text, and whether it means the same in every zone.
  static func text(of times: TimeOfDayRule) -> (text: String, isSameInEveryZone: Bool) {
    switch times {
    case .steps(let steps):
      let interval = every(steps.step)
      if steps.start == 0, steps.end == 86_399 { return ("\(interval), counted from midnight", false) }
      return ("\(interval) from \(clock(steps.start)) to \(clock(steps.end))", false)
    case .fields(let fields):
      return text(of: fields)
    }
  }

  private static let allHours = UInt64(bits: 0...23)
  private static let allMinutes = UInt64(bits: 0...59)

  private static func text(of fields: ClockFields) -> (text: String, isSameInEveryZone: Bool) {
    let hours = fields.hours.members
    let minutes = fields.minutes.members
    let seconds = fields.seconds.members
    if fields.seconds == 1 {
      if let step = cycle(minutes, of: 60), fields.hours == allHours, step < 60 { return (every(step * 60), true) }
      if minutes == [0], let step = cycle(hours, of: 24), step < 24 { return (every(step * 3_600), false) }
      if let window = window(hours, minutes) { return (window, false) }
    } else if let step = cycle(seconds, of: 60), fields.minutes == allMinutes, fields.hours == allHours, step < 60 {
      return (every(step), true)
    }
    if hours.count * minutes.count * seconds.count <= 6 {
      let times = hours.flatMap { hour in
        minutes.flatMap { minute in seconds.map { hour * 3_600 + minute * 60 + $0 } }
      }
      return ("at \(ScheduleSummary.list(times.map(clock)))", false)
    }
    return (general(fields, hours, minutes, seconds), false)
  }

  /// Minutes in equal steps over hours in a row: `every 15 minutes from 09:00 to 17:45`.
  private static func window(_ hours: [Int], _ minutes: [Int]) -> String? {
    guard let first = hours.first, let last = hours.last, hours.count == last - first + 1, hours.count < 24,
      let step = cycle(minutes, of: 60), let lastMinute = minutes.last, hours.count > 1 || minutes.count > 1
    else { return nil }
    return "\(every(step * 60)) from \(clock(first * 3_600)) to \(clock(last * 3_600 + lastMinute * 60))"
  }

  private static func general(_ fields: ClockFields, _ hours: [Int], _ minutes: [Int], _ seconds: [Int]) -> String {
    var parts: [String] = []
    if fields.seconds == allMinutes {
      parts.append("every second")
    } else if fields.seconds != 1 {
      parts.append("at \(noun("second", seconds))")
    }
    if fields.minutes == allMinutes {
      parts.append(parts.isEmpty ? "every minute" : "of every minute")
    } else {
      parts.append(parts.isEmpty ? "at \(noun("minute", minutes))" : "of \(noun("minute", minutes))")
    }
    parts.append(fields.hours == allHours ? "of every hour" : "of \(noun("hour", hours))")
    return parts.joined(separator: " ")
  }

  private static func noun(_ name: String, _ numbers: [Int]) -> String {
    "\(name)\(numbers.count == 1 ? "" : "s") \(ScheduleSummary.ranges(numbers) { "\($0)" })"
  }

  /// The step of numbers that divide a whole into equal parts from 0 on, or nil.
  private static func cycle(_ numbers: [Int], of whole: Int) -> Int? {
    guard whole % numbers.count == 0 else { return nil }
    let step = whole / numbers.count
    return numbers.enumerated().allSatisfy { $0.element == $0.offset * step } ? step : nil
  }

  private static func every(_ seconds: Int) -> String {
    "every \(ScheduleSummary.singular(IntervalText.words(microseconds: Int64(seconds) * 1_000_000)))"
  }

  /// `09:00`, or `09:00:30` where there are seconds.
  private static func clock(_ second: Int) -> String {
    var text: [UInt8] = []
    Timestamp.appendDigits(second / 3_600, width: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    Timestamp.appendDigits(second / 60 % 60, width: 2, to: &text)
    if second % 60 != 0 {
      text.append(UInt8(ascii: ":"))
      Timestamp.appendDigits(second % 60, width: 2, to: &text)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
