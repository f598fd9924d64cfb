#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// Failed runs of one job with the same error.
struct DeadLetterGroup: Sendable {
  /// The length of a key, in hexadecimal digits.
  static let keyLength = 16
  /// The maximum length of an error, in characters.
  static let maximumError = 300

  var groupJob: String
  var groupKind: String
  /// The error without its numbers.
  var groupError: String
  var groupCount: Int
  var groupKey: String
  var latest: Timestamp
  var first: Timestamp
  var latestRun: RunID
  /// What became of the runs: their numbers by state.
  var groupRepeats: [RepeatState.Kind: Repeats] = [:]

  /// Runs of a group whose repeats are in one state.
  struct Repeats: Hashable, Sendable {
    /// The number of runs.
    var count: Int
    /// The run that repeats the latest of them; nil if they are not repeated.
    var run: RunID?
  }

  /// Returns the key of a failed run's group: the hash of its job and its error.
  ///
  /// - Parameter run: the run as it is shown, with confidential values replaced.
  /// - Returns: hexadecimal digits.
  static func key(of run: Run) -> String {
    let text = [run.job.rawValue, run.failure?.kind ?? "", error(of: run)].joined(separator: "\u{0}")
    return String(SHA256.hexDigest(of: text.utf8).prefix(keyLength))
  }

  /// Returns the error of a run with `…` in place of numbers and ids, which differ from run to run.
  static func error(of run: Run) -> String {
    normalized(run.failure?.message ?? run.reason ?? "")
  }

  /// Returns the first line of a message with `…` in place of each word part that has a digit.
  static func normalized(_ message: String) -> String {
    let line = message.prefix(maximumError).prefix { !$0.isNewline }
    var result = ""
    var word = ""
    func flush() {
      result += word.contains { $0.isNumber } ? (result.hasSuffix("…") ? "" : "…") : word
      word = ""
    }
    for character in line {
      if character.isLetter || character.isNumber || character == "-" || character == "_" {
        word.append(character)
      } else {
        flush()
        result.append(character)
      }
    }
    flush()
    return result
  }

  /// Groups failed runs, the largest group first and then by the latest run.
  ///
  /// - Parameters:
  ///   - runs: the runs as they are shown, latest first.
  ///   - repeats: the runs that repeat them.
  /// - Returns: the groups.
  static func groups(of runs: [Run], _ repeats: RunRepeats = RunRepeats()) -> [DeadLetterGroup] {
    var groups: [String: DeadLetterGroup] = [:]
    for run in runs {
      let key = key(of: run)
      let time = run.finishedAt ?? run.createdAt
      var group =
        groups[key]
        ?? DeadLetterGroup(
          groupJob: run.job.rawValue, groupKind: run.failure?.kind ?? "", groupError: error(of: run), groupCount: 0,
          groupKey: key, latest: time, first: time, latestRun: run.id)
      group.groupCount += 1
      if time > group.latest { (group.latest, group.latestRun) = (time, run.id) }
      group.first = min(group.first, time)
      if let state = repeats.state(of: run) {
        group.groupRepeats[state.kind, default: Repeats(count: 0, run: state.run)].count += 1
      }
      groups[key] = group
    }
    return groups.values.sorted { ($1.groupCount, $1.latest, $0.groupKey) < ($0.groupCount, $0.latest, $1.groupKey) }
  }
}
#endif
