public import CloudJobsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension EmulatorSnapshot {
  private struct Clock: Codable {
    var time: Timestamp
    var offset: Duration
  }

  /// A line, which has one of these.
  private struct Entity: Codable {
    var clock: Clock?
    var tasks: CloudTasksService.Entity?
    var scheduler: CloudSchedulerService.Entity?
    var firestore: FirestoreService.Entity?
    var administration: AdministrationService.Entity?
    var delivery: Dispatch?
  }

  /// Visits the snapshot as lines of JSON, an entity a line: a queue, a task, a document and so on.
  ///
  /// - Parameter body: takes a line without its end.
  /// - Throws: what the closure throws, and ``JobError`` `storeUnavailable` for what JSON can't express.
  public func forEachLine(_ body: ([UInt8]) throws(JobError) -> Void) throws(JobError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    func put(_ entity: Entity) throws(JobError) {
      guard let line = try? encoder.encode(entity) else {
        throw JobError(.storeUnavailable, "A part of the emulator's state can't be written as JSON.", field: "--data")
      }
      try body(Array(line))
    }
    try put(Entity(clock: Clock(time: time, offset: offset)))
    for entity in state.tasks.entities { try put(Entity(tasks: entity)) }
    for entity in state.scheduler.entities { try put(Entity(scheduler: entity)) }
    for entity in state.firestore.entities { try put(Entity(firestore: entity)) }
    for entity in state.administration.entities { try put(Entity(administration: entity)) }
    for delivery in outstanding { try put(Entity(delivery: delivery)) }
  }

  /// Puts a line of a snapshot back; the lines come in their order, and the state began with the same options.
  ///
  /// - Parameter line: the line without its end.
  /// - Throws: ``JobError`` `storeUnavailable` for a line that is none.
  public mutating func restore(_ line: ArraySlice<UInt8>) throws(JobError) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do {
      let entity = try decoder.decode(Entity.self, from: Data(line))
      if let clock = entity.clock { (time, offset) = (clock.time, clock.offset) }
      if let entity = entity.tasks { state.tasks.restore(entity) }
      if let entity = entity.scheduler { try state.scheduler.restore(entity) }
      if let entity = entity.firestore { state.firestore.restore(entity) }
      if let entity = entity.administration { try state.administration.restore(entity) }
      if let delivery = entity.delivery { deliveries.note([.dispatch(delivery)]) }
    } catch {
      throw JobError(.storeUnavailable, "It can't be read: \(error).", field: "--data")
    }
  }
}
