#if Server
import CloudJobsCore

/// Times as browsers' fields of the type `datetime-local` write them.
enum LocalTime {
  /// Returns the time of a text: RFC 3339, or a day with a time of day in a zone; nil for another text.
  ///
  /// - Parameters:
  ///   - text: the text, such as `2026-12-01T09:00`.
  ///   - zone: the zone of a text without an offset; a time that a clock change skips becomes the one after it.
  static func timestamp(_ text: String, in zone: Zone) -> Timestamp? {
    let text = text.replacing(" ", with: "T")
    if text.hasSuffix("Z") || text.dropFirst(16).contains(where: { $0 == "+" || $0 == "-" }) {
      return Timestamp(rfc3339: text)
    }
    let parts = text.split(separator: "T", omittingEmptySubsequences: false)
    guard parts.count == 2, let date = CivilDate(parts[0]) else { return nil }
    let seconds = parts[1].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard (2...3).contains(seconds.count), let hour = seconds[0], let minute = seconds[1], (0...23).contains(hour),
      (0...59).contains(minute), seconds.count < 3 || seconds[2].map({ (0...59).contains($0) }) ?? false
    else { return nil }
    let second = hour * 3_600 + minute * 60 + (seconds.count == 3 ? seconds[2] ?? 0 : 0)
    let guess = zone.startOfDay(date) + .seconds(second)
    // A clock change earlier on the day moves the time of day.
    let shift = second - zone.secondOfDay(at: guess)
    let moved = guess + .seconds(shift)
    return zone.secondOfDay(at: moved) == second && zone.date(at: moved) == date ? moved : guess
  }

  /// Returns the text of a time in a zone, to the minute, or to the second if there are seconds.
  static func text(_ time: Timestamp, in zone: Zone) -> String {
    let second = zone.secondOfDay(at: time)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let text = "\(zone.date(at: time))T\(two(second / 3_600)):\(two(second / 60 % 60))"
    return second % 60 == 0 ? text : "\(text):\(two(second % 60))"
  }
}
#endif
