/// The deliveries that were begun and have not ended.
struct OpenDeliveries: Sendable {
  private var deliveries: [DispatchID: Dispatch] = [:]

  /// The deliveries in the order of their identities.
  var all: [Dispatch] { deliveries.values.sorted { $0.id < $1.id } }

  /// Takes in what services asked for.
  mutating func note(_ actions: [ServiceAction]) {
    for action in actions {
      switch action {
      case .dispatch(let dispatch): deliveries[dispatch.id] = dispatch
      case .settled(let settlement):
        if let id = settlement.id { deliveries[id] = nil }
      }
    }
  }
}
