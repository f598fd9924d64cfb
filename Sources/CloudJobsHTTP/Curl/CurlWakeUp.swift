#if HTTP
import CCurl

/// Wakes an I/O thread out of its poll.
///
/// Unchecked because it holds the multi handle, which is the thread's: `curl_multi_wakeup` is the one function that
/// other threads may call (https://curl.se/libcurl/c/curl_multi_wakeup.html), and the mailbox drops this value under
/// its lock before the thread frees the handle.
struct CurlWakeUp: @unchecked Sendable {
  private let multi: UnsafeMutableRawPointer

  init(multi: UnsafeMutableRawPointer) {
    self.multi = multi
  }

  /// Wakes the thread, or lets its next poll return at once.
  func wake() {
    curl_multi_wakeup(multi)
  }
}
#endif
