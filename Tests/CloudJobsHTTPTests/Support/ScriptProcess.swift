#if HTTP
import Foundation
import Testing

/// A Python script of this folder in a process that ends with this value.
final class ScriptProcess: Sendable {
  /// The words of the line that it printed when it was ready.
  let words: [String]
  private let process: Process
  private let input: Pipe

  /// Runs a script and waits for its first line.
  init(_ name: String) throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: name)
    process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script.path]
    let output = Pipe()
    input = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = Data()
    while !line.contains(0x0A) {
      let piece = output.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "\(name) could not start the test's servers")
      line += piece
    }
    words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
#endif
