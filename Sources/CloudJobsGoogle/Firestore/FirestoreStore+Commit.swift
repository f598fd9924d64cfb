#if HTTP
import CloudJobs
import CloudJobsCore

extension FirestoreStore {
  /// Makes the changes; starts over where others got in between and the fencing tokens still hold.
  func apply(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    let fences = Self.fences(writes)
    var encoder = FirestoreWrite(configuration: configuration)
    encoder.fenced = try await check(fences)
    var delay = configuration.contentionDelay
    for _ in 0..<max(1, configuration.contentionTries) {
      do throws(FirestoreFault) {
        return time.advance(to: try await client.commit(encoder.commit(writes)))
      } catch {
        if error.isRefusal(.aborted) {
          delay = await pause(delay)
          continue
        }
        let error = StoreError(error, during: .committing)
        guard error.code == .conflict, !fences.isEmpty else { throw error }
        let present = try await check(fences)
        // The runs under tokens are as they were: it is another precondition that does not hold.
        if present == encoder.fenced { throw error }
        encoder.fenced = present
      }
    }
    throw StoreError(.unavailable, "Others change the same documents all the time. Try again later.")
  }

  /// The tokens that runs must have.
  private static func fences(_ writes: [Write]) -> [RunID: Int64] {
    var fences: [RunID: Int64] = [:]
    for write in writes {
      if case .fence(let token) = write.precondition, let run = FirestoreWrite.fencedRun(write) { fences[run] = token }
    }
    return fences
  }

  /// When the runs last changed, where their tokens are these.
  ///
  /// - Throws: ``StoreError`` `conflict` where one is not, and `unavailable`.
  private func check(_ fences: [RunID: Int64]) async throws(StoreError) -> [RunID: Timestamp] {
    if fences.isEmpty { return [:] }
    let names = fences.keys.sorted().map { configuration.name(configuration.runs, $0.rawValue) }
    let documents: [FirestoreDocument]
    do throws(FirestoreFault) {
      documents = try await client.batchGet(names, fields: ["fence"]).documents
    } catch {
      throw StoreError(error, during: .reading)
    }
    var times: [RunID: Timestamp] = [:]
    for document in documents {
      guard let id = try? RunID(document.id), document.fence == fences[id] else { continue }
      times[id] = document.updateTime
    }
    guard times.count == fences.count else {
      throw StoreError(.conflict, "A run has another fencing token, or is gone. Read it again and decide anew.")
    }
    return times
  }
}
#endif
