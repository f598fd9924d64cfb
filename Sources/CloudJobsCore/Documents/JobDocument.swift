/// A job's configuration and state in the store.
public struct JobDocument: Hashable, Sendable {
  /// The job's id.
  public var id: JobID
  /// The configuration, set by operators.
  public var configuration: JobConfiguration
  /// The state, maintained by the runtime.
  public var state: JobState

  /// Creates a document.
  public init(id: JobID, configuration: JobConfiguration = JobConfiguration(), state: JobState = JobState()) {
    self.id = id
    self.configuration = configuration
    self.state = state
  }
}

extension JobDocument {
  /// Creates a document from its stored form.
  ///
  /// Dates may be RFC 3339 text (the form of timestamps in Firestore's REST API), bare days or epoch milliseconds.
  /// Numbers may be floats without a fraction. Unknown members are ignored.
  ///
  /// - Parameters:
  ///   - id: the document's id.
  ///   - fields: the document's fields, an object.
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first invalid field.
  public init(id: JobID, fields: JSONValue) throws(JobError) {
    self.init(
      id: id, configuration: try JobConfiguration(fields: fields),
      state: try fields["state"].map { (state) throws(JobError) in try JobState(fields: state) } ?? JobState())
  }

  /// The stored form: the fields of the configuration, and the state in the member `state`.
  public var fields: JSONValue {
    var members = configuration.fields.object ?? [:]
    members["state"] = state.fields
    return .object(members)
  }
}
