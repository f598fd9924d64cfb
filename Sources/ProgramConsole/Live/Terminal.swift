#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the process's surroundings say about its output.
package struct Terminal: Sendable {
  /// The number of columns; nil if standard output is no terminal.
  package var width: Int?
  /// Whether questions reach somebody who can answer: standard input and output are a terminal.
  package var isInteractive = false
  /// Whether colours may be written: to a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
  package var hasColours: Bool
  /// The IANA name of the machine's time zone; nil if it has none.
  package var timeZone: String?
  /// The store that `CLOUD_JOBS_STORE` names.
  package var store: String?

  /// Creates surroundings; by default those of a pipe.
  package init(width: Int? = nil, hasColours: Bool = false, timeZone: String? = nil, store: String? = nil) {
    self.width = width
    self.hasColours = hasColours
    self.timeZone = timeZone
    self.store = store
  }

  /// The surroundings of this process.
  package static var current: Terminal {
    var terminal = Terminal()
    if isatty(STDOUT_FILENO) == 1 {
      var size = winsize()
      let columns = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
      terminal.width = columns > 0 ? columns : variable("COLUMNS").flatMap { Int($0) }.map { max(20, $0) } ?? 80
      terminal.hasColours = variable("NO_COLOR") == nil && variable("TERM") != "dumb"
    }
    terminal.isInteractive = terminal.width != nil && isatty(STDIN_FILENO) == 1
    terminal.timeZone = variable("TZ") ?? linkedZone
    terminal.store = variable("CLOUD_JOBS_STORE")
    return terminal
  }

  private static func variable(_ name: String) -> String? {
    guard let text = getenv(name).map({ String(cString: $0) }), !text.isEmpty else { return nil }
    return text
  }

  /// The zone that `/etc/localtime` leads to.
  private static var linkedZone: String? {
    guard let path = realpath("/etc/localtime", nil) else { return nil }
    defer { free(path) }
    let text = String(cString: path)
    return text.firstRange(of: "zoneinfo/").map { String(text[$0.upperBound...]) }
  }
}
