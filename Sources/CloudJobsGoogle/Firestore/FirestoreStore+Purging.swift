#if HTTP
public import CloudJobs
public import CloudJobsCore

extension FirestoreStore {
  /// Deletes runs whose `expireAt` has come.
  ///
  /// A time-to-live policy on that field does the same by itself, within a day
  /// (<https://firebase.google.com/docs/firestore/ttl>).
  public func purgeExpired(limit: Int) async throws(StoreError) -> Int {
    try await purge(.expired(try await now(), configuration), limit: limit)
  }

  /// Deletes journal entries, oldest first.
  public func purgeJournal(before time: Timestamp, limit: Int) async throws(StoreError) -> Int {
    try await purge(.oldJournal(before: time, configuration), limit: limit)
  }

  /// Deletes what a query finds, unless it changes meanwhile; then it is looked for again.
  private func purge(_ query: FirestoreQuery, limit: Int) async throws(StoreError) -> Int {
    let limit = StoreLimits.page(limit)
    return try await Uncancelled.run { () async throws(StoreError) in
      var delays = self.contentionDelays
      for _ in 0..<max(1, self.configuration.contentionTries) {
        let found = try await self.reading { (client) async throws(FirestoreFault) in
          try await client.runQuery(query, limit: limit).documents
        }
        if found.isEmpty { return 0 }
        do throws(FirestoreFault) {
          _ = self.time.advance(to: try await self.client.commit(FirestoreWrite.deletion(found)).time)
          return found.count
        } catch {
          let isContention = error.isRefusal(.aborted)
          let error = StoreError(error, during: .committing)
          guard isContention || error.code == .conflict else { throw error }
        }
        await self.pause(&delays)
      }
      throw StoreError(.unavailable, "Others change the same documents all the time. Try again later.")
    }
  }
}
#endif
