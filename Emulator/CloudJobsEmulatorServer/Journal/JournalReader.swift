import CloudJobsCore
import CloudJobsEmulator

/// Makes what the journal of a data folder tells happen again.
struct JournalReader {
  let folder: any FolderFiles
  let header: JournalHeader

  /// The services as the latest whole snapshot and all records since then leave them.
  ///
  /// What is half written at the end of the latest generation was acknowledged to nobody, and is cut off. A journal is
  /// begun where there is none.
  ///
  /// - Parameter initial: the state that generation 0 begins at.
  /// - Returns: the recovery, with all records applied, and where the journal goes on.
  /// - Throws: ``JobError`` where a file is missing, can't be read, or has a line that is no record.
  func recover(from initial: EmulatorState) throws(JobError) -> (EmulatorRecovery, JournalPosition) {
    let names = Set(try folder.names())
    let generations = Set(names.compactMap { JournalNames.generation(of: $0) })
    let snapshots = generations.filter { names.contains(JournalNames.snapshot($0)) }.sorted(by: >)
    var journals = generations.filter { names.contains(JournalNames.journal($0)) }
    if snapshots.isEmpty, journals.isEmpty {
      try begin(0)
      journals = [0]
    }
    var recovery = EmulatorRecovery(initial)
    var position = JournalPosition(generation: 0)
    for generation in snapshots {
      let file = SnapshotFile(folder: folder, header: header, generation: generation)
      guard let (snapshot, bytes) = try file.read(onto: initial) else { continue }
      recovery = EmulatorRecovery(initial, from: snapshot)
      position = JournalPosition(generation: generation, snapshotBytes: bytes)
      break
    }
    let latest = max(position.generation, journals.max() ?? 0)
    for generation in position.generation...latest {
      guard journals.contains(generation) else { throw Self.missing(generation, snapshots) }
      position.journalBytes += try replay(generation, isLatest: generation == latest, into: &recovery)
    }
    position.generation = latest
    return (recovery, position)
  }

  /// Replays a generation's records; answers how many bytes they have.
  private func replay(
    _ generation: Int, isLatest: Bool, into recovery: inout EmulatorRecovery
  ) throws(JobError) -> Int {
    let name = JournalNames.journal(generation)
    let face = RESTFace()
    let size = try folder.readLines(name) { (line, number) throws(JobError) in
      guard number > 1 else { return try header.check(line, .journal) }
      let unreadable = Self.failure(
        "Line \(number) of \(name) is no record. Remove the file, or choose another folder.")
      guard let json = try? JSONValue(parsing: Array(line), limits: .service), let record = JournalRecord(json: json)
      else { throw unreadable }
      try recovery.apply(record) { (json, state, time) throws(JobError) in
        guard let request = RESTRequest(json: json) else { throw unreadable }
        _ = face.respond(to: request, state: &state, at: time)
      }
    }
    if size.torn == 0, size.whole > 0 { return size.whole }
    guard isLatest else {
      throw Self.failure("\(name) breaks off, though later records exist. Put the folder back from a copy.")
    }
    if size.whole > 0 { try folder.truncate(name, to: size.whole) } else { try begin(generation) }
    return size.whole
  }

  private func begin(_ generation: Int) throws(JobError) {
    try folder.create(JournalNames.journal(generation), header.line(.journal) + [UInt8(ascii: "\n")])
  }

  private static func missing(_ generation: Int, _ snapshots: [Int]) -> JobError {
    let damaged = snapshots.filter { $0 > generation }.map { "\(JournalNames.snapshot($0)) is damaged, and " }
    return failure(
      damaged.joined() + "\(JournalNames.journal(generation)) is missing. Put the folder back from a copy, or choose "
        + "another.")
  }

  private static func failure(_ message: String) -> JobError {
    JobError(.storeUnavailable, message, field: "--data")
  }
}
