#if HTTP && Server
import Foundation
import Testing

/// A Firestore server that loses its response to the second commit, in a process that ends with this value.
final class LosingFirestore: Sendable {
  /// The server's address, such as `127.0.0.1:40001`.
  let host: String
  private let process: Process
  private let input: Pipe

  init() throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "losing_firestore.py")
    process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script.path]
    let output = Pipe()
    input = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(line.split(whereSeparator: \.isWhitespace).first, "python3 could not start the server")
    host = "127.0.0.1:\(port)"
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
#endif
