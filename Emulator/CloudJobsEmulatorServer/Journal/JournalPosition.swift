/// Where in a data folder a journal goes on.
struct JournalPosition {
  /// The latest generation.
  var generation: Int
  /// The size of the snapshot that was recovered from, 0 where there was none.
  var snapshotBytes = 0
  /// The size of the records since then.
  var journalBytes = 0
}
