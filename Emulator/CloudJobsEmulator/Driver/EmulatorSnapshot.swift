public import CloudJobsCore

/// All that decides what an emulator does next, at one moment.
public struct EmulatorSnapshot: Sendable {
  /// The services.
  public internal(set) var state: EmulatorState
  /// The emulator's time.
  public internal(set) var time = Timestamp.distantPast
  /// How far the emulator's time is ahead of the clock's.
  public internal(set) var offset = Duration.zero
  var deliveries = OpenDeliveries()

  /// The deliveries that are in flight, in the order of their identities.
  public var outstanding: [Dispatch] { deliveries.all }
}

extension EmulatorSnapshot {
  /// Services at the beginning of all time, with nothing in flight.
  public init(_ state: EmulatorState) {
    self.init(state: state)
  }
}
