/// A time zone of the IANA database.
///
/// Its data comes from a TZif file; a simulation may use the data of another year.
public struct Zone: Hashable, Sendable {
  /// The name with which the zone was requested, such as `Europe/Berlin`.
  public let name: String
  let table: ZoneTable

  init(name: String, table: ZoneTable) {
    self.name = name
    self.table = table
  }

  /// Coordinated universal time, which needs no data.
  public static let utc = Zone(name: "UTC", table: .utc)

  /// Creates a zone from its TZif file, versions 1 to 4, including the POSIX rule in its footer.
  ///
  /// Source: RFC 9636 (<https://www.rfc-editor.org/rfc/rfc9636>).
  ///
  /// - Parameters:
  ///   - name: the zone's name for messages and summaries.
  ///   - bytes: the contents of the file, at most 1 MiB.
  /// - Throws: ``JobError`` `invalidTimeZone` if the file is damaged or counts leap seconds.
  public init(name: String, tzif bytes: [UInt8]) throws(JobError) {
    do {
      self.init(name: name, table: try TZifReader.table(of: bytes))
    } catch {
      throw JobError(
        .invalidTimeZone,
        "The data of the time zone is invalid: \(error.message). Reinstall the package tzdata, or choose an "
          + "IANA name such as Europe/Berlin.",
        field: "timeZone")
    }
  }

  /// Returns the seconds to add to UTC at a time, positive east of Greenwich.
  public func offset(at time: Timestamp) -> Int64 {
    table.span(at: time.seconds).offset
  }

  /// Returns the local calendar day at a time.
  public func date(at time: Timestamp) -> CivilDate {
    let local = time.seconds + offset(at: time)
    return CivilDate(daysSinceEpoch: Int(local.flooringDivision(by: 86_400).quotient))
  }

  /// Returns the seconds since local midnight at a time by the local clock, 0 to 86,399.
  public func secondOfDay(at time: Timestamp) -> Int {
    Int((time.seconds + offset(at: time)).flooringDivision(by: 86_400).remainder)
  }

  /// Returns the first instant of a local day.
  ///
  /// If a clock change skips midnight, this is the first instant after the gap; if it skips the whole day, the first
  /// instant of the next day. The end of a day is the start of the next day.
  public func startOfDay(_ date: CivilDate) -> Timestamp {
    let midnight = Int64(date.daysSinceEpoch) * 86_400
    // No offset exceeds 26 hours, so midnight lies in one of the spans from here on.
    var span = table.span(at: midnight - 93_600)
    while midnight - span.offset >= span.end { span = table.span(at: span.end) }
    return Timestamp(seconds: max(midnight - span.offset, span.start))
  }

  /// Returns the first change of the offset after a time, or nil if there is none.
  public func transition(after time: Timestamp) -> Transition? {
    var span = table.span(at: time.seconds)
    while span.end <= Timestamp.distantFuture.seconds {
      span = table.span(at: span.end)
      if span.shift != 0 { return Transition(span) }
    }
    return nil
  }

  /// Returns the last change of the offset at or before a time, or nil if there is none.
  public func transition(atOrBefore time: Timestamp) -> Transition? {
    var span = table.span(at: time.seconds)
    while span.start >= Timestamp.distantPast.seconds {
      if span.shift != 0 { return Transition(span) }
      span = table.span(at: span.start - 1)
    }
    return nil
  }

  /// A change of a zone's offset.
  public struct Transition: Hashable, Sendable {
    /// The first instant with the new offset.
    public let time: Timestamp
    /// The offset before the change, in seconds east of Greenwich.
    public let offsetBefore: Int64
    /// The offset after the change, in seconds east of Greenwich.
    public let offsetAfter: Int64

    init(_ span: ZoneSpan) {
      time = Timestamp(seconds: span.start)
      offsetBefore = span.previousOffset
      offsetAfter = span.offset
    }
  }
}

extension Zone: CustomStringConvertible {
  /// The zone's name.
  public var description: String { name }
}

/// A zone's offsets: the transitions listed in its file, and the rule that applies after the last one.
///
/// It is a class so that copying a ``Zone`` copies one reference; it is immutable.
final class ZoneTable: Hashable, Sendable {
  /// The times of the transitions, in seconds since 1970, strictly ascending.
  let transitions: [Int64]
  /// The offset after each transition, in seconds.
  let offsets: [Int64]
  /// The offset before the first transition.
  let initialOffset: Int64
  /// The rule after the last transition; nil if the last offset applies forever.
  let rule: PosixZoneRule?

  init(transitions: [Int64], offsets: [Int64], initialOffset: Int64, rule: PosixZoneRule?) {
    self.transitions = transitions
    self.offsets = offsets
    self.initialOffset = initialOffset
    self.rule = rule
  }

  /// The zone with offset zero and no transitions.
  static let utc = ZoneTable(transitions: [], offsets: [], initialOffset: 0, rule: nil)

  /// Returns the span of constant offset around a second.
  func span(at second: Int64) -> ZoneSpan {
    let index = indexOfFirstTransition(after: second)
    guard index == transitions.count else {
      let offset = index == 0 ? initialOffset : offsets[index - 1]
      return ZoneSpan(
        start: index == 0 ? -ZoneSpan.edge : transitions[index - 1], end: transitions[index], offset: offset,
        previousOffset: index > 1 ? offsets[index - 2] : index == 1 ? initialOffset : offset)
    }
    let lastOffset = offsets.last ?? initialOffset
    let start = transitions.last ?? -ZoneSpan.edge
    let before = offsets.count > 1 ? offsets[offsets.count - 2] : transitions.isEmpty ? lastOffset : initialOffset
    guard let rule else {
      return ZoneSpan(start: start, end: ZoneSpan.edge, offset: lastOffset, previousOffset: before)
    }
    var span = rule.span(at: second)
    if span.start <= start {
      span.start = start
      span.previousOffset = before
    }
    return span
  }

  private func indexOfFirstTransition(after second: Int64) -> Int {
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= second { low = middle + 1 } else { high = middle }
    }
    return low
  }

  static func == (left: ZoneTable, right: ZoneTable) -> Bool {
    left === right
      || (left.transitions == right.transitions && left.offsets == right.offsets
        && left.initialOffset == right.initialOffset && left.rule == right.rule)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(transitions.count)
    hasher.combine(transitions.last)
    hasher.combine(initialOffset)
    hasher.combine(rule)
  }
}

/// A span of time with a constant offset from UTC.
struct ZoneSpan: Hashable, Sendable {
  /// The first second of the span, since 1970 in UTC.
  var start: Int64
  /// The first second after the span.
  var end: Int64
  /// The seconds to add to UTC within the span.
  var offset: Int64
  /// The offset before ``start``.
  var previousOffset: Int64

  /// The ends of time in seconds: far outside years 1 to 9999, and far from where adding an offset would overflow.
  static let edge: Int64 = 1 << 60

  /// The change of the offset at ``start``: positive if local times are skipped, negative if they repeat.
  var shift: Int64 { offset - previousOffset }
}
