/// When a snapshot takes the place of records.
enum SnapshotRule {
  /// As many bytes of records may always come before it.
  static let minimumBytes = 4 << 20

  /// Whether a snapshot is due, so that a folder stays in proportion to the state, and writing it to the requests.
  ///
  /// - Parameters:
  ///   - journalBytes: the size of the records since the last snapshot.
  ///   - snapshotBytes: the size of the last snapshot, 0 where there is none.
  /// - Returns: whether it is.
  static func isDue(journalBytes: Int, snapshotBytes: Int) -> Bool {
    journalBytes > max(minimumBytes, 2 * snapshotBytes)
  }
}
