#if Server
import CloudJobsCore
import Configuration

/// The settings in a file in JSON.
struct SettingsFile: Sendable {
  /// The values by their keys, such as `worker.pollInterval`.
  let values: [String: ConfigContent]

  /// The values as a provider of swift-configuration.
  var provider: InMemoryProvider {
    let pairs = values.map { (AbsoluteConfigKey(settingKey: $0), ConfigValue($1, isSecret: false)) }
    return InMemoryProvider(name: "settings", values: Dictionary(uniqueKeysWithValues: pairs))
  }

  /// Reads the content of a file.
  ///
  /// - Parameters:
  ///   - bytes: the content: an object with a member for each group, or with keys that have points.
  ///   - known: the keys of all settings.
  /// - Throws: ``JobError`` `invalidField` with the key of a setting that does not exist, stands twice, or is neither a
  ///   text nor a number, true or false.
  init(_ bytes: [UInt8], known: Set<String>) throws(JobError) {
    let file: JSONValue
    do throws(JobError) {
      file = try JSONValue(parsing: bytes)
    } catch {
      throw JobError(.invalidField, error.message, field: error.field ?? "settings")
    }
    guard let groups = file.object else {
      throw JobError(.invalidField, "Expected an object, found \(file.kind).", field: "settings")
    }
    var values: [String: ConfigContent] = [:]
    func take(_ value: JSONValue, _ key: String) throws(JobError) {
      if values[key] != nil { throw JobError(.invalidField, "The setting stands twice. Keep one.", field: key) }
      values[key] = try Self.content(of: value, key)
    }
    for (name, value) in groups.sorted(by: { $0.key < $1.key }) {
      if known.contains(name) {
        try take(value, name)
        continue
      }
      guard known.contains(where: { $0.hasPrefix(name + ".") }) else { throw .noSuchSetting(name, among: known) }
      guard let members = value.object else {
        throw JobError(.invalidField, "Expected an object, found \(value.kind).", field: name)
      }
      for (member, value) in members.sorted(by: { $0.key < $1.key }) {
        let key = "\(name).\(member)"
        guard known.contains(key) else { throw .noSuchSetting(key, among: known) }
        try take(value, key)
      }
    }
    self.values = values
  }

  private static func content(of value: JSONValue, _ key: String) throws(JobError) -> ConfigContent {
    switch value {
    case .string(let text): return .string(text)
    case .integer(let number): return .int(Int(number))
    case .double(let number): return .double(number)
    case .bool(let flag): return .bool(flag)
    case .null, .array, .object:
      throw JobError(
        .invalidField, "Expected a text, a number, true or false, found \(value.kind). Change it, or leave it out.",
        field: key)
    }
  }
}

extension AbsoluteConfigKey {
  /// Creates the key of a setting, such as `worker.pollInterval`.
  init(settingKey: String) {
    self.init(settingKey.split(separator: ".").map(String.init))
  }
}

extension JobError {
  /// Creates the error of a name that no setting has.
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - known: the names of all settings, of which the nearest are told.
  /// - Returns: the error.
  static func noSuchSetting(_ name: String, among known: Set<String>) -> JobError {
    let nearest = known.map { (distance: name.lowercased().distance(to: $0.lowercased()), name: $0) }
      .filter { $0.distance <= max(3, name.count / 3) }.sorted { $0 < $1 }.prefix(3).map(\.name)
    let hint = nearest.isEmpty ? "Documentation/settings.md lists all." : "Is it \(nearest.joined(separator: " or "))?"
    return JobError(.invalidField, "There is no such setting. \(hint)", field: name)
  }
}

extension String {
  /// Returns the number of characters to insert, delete or replace to make another text (Levenshtein's distance).
  func distance(to other: String) -> Int {
    let other = Array(other)
    var row = Array(0...other.count)
    for (index, character) in enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for place in other.indices {
        let replaced = diagonal + (character == other[place] ? 0 : 1)
        diagonal = row[place + 1]
        row[place + 1] = Swift.min(replaced, row[place] + 1, diagonal + 1)
      }
    }
    return row[other.count]
  }
}
#endif
