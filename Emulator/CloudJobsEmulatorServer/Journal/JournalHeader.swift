import CloudJobsCore
import CloudJobsEmulator

/// The first line of a journal: what the records mean depends on it.
struct JournalHeader: Hashable {
  /// The form of the records.
  static let version: Int64 = 1
  private let options: [String: JSONValue]

  /// The header of an emulator with these options.
  init(tasks: CloudTasks.Options, seed: UInt64) {
    options = [
      "journal": "cloud-jobs emulator", "version": .integer(Self.version), "seed": .string("\(seed)"),
      "taskTombstone": .integer(tasks.taskTombstone.microseconds),
      "queueTombstone": .integer(tasks.queueTombstone.microseconds),
      "retention": .integer(tasks.retention.microseconds),
      "burstSize": tasks.burstSize.map { .integer(Int64($0)) } ?? .null,
    ]
  }

  /// The header as JSON.
  var json: JSONValue { .object(options) }

  /// Checks the header of an existing journal.
  ///
  /// - Throws: ``JobError`` `invalidField` for a journal that other options were given for.
  func check(_ found: JSONValue) throws(JobError) {
    guard found["journal"] == options["journal"] else {
      throw JobError(.invalidField, "This is no journal of the emulator. Choose another folder.", field: "--data")
    }
    for name in options.keys.sorted() where found[name] ?? .null != options[name] {
      throw JobError(
        .invalidField,
        "The journal was begun with another \(name): \(found[name]?.text ?? "none") in place of "
          + "\(options[name]?.text ?? "none"). Start the emulator as before, or choose another folder.",
        field: "--data")
    }
  }
}
