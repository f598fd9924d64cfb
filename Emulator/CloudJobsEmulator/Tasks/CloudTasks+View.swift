extension CloudTasks {
  /// How much of a task an answer shows.
  public enum View: Int, Hashable, Sendable, CaseIterable {
    /// All but the body.
    case basic = 1
    /// All.
    case full = 2

    /// The name on the wire.
    public var name: String {
      switch self {
      case .basic: "BASIC"
      case .full: "FULL"
      }
    }
  }
}
