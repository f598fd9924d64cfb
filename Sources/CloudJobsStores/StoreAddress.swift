public import CloudJobs
public import CloudJobsCore

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

/// The address of a store as text, for settings and command lines.
///
/// | text | store |
/// | --- | --- |
/// | `memory` | in memory; it ends with the process |
/// | `sqlite:jobs.db`, `sqlite:/var/lib/app/jobs.db` | an SQLite file, which is created if it does not exist |
/// | `postgres://user@host/database`, `postgresql://…` | PostgreSQL, by a connection URI of libpq |
/// | `firestore://project`, `firestore://project/database` | Cloud Firestore, by default its database `(default)` |
///
/// Firestore is called with Application Default Credentials, or at the address that `FIRESTORE_EMULATOR_HOST` names.
/// The schema of PostgreSQL is `cloud_jobs`; `schema=other` in the URI's query names another.
public struct StoreAddress: Hashable, Sendable, CustomStringConvertible {
  /// The kinds of stores.
  public enum Kind: Hashable, Sendable {
    /// A store in memory.
    case memory
    /// An SQLite file at a path.
    case sqlite(path: String)
    /// A schema of a PostgreSQL database, by its connection string.
    case postgres(String, schema: String?)
    /// A database of Cloud Firestore.
    case firestore(project: String, database: String)
  }

  /// The kind of store, with its place.
  public let kind: Kind

  /// Creates an address from its text.
  ///
  /// - Parameter text: the text.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` for another text.
  public init(_ text: String) throws(JobError) {
    if text == "memory" {
      kind = .memory
    } else if text.hasPrefix("sqlite://") {
      throw JobError(
        .invalidField, "The path of an SQLite file follows the colon: sqlite:jobs.db, or sqlite:/var/lib/jobs.db.",
        field: "store")
    } else if text.hasPrefix("sqlite:"), text.utf8.count > 7, !text.utf8.contains(0) {
      kind = .sqlite(path: String(text.dropFirst(7)))
    } else if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://"), !text.utf8.contains(0) {
      let (connection, schema) = Self.withoutSchema(text)
      kind = .postgres(connection, schema: schema)
    } else if let (project, database) = Self.firestore(text) {
      kind = .firestore(project: project, database: database)
    } else {
      throw JobError(
        .invalidField,
        "The address of a store is memory, sqlite: with a path, such as sqlite:jobs.db, or a URI such as "
          + "postgres://user@host/database or firestore://project/database.", field: "store")
    }
  }

  /// Returns the project and the database of Firestore that a text names; nil for another text.
  private static func firestore(_ text: String) -> (project: String, database: String)? {
    guard text.hasPrefix("firestore://") else { return nil }
    let parts = text.dropFirst(12).split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "?") }
    }
    guard isPlain, parts.count == 1 || parts.count == 2 else { return nil }
    return (String(parts[0]), parts.count == 2 ? String(parts[1]) : "(default)")
  }

  /// Takes the parameter `schema`, which libpq does not know, out of a URI.
  private static func withoutSchema(_ text: String) -> (connection: String, schema: String?) {
    guard let mark = text[host(in: text)...].firstIndex(of: "?") else { return (text, nil) }
    var schema: String?
    let others = text[text.index(after: mark)...].split(separator: "&").filter { pair in
      guard pair.hasPrefix("schema=") else { return true }
      schema = String(pair.dropFirst(7))
      return false
    }
    return (String(text[..<mark]) + (others.isEmpty ? "" : "?" + others.joined(separator: "&")), schema)
  }

  /// Returns the place of the host in a URI: behind the user and the password, in which any character may stand but a
  /// slash, as libpq reads it.
  private static func host(in text: String) -> String.Index {
    guard let slashes = text.firstRange(of: "://") else { return text.startIndex }
    let head = text[slashes.upperBound...].prefix { $0 != "/" }
    return head.lastIndex(of: "@").map(text.index(after:)) ?? slashes.upperBound
  }

  /// The address without a password.
  public var description: String {
    switch kind {
    case .memory: return "memory"
    case .sqlite(let path): return "sqlite:\(path)"
    case .firestore(let project, let database):
      return "firestore://\(project)" + (database == "(default)" ? "" : "/\(database)")
    case .postgres(let connection, _):
      let host = Self.host(in: connection)
      let place = connection[host...].prefix { $0 != "?" && $0 != "#" }
      let user = connection[..<host].dropFirst(connection.hasPrefix("postgresql") ? 13 : 11).prefix { $0 != ":" }
      if user.isEmpty { return "postgres://\(place)" }
      return "postgres://\(user.last == "@" ? user.dropLast() : user)@\(place)"
    }
  }

  /// Opens the store.
  ///
  /// - Parameter migratesSchema: whether the tables of a file or a database are created, or brought to this version;
  ///   otherwise a schema of another version is an error.
  /// - Returns: the store; that of a file or a database stays open until it is released.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`; `storeRejected` also if the program was built without
  ///   this kind of store.
  public func open(migratesSchema: Bool = true) async throws(JobError) -> any JobStore {
    #if Google
    if case .firestore(let project, let database) = kind { return try await Self.openFirestore(project, database) }
    #endif
    return try await openOwn(migratesSchema: migratesSchema)
  }

  /// Opens a store that is not Google's.
  private func openOwn(migratesSchema: Bool) async throws(JobError) -> any JobStore {
    do throws(StoreError) {
      switch kind {
      case .memory: return MemoryStore()
      case .sqlite(let path):
        #if SQLite
        return try SQLiteStore(path: path, migrates: migratesSchema)
        #else
        throw Self.missing("SQLite")
        #endif
      case .postgres(let connection, let schema):
        #if PostgreSQL
        var options = PostgresOptions()
        if let schema { options.schema = schema }
        options.migratesSchema = migratesSchema
        return try await PostgresStore.open(connection, options: options)
        #else
        throw Self.missing("PostgreSQL")
        #endif
      case .firestore: throw Self.missing("Google")
      }
    } catch {
      throw JobError(error)
    }
  }

  #if Google
  private static func openFirestore(
    _ project: String, _ database: String
  ) async throws(JobError) -> any JobStore {
    let client = CurlHTTPClient()
    let environment = CredentialEnvironment.process
    if let emulator = environment.variables["FIRESTORE_EMULATOR_HOST"], !emulator.isEmpty {
      return FirestoreStore.firestore(
        try GoogleCloud(emulator: emulator, project: project, client: client), database: database)
    }
    let credentials = try await GoogleCredentials.applicationDefault(environment: environment, client: client)
    return FirestoreStore.firestore(
      GoogleCloud(project: project, credentials: credentials, client: client), database: database)
  }
  #endif

  private static func missing(_ trait: String) -> StoreError {
    StoreError(.invalid, "This program was built without the trait \(trait). Build it with the trait.")
  }
}
