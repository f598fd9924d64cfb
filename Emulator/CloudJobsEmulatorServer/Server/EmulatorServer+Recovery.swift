#if Server && HTTP
import CloudJobsCore
import CloudJobsEmulator

extension EmulatorServer {
  /// Goes on where the journal in the data folder ends; does nothing where there is no folder.
  ///
  /// - Throws: ``JobError`` where the folder or the journal can't be used.
  func recover(from folder: DataFolder?) throws(JobError) {
    guard let folder else { return }
    let file = try JournalFile(in: folder)
    let header = JournalHeader(tasks: configuration.tasks, seed: configuration.seed)
    let recovery = try JournalReader(file: file, header: header).recover(from: Self.initialState(configuration))
    emulator.resume(recovery, journal: try RequestJournal(file, header: header))
  }
}
#endif
