import CloudJobsCore
import CloudJobsEmulator

/// The first line of a journal's file or a snapshot's: what the other lines mean depends on it.
struct JournalHeader: Hashable {
  /// What a file holds.
  enum Kind: String {
    /// What happened.
    case journal
    /// What it led to.
    case snapshot

    /// The form of the lines.
    var version: Int64 { 1 }
  }

  private let options: [String: JSONValue]

  /// The header of an emulator with these options.
  init(tasks: CloudTasks.Options, seed: UInt64) {
    options = [
      "seed": .string("\(seed)"),
      "taskTombstone": .integer(tasks.taskTombstone.microseconds),
      "queueTombstone": .integer(tasks.queueTombstone.microseconds),
      "retention": .integer(tasks.retention.microseconds),
      "burstSize": tasks.burstSize.map { .integer(Int64($0)) } ?? .null,
    ]
  }

  /// The header as a line of a file.
  func line(_ kind: Kind) -> [UInt8] { JSONValue.object(members(kind)).encoded }

  /// Checks the header of an existing file.
  ///
  /// - Throws: ``JobError`` `invalidField` for a file that other options were given for.
  func check(_ line: ArraySlice<UInt8>, _ kind: Kind) throws(JobError) {
    let found = (try? JSONValue(parsing: Array(line))) ?? .null
    let members = members(kind)
    guard found[kind.rawValue] == members[kind.rawValue] else {
      throw JobError(
        .invalidField, "This is no \(kind.rawValue) of the emulator. Choose another folder.", field: "--data")
    }
    for name in members.keys.sorted() where found[name] ?? .null != members[name] {
      throw JobError(
        .invalidField,
        "The \(kind.rawValue) was begun with another \(name): \(found[name]?.text ?? "none") in place of "
          + "\(members[name]?.text ?? "none"). Start the emulator as before, or choose another folder.",
        field: "--data")
    }
  }

  private func members(_ kind: Kind) -> [String: JSONValue] {
    var members = options
    members[kind.rawValue] = "cloud-jobs emulator"
    members["version"] = .integer(kind.version)
    return members
  }
}
