import Foundation

/// The commands of a test to a program that it has started: lines on standard input, each answered by one line.
package enum CommandLines {
  /// The lines of standard input, read on a thread of their own.
  package static func all() -> AsyncStream<String> {
    AsyncStream { continuation in
      Thread.detachNewThread {
        while let line = readLine() { continuation.yield(line) }
        continuation.finish()
      }
    }
  }

  /// Writes the answer to a command.
  package static func answer(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}
