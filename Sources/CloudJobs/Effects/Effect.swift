package import CloudJobsCore

/// The result of an effect that happens at most once in a run.
public struct EffectResult<Value: Sendable>: Sendable {
  /// The value that the effect returned, in this call or in the one that performed it.
  public var value: Value
  /// Whether this call performed the effect; false if an earlier one had.
  public var isNew: Bool

  /// Creates a result.
  package init(value: Value, isNew: Bool) {
    self.value = value
    self.isNew = isNew
  }
}

/// The stored state by which a store decides about an effect, all as of one time.
package struct EffectState: Hashable, Sendable {
  /// The status of the run; nil if the store has no such run.
  package var status: RunStatus?
  /// The run's last fencing token.
  package var fence: Int64?
  /// Whether the effect has been performed.
  package var isPerformed: Bool

  /// Creates a state.
  package init(status: RunStatus?, fence: Int64?, isPerformed: Bool) {
    self.status = status
    self.fence = fence
    self.isPerformed = isPerformed
  }

  /// Decides about an effect.
  ///
  /// An attempt that has lost its lease is refused even if the effect has been performed: what it does next is void.
  ///
  /// - Parameter fence: the fencing token of the attempt.
  /// - Returns: whether the effect has to be performed; false if it has been performed before.
  /// - Throws: ``JobError`` `notFound` if the store has no such run, `leaseLost` if the attempt no longer holds it.
  package func allows(holding fence: Int64) throws(JobError) -> Bool {
    guard let status else {
      throw JobError(.notFound, "The store of this effect has no such run. Use the store of the run's runtime.")
    }
    guard status == .running, self.fence == fence else {
      throw JobError(.leaseLost, "The attempt no longer holds the lease of its run. The effect was not performed.")
    }
    return !isPerformed
  }
}

/// The names of effects.
package enum EffectName {
  /// The longest name, in bytes.
  static let limit = 200

  /// Validates a name.
  ///
  /// - Throws: ``JobError`` `invalidField` for an empty name, a longer one, or one with control characters.
  package static func check(_ name: String) throws(JobError) {
    guard (1...limit).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw JobError(
        .invalidField, "An effect's name has 1 to \(limit) bytes and no control characters.", field: "effect")
    }
  }
}

extension JobContext {
  /// Returns the stored form of an effect's value, encoded by the runtime's codec.
  package func sealed(_ value: some Encodable, ofEffect name: String) throws -> JSONText? {
    try services.payloads.sealed(try PayloadCoding.encode(value), job: jobID, run: runID, "effect \(name)")
  }

  /// Returns the value of an effect from its stored form.
  package func opened<Value: Decodable>(
    _ payload: JSONText?, ofEffect name: String, as type: Value.Type
  ) throws -> Value {
    let payload = try services.payloads.opened(payload, job: jobID, run: runID, "effect \(name)")
    do {
      return try PayloadCoding.decode(type, from: payload)
    } catch {
      throw JobError(
        .internalError, "The stored value of the effect is no \(type): \(PayloadCoding.describe(error))",
        field: "effect")
    }
  }
}
