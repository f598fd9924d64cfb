import CloudJobsCore
import Synchronization

/// What was last logged about each job's document, so that the same is not logged with each look at it.
final class DocumentNotes: Sendable {
  private let texts = Mutex<[JobID: String]>([:])

  /// Notes a text about a job's document.
  ///
  /// - Parameters:
  ///   - text: what is to be logged; empty where nothing is.
  ///   - job: the job.
  /// - Returns: whether the text differs from the last one.
  func isNew(_ text: String, about job: JobID) -> Bool {
    texts.withLock { texts in (texts.updateValue(text, forKey: job) ?? "") != text }
  }
}
