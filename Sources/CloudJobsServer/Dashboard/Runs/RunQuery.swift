#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The runs that a page is about, as its query or form says.
struct RunQuery: Hashable, Sendable {
  /// The maximum length of a text that is searched.
  static let maximumSearch = 200
  /// The fewest digits by which a run is found.
  static let leastDigits = 4

  /// The conditions that the store decides.
  var filter = RunFilter()
  /// The beginning of the id; nil for any.
  var prefix: String?
  /// The text that the run's input, output, error or reason contains; nil for any.
  var search: String?
  /// The key of the group of dead letters; nil for any.
  var group: String?
  /// What became of dead letters; nil for any run.
  var repeats: RepeatFilter?

  /// Creates a query for all runs.
  init() {}

  /// Reads a query.
  ///
  /// - Parameter fields: the fields of a query or of a form.
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` with the invalid field.
  init(_ fields: PageFields) throws(JobError) {
    filter.job = try fields["job"].map { (text) throws(JobError) in try JobID(text) }
    if let text = fields["status"] {
      guard let status = RunStatus(rawValue: text) else {
        throw JobError(.invalidField, "There is no such status. Choose one of the tabs.", field: "status")
      }
      filter.statuses = [status]
    }
    filter.createdFrom = try Self.time(fields["from"], "from")
    filter.createdBefore = try Self.time(fields["before"], "before")
    filter.correlationID = try Self.bounded(fields["correlation"], 1_024, "correlation")
    search = try Self.bounded(fields["q"], Self.maximumSearch, "q")
    if let text = fields["id"] {
      let digits = text.lowercased().filter { $0 != " " }
      guard (Self.leastDigits...64).contains(digits.utf8.count), Self.isHexadecimal(digits) else {
        throw JobError(
          .invalidField,
          "A run is found by its id, or by the first \(Self.leastDigits) or more of its 64 hexadecimal "
            + "digits.", field: "id")
      }
      prefix = digits
    }
    if let text = fields["group"] {
      guard text.utf8.count == DeadLetterGroup.keyLength, Self.isHexadecimal(text) else {
        throw JobError(.invalidField, "There is no such group. Open the dead letters, and choose one.", field: "group")
      }
      group = text
    }
    if let text = fields["repeat"] {
      guard let filter = RepeatFilter(rawValue: text) else {
        throw JobError(.invalidField, "Choose one of the states of a repeat.", field: "repeat")
      }
      repeats = filter
    }
  }

  /// Reads the position of a page; nil for the first.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` for a text that is no position.
  static func cursor(_ text: String?) throws(JobError) -> StoreCursor? {
    guard let text else { return nil }
    guard let cursor = StoreCursor(text: text), (try? RunID(cursor.id)) != nil else {
      throw JobError(.invalidField, "The position in the list is invalid. Begin with the first page.", field: "cursor")
    }
    return cursor
  }

  /// Reads a time in RFC 3339, or as the inputs of a form have it, which are in UTC.
  ///
  /// - Throws: ``/CloudJobsCore/JobError`` `invalidField` for another text.
  static func time(_ text: String?, _ field: String) throws(JobError) -> Timestamp? {
    guard let text else { return nil }
    for form in [text, "\(text)Z", "\(text):00Z"] {
      if let time = Timestamp(rfc3339: form) { return time }
    }
    throw JobError(.invalidField, "This is no time. Write it as 2026-01-31T09:00 in UTC.", field: field)
  }

  private static func bounded(_ text: String?, _ limit: Int, _ field: String) throws(JobError) -> String? {
    guard let text, !text.allSatisfy(\.isWhitespace) else { return nil }
    guard text.count <= limit else {
      throw JobError(.invalidField, "The text is too long; at most \(limit) characters are sought.", field: field)
    }
    return text
  }

  private static func isHexadecimal(_ text: String) -> Bool {
    text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Whether any run matches.
  var isEmpty: Bool { self == RunQuery() }

  /// Whether runs are read that may not match.
  var isSearch: Bool { search != nil || group != nil || repeats != nil }

  /// The fields of the query by name, without the empty ones.
  var fields: [(name: String, value: String)] {
    let values: [(String, String?)] = [
      ("job", filter.job?.rawValue), ("status", filter.statuses?.first?.rawValue),
      ("from", filter.createdFrom.map { "\($0)" }), ("before", filter.createdBefore.map { "\($0)" }),
      ("correlation", filter.correlationID), ("id", prefix), ("q", search), ("group", group),
      ("repeat", repeats?.rawValue),
    ]
    return values.compactMap { name, value in value.map { (name, $0) } }
  }

  /// Returns a link with the fields of the query.
  func link(_ link: PageLink) -> PageLink { fields.reduce(link) { $0.with($1.name, $1.value) } }

  /// The query in words, after "all runs": nothing, or such as `of the job mail that failed`.
  var text: String {
    var parts: [String] = []
    if let job = filter.job { parts.append("of the job \(job)") }
    if let status = filter.statuses?.first { parts.append("that are \(status.rawValue)") }
    if let from = filter.createdFrom { parts.append("created from \(PageTime.exact(from))") }
    if let before = filter.createdBefore { parts.append("created before \(PageTime.exact(before))") }
    if let id = filter.correlationID { parts.append("with the correlation id “\(id.prefix(80))”") }
    if let prefix { parts.append("whose id begins with \(prefix)") }
    if let search { parts.append("that contain “\(search.prefix(80))”") }
    if group != nil { parts.append("of one group of dead letters") }
    if let repeats { parts.append(repeats.words) }
    return parts.joined(separator: ", ")
  }
}
#endif
