#if HTTP
import CZlib
import CloudJobsEmulator
import CloudJobsEmulatorWire

/// The gzip encoding of requests (RFC 1952, <https://www.rfc-editor.org/rfc/rfc1952>), by zlib.
enum Gzip {
  /// Returns the bytes that compressed ones stand for.
  ///
  /// - Parameters:
  ///   - bytes: the compressed bytes.
  ///   - limit: the maximum number of bytes to return.
  /// - Returns: the bytes.
  /// - Throws: ``ServiceFault`` `invalidArgument` for other bytes, or for a result that is too large.
  static func decompress(_ bytes: [UInt8], limit: Int) throws(ServiceFault) -> [UInt8] {
    var stream = z_stream()
    guard cloud_jobs_begin_gunzip(&stream) == Z_OK else {
      throw ServiceFault(.resourceExhausted, "There is no memory to decompress the request.")
    }
    defer { inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var state = Z_OK
    input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      while state == Z_OK, output.count <= limit {
        let count = chunk.count
        chunk.withUnsafeMutableBufferPointer { chunk in
          stream.next_out = chunk.baseAddress
          stream.avail_out = UInt32(count)
          state = inflate(&stream, Z_NO_FLUSH)
        }
        output += chunk[..<(count - Int(stream.avail_out))]
        // A body may have several members, one after the other.
        if state == Z_STREAM_END, stream.avail_in > 0 { state = inflateReset(&stream) }
      }
    }
    guard output.count <= limit else { throw .tooLarge(limit: limit) }
    guard state == Z_STREAM_END else { throw .invalidArgument("The body is not valid gzip.") }
    return output
  }
}
#endif
