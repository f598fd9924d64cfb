import CloudJobs
import CloudJobsCore

/// Runs by their ids, or by the beginning of one.
struct RunLookup {
  /// The least number of digits of a shortened id.
  static let leastDigits = 8
  let runtime: JobRuntime

  /// Returns the run of an id.
  ///
  /// - Parameters:
  ///   - text: the id, or at least 8 of its first digits.
  ///   - otherwise: what to say if there is no such run.
  /// - Returns: the run.
  /// - Throws: ``JobError`` `notFound` if there is no run, `busy` if several begin so, or `invalidField` for another
  ///   text.
  func run(_ text: String, otherwise: String) async throws(JobError) -> Run {
    let id = text.utf8.count == 64 ? try RunID(text) : try await completed(text)
    guard let id, let found = try await runtime.run(withID: id) else {
      throw JobError(.notFound, "The store has no run \(text). \(otherwise)", field: "runId")
    }
    return found
  }

  /// Returns the only id that begins with some digits; nil if none does.
  private func completed(_ digits: String) async throws(JobError) -> RunID? {
    let isHexadecimal = digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    guard isHexadecimal, (Self.leastDigits..<64).contains(digits.utf8.count) else {
      throw JobError(
        .invalidField,
        "\"\(digits)\" is no run id. It has 64 lower-case hexadecimal digits, of which the first "
          + "\(Self.leastDigits) are enough.", field: "runId")
    }
    guard let store = runtime.store as? any RunPrefixStore else {
      throw JobError(.invalidField, "This store finds runs by whole ids only. Give all 64 digits.", field: "runId")
    }
    let ids: [RunID]
    do throws(StoreError) {
      ids = try await store.runIDs(withPrefix: digits, limit: 2)
    } catch {
      throw JobError(error)
    }
    guard ids.count < 2 else {
      throw JobError(.busy, "Several runs begin with \(digits), such as \(ids[0]) and \(ids[1]). Give more digits.")
    }
    return ids.first
  }
}
