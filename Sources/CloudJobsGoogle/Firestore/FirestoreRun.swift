#if HTTP
import CloudJobsCore

/// Runs as Firestore keeps them.
///
/// The payloads `input` and `output` are strings that hold the JSON text, so that they come back byte for byte and can be
/// read in the console. A payload that another program has stored as a map, a list or another value is taken as the JSON
/// of that value.
enum FirestoreRun {
  /// A run's fields in Firestore's form.
  static func encode(_ run: Run) -> JSONValue {
    var document = run
    document.input = nil
    document.output = nil
    var fields = FirestoreSchema.run.fields(document.fields.object ?? [:]).object ?? [:]
    fields["input"] = run.input.map { FirestoreValue.string($0.description) }
    fields["output"] = run.output.map { FirestoreValue.string($0.description) }
    return .object(fields)
  }

  /// The run of fields in Firestore's form.
  ///
  /// - Throws: ``JobError`` `invalidField` with the dotted path of the first field that can't be read.
  static func decode(_ id: RunID, _ fields: JSONValue?) throws(JobError) -> Run {
    var plain = FirestoreValue.fields(fields)
    plain["input"] = nil
    plain["output"] = nil
    var run = try Run(id: id, fields: .object(plain))
    run.input = payload(fields?["input"])
    run.output = payload(fields?["output"])
    return run
  }

  private static func payload(_ value: JSONValue?) -> JSONText? {
    guard let value, value != FirestoreValue.null else { return nil }
    guard let text = value["stringValue"]?.string else { return JSONText(FirestoreValue.decode(value)) }
    let limits = JSONLimits(bytes: .max, depth: 512)
    return (try? JSONText(checking: Array(text.utf8), limits: limits)) ?? JSONText(.string(text))
  }
}
#endif
