import CloudJobsCore

/// When the service stops listening to an attempt; stale once the attempt has ended.
struct FlightDeadline: Comparable, Sendable {
  var time: Timestamp
  var number: UInt64

  static func < (left: FlightDeadline, right: FlightDeadline) -> Bool {
    (left.time, left.number) < (right.time, right.number)
  }
}
