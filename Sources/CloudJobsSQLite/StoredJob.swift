#if SQLite
import CloudJobs
import CloudJobsCore
import GRDB

/// A job's document as the file keeps it: the configuration and the state as two JSON texts.
///
/// The two are apart so that the many patches of the state neither read nor write the configuration.
struct StoredJob: Sendable {
  var version: Int64 = 0
  /// The document's fields but for the state; whatever was imported where that was no object.
  var configuration: String
  /// The member `state`; nil where the document has none.
  var state: String?

  private static let limits = JSONLimits(bytes: .max, depth: 512)

  init(version: Int64 = 0, configuration: String, state: String?) {
    self.version = version
    self.configuration = configuration
    self.state = state
  }

  /// The stored form of a document's fields.
  init(fields: JSONValue) {
    guard var members = fields.object else {
      configuration = fields.text
      return
    }
    state = members.removeValue(forKey: "state")?.text
    configuration = JSONValue.object(members).text
  }

  /// The document after its configuration is replaced.
  init(_ stored: StoredJob?, configuration: JobConfiguration) {
    self.configuration = configuration.replacing(in: stored.flatMap { Self.value($0.configuration) }).text
    state = stored?.state
  }

  /// The document after its state is patched.
  init(_ stored: StoredJob?, patch: JobStatePatch) {
    let kept = stored.map(\.configuration)
    let isObject = kept.map { $0.hasPrefix("{") || Self.value($0)?.object != nil } ?? false
    configuration = isObject ? kept ?? "{}" : "{}"
    state = patch.applied(to: stored?.state.flatMap { Self.value($0) }).text
  }

  /// `state.nextRun` as the store lists it.
  var nextRun: Timestamp? {
    guard let state = state.flatMap({ Self.value($0) }) else { return nil }
    return JobRecord(id: "", version: Version(0), fields: ["state": state]).nextRun
  }

  /// The document's fields.
  ///
  /// - Throws: ``JobError`` `malformedJSON` where the file was edited by hand and is not JSON.
  func fields() throws(JobError) -> JSONValue {
    let configuration = try JSONValue(parsing: Array(configuration.utf8), limits: Self.limits)
    guard let state, var members = configuration.object else { return configuration }
    members["state"] = try JSONValue(parsing: Array(state.utf8), limits: Self.limits)
    return .object(members)
  }

  private static func value(_ text: String) -> JSONValue? {
    try? JSONValue(parsing: Array(text.utf8), limits: limits)
  }
}

extension JobRecord {
  /// The columns that a record is made of.
  static let columns = "id, version, configuration, state, next_run"

  /// The record of a row of ``columns``.
  init(row: Row) {
    let (id, version): (String, Version) = (row[0], Version(row[1]))
    let stored = StoredJob(configuration: row[2], state: row[3])
    do throws(JobError) {
      self.init(id: id, version: version, fields: try stored.fields())
    } catch {
      self.init(
        id: id, version: version, document: .failure(error),
        nextRun: (row[4] as Int64?).map { Timestamp(microseconds: $0) })
    }
  }
}
#endif
