#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator

extension EmulatorServer {
  /// Goes on where the journal in the data folder ends; does nothing where there is no folder.
  ///
  /// - Throws: ``JobError`` where the folder or the journal can't be used.
  func recover(from folder: DataFolder?) throws(JobError) {
    guard let folder else { return }
    let header = JournalHeader(tasks: configuration.tasks, seed: configuration.seed)
    let reader = JournalReader(folder: folder, header: header)
    let (recovery, position) = try reader.recover(from: Self.initialState(configuration))
    emulator.resume(recovery, journal: RequestJournal(in: folder, header: header, from: position))
  }
}
#endif
