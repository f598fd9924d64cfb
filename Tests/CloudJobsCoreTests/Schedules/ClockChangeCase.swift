import CloudJobsCore
import Testing

/// A schedule over a change of the clock: all its runs from the first to the last of a list, in UTC.
struct ClockChangeCase: CustomTestStringConvertible, Sendable {
  let zone: String
  let expression: String
  let runs: [String]

  init(_ zone: String, _ expression: String, _ runs: String...) {
    self.zone = zone
    self.expression = expression
    self.runs = runs
  }

  var testDescription: String { "\(expression) in \(zone)" }
}
