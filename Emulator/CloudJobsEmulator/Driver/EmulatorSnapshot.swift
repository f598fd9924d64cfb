package import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The complete state of an emulator at one time: everything that determines what it does next.
package struct EmulatorSnapshot: Sendable {
  /// The state of the services.
  package internal(set) var state: EmulatorState
  /// The emulator's time.
  package internal(set) var time = Timestamp.distantPast
  /// The amount by which the emulator's time is ahead of the clock.
  package internal(set) var offset = Duration.zero
  /// The time at which the emulator's clock stands; nil while it runs.
  package internal(set) var frozenAt: Timestamp?
  var deliveries = OpenDeliveries()

  /// The deliveries in flight, sorted by ID.
  package var outstanding: [DeliveryRequest] { deliveries.all }
}

extension EmulatorSnapshot {
  /// Creates a snapshot of initial services with no delivery in flight.
  package init(_ state: EmulatorState) {
    self.init(state: state)
  }

  private struct Clock: Codable {
    var time: Timestamp
    var offset: Duration
    var frozenAt: Timestamp?
  }

  /// One line of a snapshot; exactly one member is set.
  private struct Entity: Codable {
    var clock: Clock?
    var tasks: CloudTasksService.Entity?
    var scheduler: CloudSchedulerService.Entity?
    var firestore: FirestoreService.Entity?
    var administration: AdministrationService.Entity?
    var delivery: DeliveryRequest?
  }

  /// Visits the snapshot as JSON lines, one entity per line: a queue, a task, a document and so on.
  ///
  /// - Parameter body: receives each line without its terminator.
  /// - Throws: the closure's error, or ``JobError`` `storeUnavailable` if an entity cannot be encoded.
  package func forEachLine(_ body: ([UInt8]) throws(JobError) -> Void) throws(JobError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    func put(_ entity: Entity) throws(JobError) {
      guard let line = try? encoder.encode(entity) else {
        throw JobError(.storeUnavailable, "Part of the emulator's state cannot be encoded as JSON.", field: "--data")
      }
      try body(Array(line))
    }
    try put(Entity(clock: Clock(time: time, offset: offset, frozenAt: frozenAt)))
    for entity in state.tasks.entities { try put(Entity(tasks: entity)) }
    for entity in state.scheduler.entities { try put(Entity(scheduler: entity)) }
    for entity in state.firestore.entities { try put(Entity(firestore: entity)) }
    for entity in state.administration.entities { try put(Entity(administration: entity)) }
    for delivery in outstanding { try put(Entity(delivery: delivery)) }
  }

  /// Restores one line of a snapshot.
  ///
  /// Lines must be restored in order, into a state that was created with the same options.
  ///
  /// - Parameter line: the line without its terminator.
  /// - Throws: ``JobError`` `storeUnavailable` if the line is invalid.
  package mutating func restore(_ line: ArraySlice<UInt8>) throws(JobError) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do {
      let entity = try decoder.decode(Entity.self, from: Data(line))
      if let clock = entity.clock {
        (time, offset, frozenAt) = (clock.time, clock.offset, clock.frozenAt)
        state.isHeld = frozenAt != nil
      }
      if let entity = entity.tasks { state.tasks.restore(entity) }
      if let entity = entity.scheduler { try state.scheduler.restore(entity) }
      if let entity = entity.firestore { state.firestore.restore(entity) }
      if let entity = entity.administration { try state.administration.restore(entity) }
      if let delivery = entity.delivery { deliveries.note([.deliver(delivery)]) }
    } catch {
      throw JobError(.storeUnavailable, "The line is invalid: \(error).", field: "--data")
    }
  }
}

/// Bytes encoded as Base64 text, which takes a quarter of the space of a JSON array of numbers.
@propertyWrapper
package struct Base64Bytes: Hashable, Sendable {
  /// The bytes.
  package var wrappedValue: [UInt8]

  /// Creates a wrapper around bytes.
  package init(wrappedValue: [UInt8]) {
    self.wrappedValue = wrappedValue
  }
}

extension Base64Bytes: Codable {
  /// Decodes bytes from Base64 text.
  package init(from decoder: any Decoder) throws {
    guard let bytes = Base64.decode(try String(from: decoder)) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "invalid Base64"))
    }
    self.init(wrappedValue: bytes)
  }

  /// Encodes the bytes as Base64 text.
  package func encode(to encoder: any Encoder) throws { try Base64.encode(wrappedValue).encode(to: encoder) }
}
