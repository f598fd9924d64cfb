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
  /// - Throws: ``JobError`` if a file is missing, cannot be read, or was changed; the folder is as it was then.
  func recover(from initial: EmulatorState) throws(JobError) -> (EmulatorRecovery, WriteAheadLogPosition) {
    let names = Set(try folder.names())
    let generations = Set(names.compactMap { WriteAheadLogFileNames.generation(of: $0) })
    let snapshots = generations.filter { names.contains(WriteAheadLogFileNames.snapshot($0)) }.sorted(by: >)
    var logs = generations.filter { names.contains(WriteAheadLogFileNames.log($0)) }
    let acknowledged = try AcknowledgedPosition(folder: folder).read()
    if snapshots.isEmpty, logs.isEmpty, acknowledged?.count ?? 0 == 0 {
      let header = header.line(.log, 0, after: RecordChain())
      try folder.create(WriteAheadLogFileNames.log(0), header + [UInt8(ascii: "\n")])
      logs = [0]
    }
    var replay = Replay(reader: self, recovery: EmulatorRecovery(initial), acknowledged: acknowledged)
    var position = WriteAheadLogPosition(generation: 0)
    for generation in snapshots {
      let file = SnapshotFile(folder: folder, header: header, generation: generation)
      guard let (snapshot, chain, bytes) = try file.read(onto: initial) else { continue }
      replay.recovery = EmulatorRecovery(initial, from: snapshot)
      replay.chain = chain
      position = WriteAheadLogPosition(generation: generation, snapshotBytes: bytes)
      break
    }
    let latest = max(position.generation, logs.max() ?? 0)
    for generation in position.generation...latest {
      guard logs.contains(generation) else { throw Self.missing(generation, snapshots) }
      position.logBytes += try replay.run(generation, isLatest: generation == latest)
    }
    try replay.checkEnd(of: latest)
    if replay.tornBytes > 0 { try folder.truncate(WriteAheadLogFileNames.log(latest), to: replay.latestBytes) }
    // Records that a killed process wrote may not be on the device yet, and the position must not be ahead of it.
    try folder.sync(WriteAheadLogFileNames.log(latest))
    try AcknowledgedPosition(folder: folder).create(replay.chain)
    position.generation = latest
    position.chain = replay.chain
    return (replay.recovery, position)
  }

  private static func missing(_ generation: Int, _ snapshots: [Int]) -> JobError {
    let damaged = snapshots.filter { $0 > generation }.map { "\(WriteAheadLogFileNames.snapshot($0)) is damaged, and " }
    return damage(damaged.joined() + "\(WriteAheadLogFileNames.log(generation)) is missing.")
  }

  /// Returns the error for a folder that other hands have changed.
  static func damage(_ message: String) -> JobError {
    JobError(
      .storeUnavailable, "\(message) Restore the folder from a backup, or remove it to begin anew.", field: "--data")
  }
}

/// The replay of a log's files, one generation after the other.
private struct Replay {
  let reader: WriteAheadLogReader
  var recovery: EmulatorRecovery
  /// The place after the last record.
  var chain = RecordChain()
  /// The place up to which records were acknowledged; nil if that is not known.
  let acknowledged: RecordChain?
  /// The sizes of the latest file's complete lines and of an incomplete record after them.
  private(set) var (latestBytes, tornBytes) = (0, 0)

  init(reader: WriteAheadLogReader, recovery: EmulatorRecovery, acknowledged: RecordChain?) {
    self.reader = reader
    self.recovery = recovery
    self.acknowledged = acknowledged
  }

  /// Replays a generation's records and returns their size in bytes.
  mutating func run(_ generation: Int, isLatest: Bool) throws(JobError) -> Int {
    let name = WriteAheadLogFileNames.log(generation)
    let methods = MethodTable.google
    let header = reader.header
    var (chain, recovery) = (chain, recovery)
    let size = try reader.folder.readLines(name) { (line, number) throws(JobError) in
      guard number > 1 else {
        guard try header.check(line, .log, generation) == chain else {
          throw WriteAheadLogReader.damage("\(name) does not continue the file before it.")
        }
        return try checkPosition(at: chain, in: name)
      }
      guard let bytes = chain.read(line) else {
        throw WriteAheadLogReader.damage(
          "Line \(number) of \(name) is not record \(chain.count + 1) of the log: it was changed, or lines are missing."
        )
      }
      try checkPosition(at: chain, in: name)
      let unreadable = WriteAheadLogReader.damage("Line \(number) of \(name) is not a valid record.")
      guard let json = try? JSONValue(parsing: Array(bytes), limits: .service),
        let record = WriteAheadLogRecord(json: json)
      else { throw unreadable }
      try recovery.apply(record) { (json, state, time) throws(JobError) in
        guard let call = MethodCall(json: json, in: methods) else { throw unreadable }
        _ = try? methods.perform(call, &state, at: time)
      }
    }
    guard size.whole > 0 else { throw WriteAheadLogReader.damage("\(name) is empty.") }
    guard size.torn == 0 || isLatest else {
      throw WriteAheadLogReader.damage("\(name) is incomplete although later records exist.")
    }
    (self.chain, self.recovery) = (chain, recovery)
    (latestBytes, tornBytes) = size
    return size.whole
  }

  /// Refuses a position that other records led to.
  private func checkPosition(at chain: RecordChain, in name: String) throws(JobError) {
    guard acknowledged?.count == chain.count, acknowledged != chain else { return }
    throw WriteAheadLogReader.damage("\(AcknowledgedPosition.name) is not that of \(name).")
  }

  /// Refuses a log that ends before what was acknowledged.
  func checkEnd(of generation: Int) throws(JobError) {
    guard let acknowledged else {
      guard chain.count == 0 else { throw WriteAheadLogReader.damage("\(AcknowledgedPosition.name) is missing.") }
      return
    }
    guard acknowledged.count <= chain.count else {
      throw WriteAheadLogReader.damage(
        "\(WriteAheadLogFileNames.log(generation)) ends with record \(chain.count) of \(acknowledged.count).")
    }
  }
}
