#if Server && HTTP
import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A TCP connection for bytes that no client library would send.
///
/// Its calls block on Dispatch threads; a descriptor may be used on any thread.
final class RawConnection: Sendable {
  private let descriptor: CInt

  /// Connects to a port of this machine.
  init(port: Int) async {
    descriptor = await Self.blocking {
      #if canImport(Darwin)
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
      #else
      let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      #endif
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var limit = timeval(tv_sec: 30, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      _ = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      return descriptor
    }
  }

  deinit { close(descriptor) }

  /// Sends text; returns false if the peer has closed the connection.
  @discardableResult
  func send(_ text: String) async -> Bool {
    let descriptor = descriptor
    return await Self.blocking {
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { systemSend(descriptor, $0) }
        guard count > 0 else { return false }
        bytes = bytes.dropFirst(count)
      }
      return true
    }
  }

  /// Returns the text up to the end of the connection, or as much as arrives within 30 seconds.
  ///
  /// - Returns: the text, and whether the peer has closed the connection.
  func untilClosed() async -> (text: String, isClosed: Bool) {
    let descriptor = descriptor
    return await Self.blocking {
      var text = ""
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return (text, count == 0 || errno == ECONNRESET) }
        text += String(decoding: buffer.prefix(count), as: UTF8.self)
      }
    }
  }

  /// Returns the next bytes.
  func next() async -> String {
    let descriptor = descriptor
    return await Self.blocking {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }

  /// Returns whether nothing arrives for a while.
  func isSilent(milliseconds: Int32) async -> Bool {
    let descriptor = descriptor
    return await Self.blocking {
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      return poll(&poller, 1, milliseconds) == 0
    }
  }

  private static func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "raw-connection").async { continuation.resume(returning: body()) }
    }
  }
}

/// Calls the system's `send`, without a signal if the peer has closed the connection.
private func systemSend(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
  #if canImport(Darwin)
  send(descriptor, bytes.baseAddress, bytes.count, 0)
  #else
  send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
  #endif
}
#endif
