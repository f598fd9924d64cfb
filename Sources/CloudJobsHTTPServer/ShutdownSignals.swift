/// What a signal that asks a process to end means: pure, and by times that it is told.
struct ShutdownSignals: Sendable {
  enum Action: Hashable, Sendable {
    /// Begin the graceful shutdown.
    case shutDown
    /// End at once, with a status.
    case exit(CInt)
    /// It is the same request once more.
    case ignore
  }

  /// GNU `timeout`, shells and process managers send a signal to a process and to its group in the same moment.
  static let echo = Duration.milliseconds(200)

  private var first: Duration?

  /// A signal has come.
  mutating func receive(_ signal: CInt, at now: Duration) -> Action {
    guard let first else {
      self.first = now
      return .shutDown
    }
    return now - first < Self.echo ? .ignore : .exit(128 + signal)
  }
}
