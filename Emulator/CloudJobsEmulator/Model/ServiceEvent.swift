/// What happens to a service.
public enum ServiceEvent: Hashable, Sendable {
  /// Time has passed, or a request was made: do what is due.
  case wake
  /// A delivery has ended; an identity that is not in flight (any more) is ignored.
  case completed(DispatchID, DispatchOutcome)
  /// The driver was started anew and makes the deliveries again that were in flight: their deadlines begin again, and
  /// those whose task or job is gone end.
  case resumed
}
