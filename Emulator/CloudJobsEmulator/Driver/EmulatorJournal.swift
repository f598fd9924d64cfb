public import CloudJobsCore

/// Keeps all that happens to an emulator's services, so that another process can make it happen again.
///
/// The services are functions of what happens to them and when; so their state need not be kept, only these.
public protocol EmulatorJournal: Sendable {
  /// Takes a record, in the order of the records' effects; called under a lock, it must not wait for a device.
  ///
  /// - Parameter record: what happened.
  func append(_ record: JournalRecord)

  /// Forgets all records, as the services are back at their initial state.
  func restart()

  /// Suspends until all that was appended before the call would survive the loss of the machine's power.
  ///
  /// - Throws: ``JobError`` where a device fails; the journal then stays as it is for good.
  func flush() async throws(JobError)
}
