package import CloudJobs
package import CloudJobsCore

#if Google
import CloudJobsGoogle
import CloudJobsHTTP
#endif
#if PostgreSQL
import CloudJobsPostgres
#endif
#if SQLite
import CloudJobsSQLite
#endif

/// The versions of what a store is made of.
package struct StoreVersions: Hashable, Sendable {
  /// The version of the schema; nil for a store without one.
  package var schema: Int?
  /// The names of libraries and servers with their versions, such as `SQLite 3.40.1`.
  package var parts: [String] = []

  /// Reads the versions of an open store.
  ///
  /// - Parameter store: the store, with the schema that this program works on.
  /// - Throws: ``JobError`` `storeUnavailable`.
  package init(of store: any JobStore) async throws(JobError) {
    #if SQLite || PostgreSQL
    do throws(StoreError) {
      #if SQLite
      if let store = store as? SQLiteStore {
        schema = SQLiteStore.schemaVersion
        parts.append("SQLite \(try await store.libraryVersion())")
      }
      #endif
      #if PostgreSQL
      if let store = store as? PostgresStore {
        schema = PostgresStore.schemaVersion
        parts += ["PostgreSQL \(try await store.serverVersion())", "libpq \(PostgresStore.libraryVersion)"]
      }
      #endif
    } catch {
      throw JobError(error)
    }
    #endif
    #if Google
    if store is FirestoreStore { parts.append("libcurl \(CurlHTTPClient.libraryVersion)") }
    #endif
  }
}
