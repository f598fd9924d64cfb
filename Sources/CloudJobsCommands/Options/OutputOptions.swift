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
  ///
  /// - Throws: `ExitCode` 1 if the output can't be written, as when its reader has gone or the disk is full.
  func show(_ value: JSONValue, _ lines: (JSONValue, TimeText) -> [String]) throws {
    let hasColours = Terminal.current.hasColours
    let lines =
      json
      ? [value.text]
      : lines(value, times).map { Colours.rendered(TextTable.oneLine($0), hasColours: hasColours) }
    for line in lines where !StandardStreams.writeLine(line) {
      StandardStreams.writeErrorLine("Error: The output can't be written.")
      throw ExitCode(1)
    }
  }

  /// Prints a table, or what to say of none.
  static func lines(_ table: TextTable, none: String) -> [String] {
    let width = Terminal.current.width
    return table.rows.isEmpty ? TextTable.wrapped(none, width: width) : table.lines(width: width)
  }
}
