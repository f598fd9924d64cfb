public import CloudJobsCore

/// Keeps all that happens to an emulator's services, so that another process can make it happen again.
///
/// The services are functions of what happens to them and when; so a snapshot of their state, or the state that they
/// began at, and the records since then tell all.
public protocol EmulatorJournal: Sendable {
  /// Takes a record, in the order of the records' effects; called under a lock, it must not wait for a device.
  ///
  /// - Parameter record: what happened.
  func append(_ record: JournalRecord)

  /// Suspends until all that was appended before the call would survive the loss of the machine's power.
  ///
  /// - Throws: ``JobError`` where a device fails; the journal then stays as it is for good.
  func flush() async throws(JobError)

  /// Whether there are so many records that a snapshot should take their place; false while one is being saved.
  var isSnapshotDue: Bool { get }

  /// Has the records from now on follow a snapshot; called under the same lock as ``append(_:)``.
  ///
  /// - Parameter snapshot: what the records so far led to. They are kept until it is saved.
  func cut(at snapshot: EmulatorSnapshot)

  /// Saves the snapshot of the latest cut, and lets go of the records that it takes the place of.
  ///
  /// - Throws: ``JobError`` where a device fails.
  func saveSnapshot() async throws(JobError)
}
