/// A schedule in words, with its next times: pure.
package struct ScheduleExplanation: Sendable {
  /// A run of a schedule.
  package struct Occurrence: Hashable, Sendable {
    /// The time.
    package var time: Timestamp
    /// What a clock change does to it; nil if none does.
    package var note: String?
  }

  /// The schedule.
  package let schedule: Schedule
  /// The next times, earliest first.
  package let occurrences: [Occurrence]
  /// The days of the clock changes in the year after the start, with what they do to the schedule.
  package let changes: [String]

  /// Creates the explanation of a schedule.
  ///
  /// - Parameters:
  ///   - schedule: the schedule.
  ///   - start: the time after which its times are.
  ///   - count: the number of times.
  package init(of schedule: Schedule, after start: Timestamp, count: Int) {
    self.schedule = schedule
    var occurrences: [Occurrence] = []
    var time = start
    while occurrences.count < count, let next = schedule.next(after: time) {
      occurrences.append(Occurrence(time: next, note: schedule.note(at: next)))
      time = next
    }
    self.occurrences = occurrences
    changes = Self.changes(of: schedule, after: start)
  }

  /// Returns what the clock changes of a year do to a schedule, by asking for its runs around each.
  private static func changes(of schedule: Schedule, after start: Timestamp) -> [String] {
    guard let zone = schedule.zone else { return [] }
    let end = start + .days(366)
    var found: [String] = []
    var time = start
    while let change = zone.transition(after: time), change.time < end {
      time = change.time
      var counts: [(text: String, count: Int)] = []
      var run = schedule.next(after: change.time - .hours(3))
      while let current = run, current < change.time + .hours(4) {
        if let note = schedule.note(at: current) {
          let text = "\(zone.date(at: current)): \(note)"
          if counts.last?.text == text { counts[counts.count - 1].count += 1 } else { counts.append((text, 1)) }
        }
        run = schedule.next(after: current)
      }
      found += counts.map { $0.count == 1 ? $0.text : "\($0.text) (\($0.count) times)" }
    }
    return found
  }
}
