#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// A change of many runs and how far it has come: all that one step hands to the next, by the fields of a form.
///
/// No server keeps any of it, so that a step may be answered by any instance, and a change that is not continued is
/// simply over.
struct BulkProgress: Sendable {
  /// The maximum number of runs that are changed in a step.
  static let stepSize = 200
  /// The maximum number of runs that are selected one by one.
  static let maximumSelection = 200
  /// The maximum number of different reasons that are kept.
  static let maximumReasons = 8
  /// The maximum length of a reason, in characters.
  static let maximumReason = 300
  /// The largest count that a form may have.
  static let maximumCount = 1_000_000_000

  /// Why runs were not changed.
  struct Reason: Hashable, Sendable {
    var text: String
    var count: Int
  }

  /// The change.
  let change: RunChange
  /// The runs that match; all are changed if ``selection`` is nil.
  var query = RunQuery()
  /// The runs that are left to be changed if they were selected one by one.
  var selection: [RunID]?
  /// The reason of a cancellation.
  var because: String
  /// The position after the last run that was changed.
  var cursor: StoreCursor?
  /// Whether no step was made yet.
  var isFirst = true
  /// The number of runs that were counted before the first step.
  var total = 0
  /// Whether there may be more than ``total``.
  var isMore = false
  /// The number of runs that were changed.
  var done = 0
  /// The number of runs whose attempts were asked to stop.
  var requested = 0
  /// The number of runs that were left as they were.
  var skipped = 0
  /// The number of runs that could not be changed.
  var failed = 0
  /// Why runs were not changed, in the order in which the reasons came up.
  var reasons: [Reason] = []

  /// The number of runs that were treated.
  var treated: Int { done + requested + skipped + failed }

  /// Reads the fields of a query or a form.
  ///
  /// - Parameter fields: the fields.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the invalid field.
  init(_ fields: PageFields) throws(JobError) {
    guard let change = fields["action"].flatMap({ RunChange(rawValue: $0) }) else {
      throw JobError(.invalidField, "There is no such action. Choose one in the list of runs.", field: "action")
    }
    self.change = change
    because = String((fields["because"] ?? "It was cancelled on the dashboard.").prefix(Self.maximumReason))
    switch fields["scope"] ?? "selected" {
    case "selected":
      let texts = fields.all("run")
      guard texts.count <= Self.maximumSelection else {
        throw JobError(
          .invalidField, "At most \(Self.maximumSelection) runs can be selected at once.", field: "run")
      }
      var ids: [RunID] = []
      for text in texts {
        let id = try RunID(text)
        if !ids.contains(id) { ids.append(id) }
      }
      selection = ids
    case "filter":
      query = try RunQuery(fields)
      guard query.prefix == nil else {
        throw JobError(.invalidField, "Select the runs of an id one by one.", field: "id")
      }
    default: throw JobError(.invalidField, "The scope is selected or filter.", field: "scope")
    }
    cursor = try RunQuery.cursor(fields["cursor"])
    isFirst = fields["step"] == nil
    for (name, path) in Self.counts { self[keyPath: path] = try Self.count(fields, name) }
    isMore = fields["more"] != nil
    let (texts, counts) = (fields.all("why"), fields.all("whyCount"))
    guard texts.count == counts.count, texts.count <= Self.maximumReasons else {
      throw JobError(.invalidField, "The reasons are invalid. Begin again.", field: "why")
    }
    for (text, count) in zip(texts, counts) {
      reasons.append(Reason(text: String(text.prefix(Self.maximumReason)), count: try Self.count(count, "whyCount")))
    }
  }

  private static var counts: [(String, WritableKeyPath<BulkProgress, Int>)] {
    [("total", \.total), ("done", \.done), ("requested", \.requested), ("skipped", \.skipped), ("failed", \.failed)]
  }

  private static func count(_ fields: PageFields, _ name: String) throws(JobError) -> Int {
    try fields[name].map { (text) throws(JobError) in try count(text, name) } ?? 0
  }

  private static func count(_ text: String, _ name: String) throws(JobError) -> Int {
    guard let count = Int(text), (0...maximumCount).contains(count) else {
      throw JobError(.invalidField, "The count is invalid. Begin again.", field: name)
    }
    return count
  }

  /// The fields of the form that makes the next step.
  var fields: [(name: String, value: String)] {
    var fields: [(String, String)] = [("action", change.rawValue), ("because", because)]
    if let selection {
      fields += [("scope", "selected")] + selection.map { ("run", $0.rawValue) }
    } else {
      fields += [("scope", "filter")] + query.fields.map { ($0.name, $0.value) }
    }
    if let cursor { fields.append(("cursor", cursor.text)) }
    if !isFirst { fields.append(("step", "next")) }
    if isMore { fields.append(("more", "yes")) }
    fields += Self.counts.map { ($0.0, "\(self[keyPath: $0.1])") }
    for reason in reasons { fields += [("why", reason.text), ("whyCount", "\(reason.count)")] }
    return fields
  }

  /// Notes what became of a run.
  mutating func note(_ outcome: RunChange.Outcome) {
    switch outcome {
    case .done: done += 1
    case .requested: requested += 1
    case .unchanged(let reason):
      skipped += 1
      add("The run \(Self.withoutID(reason)).")
    case .failed(let reason):
      failed += 1
      add(reason)
    }
  }

  private mutating func add(_ text: String) {
    let text = String(text.prefix(Self.maximumReason))
    if let index = reasons.firstIndex(where: { $0.text == text }) {
      reasons[index].count += 1
    } else if reasons.count < Self.maximumReasons {
      reasons.append(Reason(text: text, count: 1))
    }
  }

  /// Returns a reason without the id of a run, so that equal reasons are counted together.
  private static func withoutID(_ reason: String) -> String {
    reason.hasPrefix("was repeated before") ? "was repeated before" : reason
  }

  /// The runs in words: `3 selected runs`, or `runs of the job mail`.
  var subject: String {
    if let selection { return PageNumber.text(selection.count, "selected run") }
    let text = query.text
    return text.isEmpty ? "all runs" : "all runs \(text)"
  }

  /// What was done so far, as a sentence for the log of actions.
  var summary: String {
    var parts = ["\(change.past) \(PageNumber.text(done, "run"))"]
    if requested > 0 { parts.append("asked \(PageNumber.text(requested, "run")) to stop") }
    if skipped > 0 { parts.append("left \(PageNumber.text(skipped)) as they were") }
    if failed > 0 { parts.append("failed to change \(PageNumber.text(failed))") }
    return parts.joined(separator: ", ") + "."
  }
}
#endif
