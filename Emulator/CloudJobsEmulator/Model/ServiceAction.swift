/// What a service asks its driver to do.
public enum ServiceAction: Hashable, Sendable {
  /// Make a delivery and report its outcome.
  case dispatch(Dispatch)
  /// Nothing: for the record, how an attempt ended and what follows.
  case settled(Settlement)
}
