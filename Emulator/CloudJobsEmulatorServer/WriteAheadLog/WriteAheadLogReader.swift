import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire

/// The recovery of the services from the write-ahead log of a data folder.
struct WriteAheadLogReader {
  let folder: any FolderFiles
  let header: WriteAheadLogHeader

  /// Restores the services from the latest intact snapshot and all later records.
  ///
  /// An incomplete record at the end of the latest generation was never acknowledged and is removed. If there is no
  /// log, one is created.
  ///
  /// - Parameter initial: the initial state of generation 0.
  /// - Returns: the recovery with all records applied, and the position at which the log continues.
  /// - Throws: ``JobError`` if a file is missing, cannot be read, or contains an invalid record.
  func recover(from initial: EmulatorState) throws(JobError) -> (EmulatorRecovery, WriteAheadLogPosition) {
    let names = Set(try folder.names())
    let generations = Set(names.compactMap { WriteAheadLogFileNames.generation(of: $0) })
    let snapshots = generations.filter { names.contains(WriteAheadLogFileNames.snapshot($0)) }.sorted(by: >)
    var logs = generations.filter { names.contains(WriteAheadLogFileNames.log($0)) }
    if snapshots.isEmpty, logs.isEmpty {
      try begin(0)
      logs = [0]
    }
    var recovery = EmulatorRecovery(initial)
    var position = WriteAheadLogPosition(generation: 0)
    for generation in snapshots {
      let file = SnapshotFile(folder: folder, header: header, generation: generation)
      guard let (snapshot, bytes) = try file.read(onto: initial) else { continue }
      recovery = EmulatorRecovery(initial, from: snapshot)
      position = WriteAheadLogPosition(generation: generation, snapshotBytes: bytes)
      break
    }
    let latest = max(position.generation, logs.max() ?? 0)
    for generation in position.generation...latest {
      guard logs.contains(generation) else { throw Self.missing(generation, snapshots) }
      position.logBytes += try replay(generation, isLatest: generation == latest, into: &recovery)
    }
    position.generation = latest
    return (recovery, position)
  }

  /// Replays a generation's records and returns their size in bytes.
  private func replay(
    _ generation: Int, isLatest: Bool, into recovery: inout EmulatorRecovery
  ) throws(JobError) -> Int {
    let name = WriteAheadLogFileNames.log(generation)
    let methods = MethodTable.google
    let size = try folder.readLines(name) { (line, number) throws(JobError) in
      guard number > 1 else { return try header.check(line, .log) }
      let unreadable = Self.failure(
        "Line \(number) of \(name) is not a valid record. Remove the file, or choose another folder.")
      guard let json = try? JSONValue(parsing: Array(line), limits: .service),
        let record = WriteAheadLogRecord(json: json)
      else { throw unreadable }
      try recovery.apply(record) { (json, state, time) throws(JobError) in
        guard let call = MethodCall(json: json, in: methods) else { throw unreadable }
        _ = try? methods.perform(call, &state, at: time)
      }
    }
    if size.torn == 0, size.whole > 0 { return size.whole }
    guard isLatest else {
      throw Self.failure("\(name) is incomplete although later records exist. Restore the folder from a backup.")
    }
    if size.whole > 0 { try folder.truncate(name, to: size.whole) } else { try begin(generation) }
    return size.whole
  }

  private func begin(_ generation: Int) throws(JobError) {
    try folder.create(WriteAheadLogFileNames.log(generation), header.line(.log) + [UInt8(ascii: "\n")])
  }

  private static func missing(_ generation: Int, _ snapshots: [Int]) -> JobError {
    let damaged = snapshots.filter { $0 > generation }.map { "\(WriteAheadLogFileNames.snapshot($0)) is damaged, and " }
    return failure(
      damaged.joined()
        + "\(WriteAheadLogFileNames.log(generation)) is missing. Restore the folder from a backup, or choose "
        + "another.")
  }

  private static func failure(_ message: String) -> JobError {
    JobError(.storeUnavailable, message, field: "--data")
  }
}
