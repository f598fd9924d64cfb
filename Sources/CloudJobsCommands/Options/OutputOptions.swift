import ArgumentParser
import CloudJobsCore
import ProgramConsole

/// The options of how a command shows its result.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Prints JSON, whose shapes are documented and stay.")
  var json = false

  @Flag(help: "Shows times in UTC instead of this machine's zone.")
  var utc = false

  /// How times are shown.
  var times: TimeText {
    let zones = ZoneCatalog.system
    let own = utc ? nil : Terminal.current.timeZone.flatMap { try? zones.zone(named: $0) }
    guard let zone = own ?? (try? zones.zone(named: "UTC")) else { preconditionFailure("UTC is always known.") }
    return TimeText(zone: zone)
  }

  /// Prints a result: as JSON, or as the lines of a function.
  func show(_ value: JSONValue, _ lines: (JSONValue, TimeText) -> [String]) {
    if json {
      StandardStreams.writeLine(value.text)
    } else {
      for line in lines(value, times) { StandardStreams.writeLine(line) }
    }
  }

  /// Prints a table, or what to say of none.
  static func lines(_ table: TextTable, none: String) -> [String] {
    table.rows.isEmpty ? [none] : table.lines(width: Terminal.current.width)
  }
}
