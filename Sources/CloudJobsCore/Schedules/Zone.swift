/// A time zone of the IANA database, as a value.
///
/// Its data are the bytes of a TZif file, read once; a simulation may run with the data of another year.
public struct Zone: Hashable, Sendable {
  /// The name that the zone was asked for by: `Europe/Berlin`.
  public let name: String
  let table: ZoneTable

  init(name: String, table: ZoneTable) {
    self.name = name
    self.table = table
  }

  /// Coordinated universal time, which needs no data.
  public static let utc = Zone(name: "UTC", table: .utc)

  /// A zone from the bytes of its TZif file, versions 1 to 4, with the POSIX rule of its footer.
  ///
  /// Source: RFC 9636 (<https://www.rfc-editor.org/rfc/rfc9636>).
  ///
  /// - Parameters:
  ///   - name: the zone's name, which goes into messages and summaries.
  ///   - bytes: the file, at most 1 MiB.
  /// - Throws: ``JobError`` `invalidTimeZone` where the bytes are damaged, or count leap seconds.
  public init(name: String, tzif bytes: [UInt8]) throws(JobError) {
    do {
      self.init(name: name, table: try TZifReader.table(of: bytes))
    } catch {
      throw JobError(
        .invalidTimeZone,
        "The data of the time zone can't be used: \(error.message). Install the package tzdata again, or choose an "
          + "IANA name such as Europe/Berlin.",
        field: "timeZone")
    }
  }

  /// The seconds to add to UTC at a time, positive east of Greenwich.
  public func offset(at time: Timestamp) -> Int64 {
    table.span(at: time.seconds).offset
  }

  /// The day that a calendar on the wall shows at a time.
  public func date(at time: Timestamp) -> CivilDate {
    let local = time.seconds + offset(at: time)
    return CivilDate(daysSinceEpoch: Int(local.flooringDivision(by: 86_400).quotient))
  }

  /// The seconds since local midnight that a clock on the wall shows at a time, 0 to 86,399.
  public func secondOfDay(at time: Timestamp) -> Int {
    Int((time.seconds + offset(at: time)).flooringDivision(by: 86_400).remainder)
  }

  /// The first instant of a local day.
  ///
  /// Where clocks skip midnight, it is the first instant after the gap; where they skip the whole day, the first
  /// instant of the next one. The end of a day is the start of the day after it.
  public func startOfDay(_ date: CivilDate) -> Timestamp {
    let midnight = Int64(date.daysSinceEpoch) * 86_400
    // No zone is farther than 26 hours from UTC, so midnight lies in one of the spans from here on.
    var span = table.span(at: midnight - 93_600)
    while midnight - span.offset >= span.end { span = table.span(at: span.end) }
    return Timestamp(seconds: max(midnight - span.offset, span.start))
  }

  /// The first change of the offset after a time, or nil where none follows.
  public func transition(after time: Timestamp) -> Transition? {
    var span = table.span(at: time.seconds)
    while span.end <= Timestamp.distantFuture.seconds {
      span = table.span(at: span.end)
      if span.shift != 0 { return Transition(span) }
    }
    return nil
  }

  /// The last change of the offset at or before a time, or nil where there was none.
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
    /// The offset before it, in seconds east of Greenwich.
    public let offsetBefore: Int64
    /// The offset from it on, in seconds east of Greenwich.
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
