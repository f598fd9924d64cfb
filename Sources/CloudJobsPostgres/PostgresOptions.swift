#if PostgreSQL
public import CloudJobs
public import CloudJobsCore

/// The options of a ``PostgresStore``.
public struct PostgresOptions: Sendable {
  /// The schema that holds the store's tables: 1 to 50 lower-case letters, digits and underscores.
  public var schema = "cloud_jobs"
  /// Whether the schema and its tables are created and migrated; otherwise an older schema is an error, for a user who
  /// may not create tables.
  public var migratesSchema = true
  /// The maximum number of connections, 3 to 64; a worker has one more for notifications.
  ///
  /// All but two of them may be in transactions of callers at a time, such as effects.
  public var connections = 4
  /// The maximum time of a request, from the wait for a connection to the answer: 1 second or more.
  public var requestTimeout = Duration.seconds(10)
  /// The maximum time of connecting, apart from the look-up of a host's name: 1 second or more.
  public var connectTimeout = Duration.seconds(5)
  /// The maximum number of requests that wait for a connection, at least 1; one more fails with `unavailable`.
  public var maxWaiting = 10_000
  /// The clock of the store's time, such as that of a simulation; nil for that of the database.
  public var clock: (any JobClock)?
  /// The random numbers of the delays between attempts to connect.
  public var random = RandomSource.system
  /// The maximum number of commits in one transaction.
  package var groupLimit = CommitGroups.countLimit

  /// Creates the default options.
  public init() {}

  /// Validates the options.
  ///
  /// - Parameters:
  ///   - connection: the connection string.
  ///   - schema: the schema.
  /// - Returns: the settings of the client.
  /// - Throws: ``StoreError`` `invalid` for an option out of its range, or an invalid connection string.
  func clientOptions(_ connection: String, _ schema: SchemaName) throws(StoreError) -> ClientOptions {
    guard (3...64).contains(connections), requestTimeout >= .seconds(1), connectTimeout >= .seconds(1), maxWaiting > 0
    else {
      throw StoreError(
        .invalid,
        "A PostgreSQL store has 3 to 64 connections, time limits of 1 second or more, and a queue. Correct the options."
      )
    }
    guard let parameters = PostgresConnection.parameters(of: connection) else {
      let known = PostgresConnection.knownParameters
      let unknown = Self.queryKeys(of: connection).first { !known.contains($0) }
      throw StoreError(
        .invalid,
        unknown.map { "The connection string has the parameter \($0), which libpq does not know. Correct its name." }
          ?? "The connection string is invalid. Write postgres://user@host/database or key=value pairs, and "
          + "percent-encode special characters of a URI.")
    }
    let milliseconds = requestTimeout.milliseconds
    return ClientOptions(
      parameters: Self.completed(parameters, statementTimeout: milliseconds), connections: connections,
      maxWaiting: maxWaiting, requestTimeout: milliseconds, connectTimeout: connectTimeout.milliseconds,
      channel: schema.channel, random: random)
  }

  /// Returns the names of the parameters in the query of a URI, behind the user, the password and the host.
  static func queryKeys(of connection: String) -> [String] {
    guard let scheme = connection.firstRange(of: "://") else { return [] }
    let rest = connection[scheme.upperBound...]
    let host = rest.prefix { $0 != "/" }.lastIndex(of: "@") ?? rest.startIndex
    guard let query = rest[host...].firstIndex(of: "?") else { return [] }
    return rest[query...].dropFirst().split(separator: "&").compactMap { pair in
      pair.firstIndex(of: "=").map { String(pair[..<$0]) }
    }
  }

  /// Returns the parameters of a connection with those that the store needs.
  ///
  /// - Parameters:
  ///   - parameters: the parameters of the connection string, which win where both have one.
  ///   - statementTimeout: the time after which the server cancels a statement, in milliseconds.
  /// - Returns: the parameters.
  static func completed(
    _ parameters: [(key: String, value: String)], statementTimeout: Int64
  ) -> [(key: String, value: String)] {
    let settings =
      [
        "statement_timeout=\(statementTimeout)", "idle_in_transaction_session_timeout=300000",
        "default_transaction_isolation=read\\ committed",
      ] + PlannerSettings.ofConnection
    let own = settings.map { "-c \($0)" }.joined(separator: " ")
    var completed = parameters.filter { $0.key != "options" && $0.key != "client_encoding" }
    let theirs = parameters.last { $0.key == "options" }.map { " " + $0.value } ?? ""
    completed.append((key: "options", value: own + theirs))
    completed.append((key: "client_encoding", value: "UTF8"))
    for (key, value) in [
      ("fallback_application_name", "swift-cloud-jobs"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
      ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
    ] where !completed.contains(where: { $0.key == key }) {
      completed.append((key: key, value: value))
    }
    return completed
  }
}

extension Duration {
  /// The whole milliseconds, at most those of a day.
  fileprivate var milliseconds: Int64 {
    let (seconds, attoseconds) = min(self, .seconds(86_400)).components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
  }
}
#endif
