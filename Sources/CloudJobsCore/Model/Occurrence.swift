/// The identity of one request for a run; its hash, together with the job, is the run id.
public enum Occurrence: Hashable, Sendable {
  /// A caller's idempotency key, or a key made of a task's or message's name.
  case key(String)
  /// A time of the job's schedule.
  case scheduledFor(Timestamp)

  /// The text that is hashed; the first character distinguishes the cases.
  var canonicalText: String {
    switch self {
    case .key(let key): "k\(key)"
    case .scheduledFor(let time): "t\(time.microseconds)"
    }
  }
}
