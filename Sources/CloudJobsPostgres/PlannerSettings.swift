#if PostgreSQL
/// The settings of the server's planner.
///
/// The store's own statements are each served by an index. Without statistics, which a table of a queue rarely has
/// right, the planner would read whole tables, or all dead versions of a range. A caller's statements, which share the
/// store's connections, are planned as usual (<https://www.postgresql.org/docs/current/runtime-config-query.html>).
enum PlannerSettings {
  private static let all: [(name: String, own: String, callers: String)] = [
    ("enable_seqscan", "off", "on"), ("enable_hashjoin", "off", "on"), ("enable_mergejoin", "off", "on"),
    // A bitmap fetches all rows of a range, dead ones too, before the first is returned.
    ("enable_bitmapscan", "off", "on"),
    // A plan for the values of one call may be a trap for the next one; the same plan for all also costs less.
    ("plan_cache_mode", "force_generic_plan", "auto"),
  ]

  /// The settings of a connection, as `name=value`.
  static var ofConnection: [String] {
    // What the planner can't avoid it counts as very expensive, and would compile for seconds.
    all.map { "\($0.name)=\($0.own)" } + ["jit=off"]
  }

  /// Sets the rest of the transaction for statements of a caller.
  static let forCallers = statement(all.map { ($0.name, $0.callers) })

  /// Sets the rest of the transaction for the store's own statements again.
  static let forOwn = statement(all.map { ($0.name, $0.own) })

  /// Ends the part of a caller in a transaction: what follows is done by the store's user, and planned as its own.
  static let afterCaller = [Statement("RESET SESSION AUTHORIZATION"), Statement("RESET ROLE"), forOwn]

  private static func statement(_ values: [(name: String, value: String)]) -> Statement {
    Statement("SELECT " + values.map { "set_config('\($0.name)', '\($0.value)', true)" }.joined(separator: ", "))
  }
}
#endif
