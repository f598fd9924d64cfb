public import CloudJobsCore

/// One thing that happened to an emulator's services, as a journal keeps it.
public struct JournalRecord: Hashable, Sendable {
  /// What happened.
  public enum Change: Hashable, Sendable {
    /// A request was made, in a form that the face which served it reads again.
    case request(JSONValue)
    /// An event was handled.
    case event(ServiceEvent)
    /// The emulator's time was set this far ahead of the clock's.
    case moved(Duration)
    /// The services went back to their initial state, and the time to the clock's.
    case reset
  }

  /// The emulator's time when it happened.
  public var time: Timestamp
  /// What happened.
  public var change: Change

  /// A record of a change.
  public init(time: Timestamp, change: Change) {
    self.time = time
    self.change = change
  }
}
