#if HTTP
import CCurl

/// The multi handle: all transfers of one I/O thread, with their kept connections.
///
/// Only that thread calls it.
final class CurlMulti {
  private let handle: UnsafeMutableRawPointer
  /// What wakes the thread out of ``poll(milliseconds:)``.
  let wakeUp: CurlWakeUp

  /// A multi handle that keeps so many connections; nil where the library can't make one.
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

  /// Starts a transfer; answers the reason where it can't.
  func add(_ easy: CurlEasy) -> CurlCode? {
    let code = curl_multi_add_handle(handle, easy.handle)
    return code == CURLM_OK ? nil : CurlCode(number: CURLE_FAILED_INIT.rawValue)
  }

  /// Ends a transfer's part in the multi handle, and closes its connection where the transfer is not complete.
  func remove(_ easy: CurlEasy) {
    curl_multi_remove_handle(handle, easy.handle)
  }

  /// Does what can be done without waiting.
  func perform() {
    var running: Int32 = 0
    curl_multi_perform(handle, &running)
  }

  /// The number and the code of a transfer that has ended.
  func nextDone() -> (id: UInt64?, code: CurlCode)? {
    var code = CURLE_OK
    guard let easy = cloud_jobs_multi_next_done(handle, &code) else { return nil }
    return (CurlEasy.transferID(of: easy), CurlCode(number: code.rawValue))
  }

  /// Waits for the network, for one of the library's timers, for a call of ``wakeUp``, or for so long.
  func poll(milliseconds: Int) {
    curl_multi_poll(handle, nil, 0, Int32(milliseconds), nil)
  }
}
#endif
