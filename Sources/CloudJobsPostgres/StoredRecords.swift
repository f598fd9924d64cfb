#if PostgreSQL
import CloudJobs
import CloudJobsCore

/// The stored form of runs: a JSON document, the columns of lists, and the payloads byte for byte.
struct StoredRuns {
  /// The columns that ``append(to:)`` fills, in its order.
  static let columns = [
    "id", "created_at", "wake_at", "expire_at", "fence", "amendments", "status", "job", "correlation_id", "document",
    "input", "output", "queue",
  ]

  private static let types = [
    "bytea", "int8", "int8", "int8", "int8", "int8", "text", "text", "bytea", "text", "bytea", "bytea",
    "bytea",
  ]

  private var runs: [Run] = []

  /// Creates the stored form of runs.
  init(_ runs: [Run]) {
    self.runs = runs
  }

  /// The SQL of the arrays as rows `new`; further columns may follow.
  ///
  /// - Parameter more: the names of further columns of numbers.
  /// - Returns: a table expression for `FROM`.
  static func rows(and more: [String] = []) -> String {
    let types = types + more.map { _ in "int8" }
    let arrays = types.enumerated().map { "$\($0.offset + 1)::\($0.element)[]" }.joined(separator: ", ")
    return "unnest(\(arrays)) AS new (\((columns + more).joined(separator: ", ")))"
  }

  /// Adds the columns as arrays.
  func append(to parameters: inout Parameters) {
    parameters.append(runs.map { $0.id.bytes })
    parameters.append(runs.map(\.createdAt.microseconds))
    parameters.append(runs.map { $0.wakeAt?.microseconds })
    parameters.append(runs.map { $0.expireAt?.microseconds })
    parameters.append(runs.map(\.fence))
    parameters.append(runs.map(\.amendments))
    parameters.append(runs.map(\.status.rawValue))
    parameters.append(runs.map(\.job.rawValue))
    parameters.append(runs.map { $0.correlationID.map { Array($0.utf8) } })
    parameters.append(runs.map(\.document))
    parameters.append(runs.map { $0.input?.bytes })
    parameters.append(runs.map { $0.output?.bytes })
    parameters.append(runs.map { $0.queue.map { Array($0.utf8) } })
  }
}

extension RunRecord {
  /// The columns of a record.
  static let columns = "id, version, document, input, output"

  /// Creates the record of a row with ``columns``; nil if the row is empty or its id is not a run id.
  init?(_ result: QueryResult, _ row: Int, from column: Int) {
    self.init(
      id: result.bytes(row, column), version: result.int64(row, column + 1), document: result.bytes(row, column + 2),
      input: result.bytes(row, column + 3), output: result.bytes(row, column + 4))
  }

  /// Creates a record from the values of its columns.
  init?(id: [UInt8]?, version: Int64?, document: [UInt8]?, input: [UInt8]?, output: [UInt8]?) {
    guard let id = id.flatMap({ RunID(bytes: $0) }), let version, let document else { return nil }
    do throws(JobError) {
      var run = try Run(id: id, document: document)
      run.input = input.map { JSONText(trusted: $0) }
      run.output = output.map { JSONText(trusted: $0) }
      self.init(id: id, version: Version(version), run: .success(run))
    } catch {
      self.init(id: id, version: Version(version), run: .failure(error))
    }
  }
}

extension JobRecord {
  /// The columns of a record.
  static let columns = "id, version, configuration, state, next_run"

  /// Creates the record of a row with ``columns``; nil if the row is empty.
  init?(_ result: QueryResult, _ row: Int, from column: Int) {
    self.init(
      id: result.text(row, column), version: result.int64(row, column + 1),
      configuration: result.text(row, column + 2), state: result.text(row, column + 3),
      nextRun: result.int64(row, column + 4))
  }

  /// Creates a record from the values of its columns.
  init?(id: String?, version: Int64?, configuration: String?, state: String?, nextRun: Int64?) {
    guard let id, let version, let configuration else { return nil }
    do throws(JobError) {
      let fields = try StoredJob(configuration: configuration, state: state).fields()
      self.init(id: id, version: Version(version), fields: fields)
    } catch {
      self.init(
        id: id, version: Version(version), document: .failure(error),
        nextRun: nextRun.map { Timestamp(microseconds: $0) })
    }
  }
}

extension LedgerRecord {
  /// Creates a record from the values of its columns; nil if the row is empty or its id is not one of a ledger.
  init?(id: String?, version: Int64?, changedAt: Int64?, document: [UInt8]?) {
    guard let id = id.flatMap({ try? LedgerID($0) }), let version, let changedAt, let document else { return nil }
    let fields = try? JSONValue(parsing: document, limits: JSONLimits(bytes: .max, depth: 512))
    self.init(
      id: id, version: Version(version), changedAt: Timestamp(microseconds: changedAt), fields: fields ?? .null)
  }
}
#endif
