import CloudJobsCore

/// The parameters of a request that lists jobs or runs, read with errors that name them.
struct InspectionQuery {
  /// Records in a list unless `limit` says otherwise.
  static let standardLimit = 50

  private let values: [String: String]

  /// Reads a request target's query.
  ///
  /// - Parameters:
  ///   - target: path and query.
  ///   - names: the parameters that the route takes.
  /// - Throws: ``JobError`` `invalidField` for a parameter that the route does not take, or that occurs twice.
  init(_ target: String, names: [String]) throws(JobError) {
    var values: [String: String] = [:]
    let query = target.prefix { $0 != "#" }.drop { $0 != "?" }.dropFirst()
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = PercentEncoding.decode(parts[0], plusIsSpace: true)
      guard names.contains(name) else {
        throw JobError(
          .invalidField, "The parameter is not known here. Use \(names.joined(separator: ", ")).",
          field: String(name.prefix(64)))
      }
      let value = parts.count > 1 ? PercentEncoding.decode(parts[1], plusIsSpace: true) : "true"
      guard values.updateValue(value, forKey: name) == nil else {
        throw JobError(.invalidField, "The parameter occurs twice. Send it once.", field: name)
      }
    }
    self.values = values
  }

  /// A parameter read by a function that answers nil for a value of the wrong form.
  func read<Value>(_ name: String, _ expected: String, _ read: (String) -> Value?) throws(JobError) -> Value? {
    guard let text = values[name] else { return nil }
    guard let value = read(text) else { throw JobError(.invalidField, "Expected \(expected).", field: name) }
    return value
  }

  func job(_ name: String = "job") throws(JobError) -> JobID? {
    try read(name, "a job id") { try? JobID($0) }
  }

  func flag(_ name: String) throws(JobError) -> Bool {
    try read(name, "true or false") { Bool($0) } ?? false
  }

  func timestamp(_ name: String) throws(JobError) -> Timestamp? {
    try read(name, "a time such as 2026-11-21T02:54:00Z") { Timestamp(rfc3339: $0) }
  }

  func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws(JobError) -> [Choice]?
  where Choice.RawValue == String {
    let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    return try read(name, "one or more of \(all), separated by commas") { text in
      let choices = text.split(separator: ",", omittingEmptySubsequences: false).map { Choice(rawValue: String($0)) }
      return choices.contains { $0 == nil } ? nil : choices.compactMap { $0 }
    }
  }

  /// The number of records that are asked for.
  func limit() throws(JobError) -> Int {
    try read("limit", "a whole number from 1 to \(StoreLimits.batch)") { text in
      Int(text).flatMap { (1...StoreLimits.batch).contains($0) ? $0 : nil }
    } ?? Self.standardLimit
  }

  /// The place of the page that is asked for.
  func cursor() throws(JobError) -> StoreCursor? {
    try read("cursor", "the next of an earlier page") { StoreCursor(text: $0) }
  }
}

extension StoreCursor {
  /// The place as one text, for a URL.
  var text: String { "\(key)_\(id)" }

  /// A place from its text; nil where the text is none.
  init?(text: String) {
    guard let separator = text.firstIndex(of: "_"), let key = Int64(text[..<separator]) else { return nil }
    self.init(key: key, id: String(text[text.index(after: separator)...]))
  }
}
