extension JobConfiguration {
  /// Fields that a document has and the runtime does not read.
  public struct UnknownField: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The field that was probably meant; nil where none resembles it.
    public var suggestion: String?
  }

  /// Other words for the fields of a document, in lower case and without separators.
  private static let synonyms: [String: String] = [
    "schedule": "cron", "crontab": "cron", "cronexpression": "cron", "every": "interval", "intervals": "interval",
    "intervalseconds": "interval", "frequency": "interval", "period": "interval", "tz": "timeZone",
    "zone": "timeZone", "disabled": "enabled", "active": "enabled", "isenabled": "enabled", "start": "startAt",
    "end": "endAt", "skip": "skipDates", "skipdays": "skipDates", "depends": "dependencies",
    "dependson": "dependencies", "retries": "maxRetries", "maxattempts": "maxRetries", "timeoutseconds": "timeout",
    "kind": "type", "misfires": "misfire", "overlaps": "overlap",
  ]

  /// The fields of a stored document that are not read, by name.
  ///
  /// Misspelt ones are the usual reason why an edit has no effect. Other programs may keep fields of their own in a
  /// document, so that they are no error.
  ///
  /// - Parameter fields: the document's fields.
  /// - Returns: the first 20 such fields, each with the one that was probably meant.
  public static func unknownFields(of fields: JSONValue) -> [UnknownField] {
    (fields.object ?? [:]).keys.filter { !fieldNames.contains($0) && $0 != "state" }.sorted().prefix(20).map { name in
      let plain = name.withoutCaseAndSeparators
      let known = fieldNames.first { $0.lowercased() == plain } ?? synonyms[plain]
      return UnknownField(name: name, suggestion: known ?? name.oneSlip(from: fieldNames))
    }
  }
}

extension String {
  /// The name in lower case and without separators, by which misspelt names are recognised.
  var withoutCaseAndSeparators: String { lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " } }

  /// The one name of a set from which this one differs by a letter too many, too few, wrong or swapped with the next;
  /// nil where there is none, or more than one.
  ///
  /// Names of fewer than five letters are left out, as too many words resemble them.
  func oneSlip(from names: Set<String>) -> String? {
    let candidates = names.filter { $0.utf8.count >= 5 && isOneSlip(from: $0) }
    return candidates.count == 1 ? candidates.first : nil
  }

  private func isOneSlip(from right: String) -> Bool {
    let (mine, theirs) = (Array(utf8), Array(right.utf8))
    guard abs(mine.count - theirs.count) <= 1, mine != theirs else { return false }
    let start = zip(mine, theirs).prefix { $0 == $1 }.count
    let (rest, others) = (mine[start...], theirs[start...])
    if rest.count > others.count { return rest.dropFirst() == others }
    if rest.count < others.count { return rest == others.dropFirst() }
    if rest.dropFirst() == others.dropFirst() { return true }
    return rest.prefix(2).elementsEqual(others.prefix(2).reversed()) && rest.dropFirst(2) == others.dropFirst(2)
  }
}
