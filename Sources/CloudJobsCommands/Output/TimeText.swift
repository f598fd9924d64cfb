import CloudJobsCore

/// Times as people read them, in a zone.
struct TimeText {
  let zone: Zone

  /// Returns a time to the second, such as `2026-11-27 09:00:00 +01:00`; a dash for none.
  func text(_ time: Timestamp?) -> String {
    guard let time else { return "-" }
    let second = zone.secondOfDay(at: time)
    let offset = Int(zone.offset(at: time))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
    let size = abs(offset) / 60
    let shift = offset == 0 ? "Z" : "\(offset < 0 ? "-" : "+")\(two(size / 60)):\(two(size % 60))"
    return "\(zone.date(at: time)) \(clock) \(shift)"
  }

  /// Returns a stored time as ``text(_:)``; other text as it is.
  func text(_ value: JSONValue?) -> String {
    guard let text = value?.string else { return "-" }
    // A day is a day in the job's own zone.
    guard text.contains("T"), let time = Timestamp(rfc3339: text) else { return text }
    return self.text(time)
  }

  /// Returns a sentence with its times in this zone, where they stand as `2026-11-27T08:00:00Z`.
  func rewriting(_ sentence: String) -> String {
    var words: [String] = []
    for word in sentence.split(separator: " ", omittingEmptySubsequences: false) {
      let core = word.prefix { $0.isNumber || "-:.TZ+".contains($0) }
      // A full stop or a colon behind a time belongs to the sentence.
      let text = core.last == "." || core.last == ":" ? core.dropLast() : core
      if text.count >= 20, text.contains("T"), let time = Timestamp(rfc3339: text) {
        words.append(self.text(time) + word.dropFirst(text.count))
      } else {
        words.append(String(word))
      }
    }
    return words.joined(separator: " ")
  }
}
