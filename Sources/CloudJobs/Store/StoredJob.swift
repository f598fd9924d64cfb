package import CloudJobsCore

/// A job's stored document: configuration and state as two JSON texts.
///
/// They are separate so that the frequent patches of the state neither read nor write the configuration.
package struct StoredJob: Sendable {
  /// The version; 0 for a new document.
  package var version: Int64 = 0
  /// The document's fields without the state; the imported value if that was not an object.
  package var configuration: String
  /// The member `state`; nil if the document has none.
  package var state: String?

  private static let limits = JSONLimits(bytes: .max, depth: 512)

  /// Creates the document of stored texts.
  package init(version: Int64 = 0, configuration: String, state: String?) {
    self.version = version
    self.configuration = configuration
    self.state = state
  }

  /// Creates the stored form of a document's fields.
  package init(fields: JSONValue) {
    guard var members = fields.object else {
      configuration = fields.text
      return
    }
    state = members.removeValue(forKey: "state")?.text
    configuration = JSONValue.object(members).text
  }

  /// Creates the document with its configuration replaced.
  package init(_ stored: StoredJob?, configuration: JobConfiguration) {
    self.configuration = configuration.replacing(in: stored.flatMap { Self.value($0.configuration) }).text
    state = stored?.state
  }

  /// Creates the document with its state patched.
  package init(_ stored: StoredJob?, patch: JobStatePatch) {
    let kept = stored.map(\.configuration)
    let isObject = kept.map { $0.hasPrefix("{") || Self.value($0)?.object != nil } ?? false
    configuration = isObject ? kept ?? "{}" : "{}"
    state = patch.applied(to: stored?.state.flatMap { Self.value($0) }).text
  }

  /// The value of `state.nextRun` by which the store lists the job.
  package var nextRun: Timestamp? {
    guard let state = state.flatMap({ Self.value($0) }) else { return nil }
    return JobRecord(id: "", version: Version(0), fields: ["state": state]).nextRun
  }

  /// Returns the document's fields.
  ///
  /// - Throws: ``JobError`` `malformedJSON` if the document was edited by hand and is not JSON.
  package func fields() throws(JobError) -> JSONValue {
    let configuration = try JSONValue(parsing: Array(configuration.utf8), limits: Self.limits)
    guard let state, var members = configuration.object else { return configuration }
    members["state"] = try JSONValue(parsing: Array(state.utf8), limits: Self.limits)
    return .object(members)
  }

  private static func value(_ text: String) -> JSONValue? {
    try? JSONValue(parsing: Array(text.utf8), limits: limits)
  }
}
