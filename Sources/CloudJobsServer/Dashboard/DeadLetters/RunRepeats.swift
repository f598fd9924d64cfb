#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// What became of a dead letter after it was redriven.
struct RepeatState: Hashable, Sendable {
  /// The state of the run that repeats it.
  enum Kind: String, Hashable, Sendable, CaseIterable {
    /// No run repeats it, or that run's record is no longer stored.
    case notRepeated
    /// The run that repeats it has not ended.
    case underWay
    /// The run that repeats it has succeeded, so that nothing is left to be done.
    case succeeded
    /// The run that repeats it has failed too.
    case failed
    /// The run that repeats it was cancelled.
    case cancelled

    /// Creates the state of a run.
    init(of status: RunStatus) {
      switch status {
      case .scheduled, .pending, .running: self = .underWay
      case .succeeded: self = .succeeded
      case .failed: self = .failed
      case .cancelled: self = .cancelled
      }
    }

    /// The state in words, of one dead letter.
    var words: String {
      switch self {
      case .notRepeated: "not repeated"
      case .underWay: "repeat under way"
      case .succeeded: "repeat succeeded"
      case .failed: "repeat failed"
      case .cancelled: "repeat cancelled"
      }
    }

    /// Returns the state in words, of a number of dead letters.
    func words(of count: Int) -> String {
      let number = PageNumber.text(count)
      if self == .notRepeated { return "\(number) \(words)" }
      return "\(number) \(count == 1 ? words : words.replacing("repeat", with: "repeats"))"
    }
  }

  /// The state.
  var kind: Kind
  /// The run that repeats the dead letter, the last one if that was redriven too; nil if it is not repeated.
  var run: RunID?
}

/// A condition on what became of dead letters; other runs never match.
enum RepeatFilter: String, Hashable, Sendable, CaseIterable {
  /// Those that were not repeated with success: there is something left to be done.
  case open
  /// Those that were not repeated.
  case notRepeated
  /// Those whose repeat is under way.
  case underWay
  /// Those whose repeat succeeded.
  case succeeded
  /// Those whose repeat failed.
  case failed
  /// Those whose repeat was cancelled.
  case cancelled

  /// Returns whether a state is one of the condition.
  func matches(_ kind: RepeatState.Kind) -> Bool {
    self == .open ? kind != .succeeded : RepeatFilter(rawValue: kind.rawValue) == self
  }

  /// The choice in a form.
  var label: String {
    switch self {
    case .open: "not repeated with success"
    case .notRepeated: "not repeated"
    case .underWay: "under way"
    case .succeeded: "succeeded"
    case .failed: "failed"
    case .cancelled: "cancelled"
    }
  }

  /// The condition in words, after "runs".
  var words: String {
    switch self {
    case .open: "that were not repeated with success"
    case .notRepeated: "that were not repeated"
    case .underWay: "whose repeat is under way"
    case .succeeded: "whose repeat succeeded"
    case .failed: "whose repeat failed"
    case .cancelled: "whose repeat was cancelled"
    }
  }
}

/// The runs that repeat the dead letters of a page.
///
/// The id of such a run derives from that of the run that it repeats. So one read by ids finds the repeats of up to 500
/// dead letters, in every store and by its primary key, and a dead letter need not be changed to be found repeated.
struct RunRepeats: Sendable {
  /// The number of reads, and so of repeats of repeats that are followed.
  static let maximumReads = 3

  private let runs: [RunID: Run]

  /// Creates the repeats from runs by their ids.
  init(_ runs: [RunID: Run] = [:]) { self.runs = runs }

  /// Reads the repeats of dead letters.
  ///
  /// - Parameters:
  ///   - runs: at most 500 runs; those that have not failed are passed over.
  ///   - runtime: the runtime of their store.
  /// - Throws: ``/CloudJobsCore/JobError`` `storeUnavailable`.
  init(of runs: [Run], in runtime: JobRuntime) async throws(JobError) {
    var found: [RunID: Run] = [:]
    var ended = runs.filter { $0.status == .failed }
    for _ in 0..<Self.maximumReads where !ended.isEmpty {
      let ids = Set(ended.map(\.redriveID)).subtracting(found.keys)
      let repeats = try await runtime.runs(withIDs: Array(ids))
      found.merge(repeats) { $1 }
      ended = repeats.values.filter { $0.status == .failed || $0.status == .cancelled }
    }
    self.runs = found
  }

  /// Returns what became of a dead letter; nil for a run that is none.
  func state(of run: Run) -> RepeatState? {
    guard run.status == .failed else { return nil }
    var state = RepeatState(kind: .notRepeated)
    var id = run.redriveID
    for _ in 0..<Self.maximumReads {
      guard let next = runs[id] else { break }
      state = RepeatState(kind: RepeatState.Kind(of: next.status), run: next.id)
      id = next.redriveID
    }
    return state
  }

  /// Returns whether a run is a dead letter with something left to be done.
  func isOpen(_ run: Run) -> Bool { state(of: run).map { RepeatFilter.open.matches($0.kind) } ?? false }
}

/// What became of a dead letter, as pages show it.
struct RepeatView: Sendable {
  var repeatText: String
  /// The path of the run that repeats it, or of a list of dead letters; nil for none.
  var repeatHref: String?

  /// Creates the view of a dead letter.
  init(_ state: RepeatState, _ context: DashboardContext) {
    repeatText = state.kind.words
    repeatHref = state.run.map { context.link(RunPages.segment, $0.rawValue).href }
  }

  /// Creates the view of some dead letters.
  init(_ text: String, href: String?) { (repeatText, repeatHref) = (text, href) }
}
#endif
