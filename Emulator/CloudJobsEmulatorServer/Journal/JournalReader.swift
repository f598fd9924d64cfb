import CloudJobsCore
import CloudJobsEmulator

/// Makes what a journal's file tells happen again.
struct JournalReader {
  let file: JournalFile
  let header: JournalHeader

  /// The services as the file's records leave them.
  ///
  /// - Parameter initial: the state that they begin at.
  /// - Returns: the recovery, with all records applied.
  /// - Throws: ``JobError`` where the file can't be read or has a line that is no record.
  func recover(from initial: EmulatorState) throws(JobError) -> EmulatorRecovery {
    var recovery = EmulatorRecovery(initial)
    let face = RESTFace()
    try file.readLines { (line, number) throws(JobError) in
      let json = try? JSONValue(parsing: Array(line), limits: .service)
      guard number > 1 else { return try header.check(json ?? .null) }
      guard let record = json.flatMap({ JournalRecord(json: $0) }) else { throw Self.unreadable(number) }
      try recovery.apply(record) { (json, state, time) throws(JobError) in
        guard let request = RESTRequest(json: json) else { throw Self.unreadable(number) }
        _ = face.respond(to: request, state: &state, at: time)
      }
    }
    return recovery
  }

  private static func unreadable(_ line: Int) -> JobError {
    JobError(
      .storeUnavailable, "Line \(line) of \(JournalFile.name) is no record. Remove the file, or choose another folder.",
      field: "--data")
  }
}
