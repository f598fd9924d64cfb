import CloudJobsCore
import Synchronization

/// What handlers did, for tests to look at.
final class Effects: Sendable {
  private let all = Mutex<[String]>([])

  var list: [String] { all.withLock { $0 } }
  var count: Int { all.withLock { $0.count } }

  func add(_ text: String) { all.withLock { $0.append(text) } }

  /// Adds an effect and answers how many there are.
  func number(_ text: String = "") -> Int {
    all.withLock {
      $0.append(text)
      return $0.count
    }
  }
}
