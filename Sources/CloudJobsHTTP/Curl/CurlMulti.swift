#if HTTP
import CCurl

/// The multi handle: all transfers of one I/O thread, with their kept connections.
///
/// Only called on that thread.
final class CurlMulti {
  private let handle: UnsafeMutableRawPointer
  /// The handle that wakes the thread out of ``poll(milliseconds:)``.
  let wakeUp: CurlWakeUp

  /// Creates a multi handle with a limit of kept connections; nil if libcurl can't create one.
  init?(maxConnections: Int) {
    _ = CurlLibrary.shared
    guard let handle = curl_multi_init() else { return nil }
    self.handle = handle
    wakeUp = CurlWakeUp(multi: handle)
    cloud_jobs_multi_set_long(handle, CURLMOPT_MAXCONNECTS, maxConnections)
  }

  deinit {
    curl_multi_cleanup(handle)
  }

  /// Starts a transfer; returns the reason if that fails.
  func add(_ easy: CurlEasy) -> CurlCode? {
    let code = curl_multi_add_handle(handle, easy.handle)
    return code == CURLM_OK ? nil : CurlCode(number: CURLE_FAILED_INIT.rawValue)
  }

  /// Removes a transfer, and closes its connection if it is incomplete.
  func remove(_ easy: CurlEasy) {
    curl_multi_remove_handle(handle, easy.handle)
  }

  /// Makes progress without waiting.
  func perform() {
    var running: Int32 = 0
    curl_multi_perform(handle, &running)
  }

  /// Returns the id and the result of a finished transfer; nil if there is none.
  func nextDone() -> (id: UInt64?, code: CurlCode)? {
    var code = CURLE_OK
    guard let easy = cloud_jobs_multi_next_done(handle, &code) else { return nil }
    return (CurlEasy.transferID(of: easy), CurlCode(number: code.rawValue))
  }

  /// Waits for the network, a timer of the library, a call of ``wakeUp``, or the timeout.
  func poll(milliseconds: Int) {
    curl_multi_poll(handle, nil, 0, Int32(milliseconds), nil)
  }
}

/// A handle that wakes an I/O thread out of its poll.
///
/// Unchecked because it holds the I/O thread's multi handle: `curl_multi_wakeup` is the one function that other threads
/// may call (https://curl.se/libcurl/c/curl_multi_wakeup.html), and the mailbox drops this value under its lock before
/// the thread frees the handle.
struct CurlWakeUp: @unchecked Sendable {
  private let multi: UnsafeMutableRawPointer

  init(multi: UnsafeMutableRawPointer) {
    self.multi = multi
  }

  /// Wakes the thread, or makes its next poll return immediately.
  func wake() {
    curl_multi_wakeup(multi)
  }
}
#endif
