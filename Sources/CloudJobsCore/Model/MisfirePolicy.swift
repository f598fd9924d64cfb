/// What becomes of the times of a schedule that nobody was there to serve.
public enum MisfirePolicy: Hashable, Sendable {
  /// They are dropped; only a time within the grace span still runs.
  case skip
  /// They collapse into one run, for the latest of them.
  case once
  /// The latest k of them run, oldest first.
  case catchUp(Int)

  /// The most that `catchUp` may ask for.
  public static let maximumCatchUp = 1_000

  /// The policy as it stands in a job document: `skip`, `once`, `catchUp(3)`.
  public init?(_ text: String) {
    switch text {
    case "skip": self = .skip
    case "once": self = .once
    default:
      guard text.hasPrefix("catchUp("), text.hasSuffix(")"), let count = Int(text.dropFirst(8).dropLast()),
        (1...Self.maximumCatchUp).contains(count)
      else { return nil }
      self = .catchUp(count)
    }
  }

  /// The policy as it stands in a job document.
  public var text: String {
    switch self {
    case .skip: "skip"
    case .once: "once"
    case .catchUp(let count): "catchUp(\(count))"
    }
  }
}
