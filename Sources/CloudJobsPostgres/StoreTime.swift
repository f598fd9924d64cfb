#if PostgreSQL
import CloudJobs
import CloudJobsCore
import Synchronization

/// The store's time.
///
/// It is the clock of the database, so that all processes share it, and it never goes backwards: within a process not
/// at all, as the latest time is remembered. Across processes, the times of commits are kept in the table `times`, in
/// one of 64 rows by the server process, so that commits rarely wait for each other; the latest of them is the earliest
/// time of any response. With the database's clock they are kept by commits, once a second: if the server's clock is
/// set back, or a standby whose clock is behind takes over, then another process may see time go back, at most to the
/// second of the last commits. With a clock of the caller each commit keeps its time.
final class StoreTime: Sendable {
  private struct State {
    var latest = Timestamp.distantPast
    var lastKept = Timestamp.distantPast
  }

  private let clock: (any JobClock)?
  private let schema: String
  private let state = Mutex(State())

  /// The interval at which the time is kept with the database's clock.
  private static let interval = Duration.seconds(1)

  /// Creates the time of a store; nil for the database's clock.
  init(clock: (any JobClock)?, schema: SchemaName) {
    self.clock = clock
    self.schema = schema.sql
  }

  /// The SQL of the current time, in microseconds.
  ///
  /// - Parameter parameter: the number of the parameter with ``floor``.
  /// - Returns: an expression.
  func expression(_ parameter: Int) -> String {
    let database = clock == nil ? ", (extract(epoch FROM clock_timestamp()) * 1000000)::int8" : ""
    return "greatest($\(parameter)::int8, (SELECT max(last_time) FROM \(schema).times)\(database))"
  }

  /// The earliest current time that this process knows, in microseconds.
  var floor: Int64 {
    let now = clock?.now()
    return state.withLock { max($0.latest, now ?? .distantPast) }.microseconds
  }

  /// Returns the store's time after a response.
  func advance(to microseconds: Int64?) -> Timestamp {
    let time = microseconds.map { Timestamp(microseconds: $0) } ?? .distantPast
    return state.withLock { state in
      state.latest = max(state.latest, time)
      return state.latest
    }
  }

  /// Returns the statement that tells the time, in the first column of its only row; one that ends a commit keeps it.
  func statement(ofCommit: Bool) -> Statement {
    let floor = floor
    let keeps = ofCommit && (clock != nil || isDue(at: Timestamp(microseconds: floor)))
    return keeps ? keeping(floor) : Statement("SELECT \(expression(1))") { $0.append(floor) }
  }

  /// Returns the statement that keeps and tells a time: that of the server's clock, if it is later.
  ///
  /// No transaction takes another lock after this one's, so that none of them can block each other.
  private func keeping(_ floor: Int64) -> Statement {
    Statement(
      """
      INSERT INTO \(schema).times AS old (slot, last_time) SELECT pg_backend_pid() % 64, \(expression(1))
      ON CONFLICT (slot) DO UPDATE SET last_time = greatest(old.last_time, excluded.last_time) RETURNING last_time
      """
    ) { $0.append(floor) }
  }

  /// Returns whether the time has to be kept again.
  private func isDue(at time: Timestamp) -> Bool {
    state.withLock { state in
      guard state.lastKept == .distantPast || time >= state.lastKept + Self.interval else { return false }
      state.lastKept = time
      return true
    }
  }
}
#endif
