#if HTTP
import CloudJobs
import CloudJobsCore

extension FirestoreStore {
  /// Makes the changes; starts over where others got in between and the fencing tokens still hold.
  func apply(_ writes: [Write]) async throws(StoreError) -> Timestamp {
    let tokens = Self.tokens(writes)
    var encoder = FirestoreWrite(configuration: configuration)
    encoder.fenced = fences.times(tokens)
    if encoder.fenced.count < tokens.count { encoder.fenced = try await check(tokens) }
    var delays = contentionDelays
    for _ in 0..<max(1, configuration.contentionTries) {
      do throws(FirestoreFault) {
        let done = try await client.commit(encoder.commit(writes))
        fences.remember(writes, done.updateTimes)
        return time.advance(to: done.time)
      } catch {
        if error.isRefusal(.aborted) {
          await pause(&delays)
          continue
        }
        let error = StoreError(error, during: .committing)
        guard error.code == .conflict, !tokens.isEmpty else { throw error }
        fences.forget(tokens.keys)
        let present = try await check(tokens)
        // The runs under tokens are as they were: it is another precondition that does not hold.
        if present == encoder.fenced { throw error }
        encoder.fenced = present
      }
    }
    throw StoreError(.unavailable, "Others change the same documents all the time. Try again later.")
  }

  /// The tokens that runs must have.
  private static func tokens(_ writes: [Write]) -> [RunID: Int64] {
    var tokens: [RunID: Int64] = [:]
    for write in writes {
      if case .fence(let token) = write.precondition, let run = FirestoreWrite.fencedRun(write) { tokens[run] = token }
    }
    return tokens
  }

  /// When the runs last changed, where their tokens are these.
  ///
  /// - Throws: ``StoreError`` `conflict` where one is not, and `unavailable`.
  private func check(_ tokens: [RunID: Int64]) async throws(StoreError) -> [RunID: Timestamp] {
    let names = tokens.keys.sorted().map { configuration.name(configuration.runs, $0.rawValue) }
    let documents: [FirestoreDocument]
    do throws(FirestoreFault) {
      documents = try await client.batchGet(names, fields: ["fence"]).documents
    } catch {
      throw StoreError(error, during: .reading)
    }
    var times: [RunID: Timestamp] = [:]
    for document in documents {
      guard let id = try? RunID(document.id), document.fence == tokens[id] else { continue }
      times[id] = document.updateTime
    }
    guard times.count == tokens.count else {
      throw StoreError(.conflict, "A run has another fencing token, or is gone. Read it again and decide anew.")
    }
    return times
  }
}
#endif
