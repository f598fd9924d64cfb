/// The leader among the instances that campaign under a name.
public struct LeaderLedger: Hashable, Sendable {
  /// The leader; nil if it has resigned.
  public var holder: String?
  /// The number of the term, greater than that of every earlier one: a fencing token.
  public var term: Int64
  /// The time until which the term lasts, by the store's clock, unless it is renewed.
  public var until: Timestamp
  /// The number of renewals of the term, so that each changes the ledger.
  public var renewals = 0
  /// The time after which the ledger may be deleted.
  public var expireAt: Timestamp { until + Self.retention }

  /// The time for which the ledger of a term that is over is kept.
  public static let retention = Duration.days(1)

  /// Creates a term.
  public init(holder: String?, term: Int64, until: Timestamp) {
    self.holder = holder
    self.term = term
    self.until = until
  }
}

extension LeaderLedger {
  init(_ reader: FieldReader) throws(JobError) {
    self.init(
      holder: try reader.string("holder"), term: try reader.required("term", reader.long("term")),
      until: try reader.required("until", reader.timestamp("until")))
    renewals = try reader.int("renewals", 0...Int.max) ?? 0
  }

  var fields: JSONValue {
    var members: [String: JSONValue] = [
      "kind": "leader", "term": .integer(term), "until": .string(until.description),
      "renewals": .integer(Int64(renewals)), "expireAt": .string(expireAt.description),
    ]
    members["holder"] = holder.map { .string($0) }
    return .object(members)
  }
}

/// The next step of an instance that wants to lead.
public enum CampaignStep: Hashable, Sendable {
  /// Write the ledger, under the version that was read; the instance leads then.
  case lead(LeaderLedger)
  /// Another instance leads until this time, unless it renews its term.
  case wait(until: Timestamp)
}

/// Returns the next step of an instance that wants to lead, or to lead on: total, and a function of its input alone.
///
/// The number of a term is the store's time in microseconds when it began, or more if an earlier term has that number:
/// it grows even if the ledger was deleted in between.
///
/// - Parameters:
///   - ledger: the stored ledger; nil if there is none.
///   - candidate: the name of the instance.
///   - term: the term in which the instance leads already; nil if it does not.
///   - span: the length of a term.
///   - now: the store's time.
/// - Returns: the step.
public func planCampaign(
  _ ledger: LeaderLedger?, candidate: String, term: Int64? = nil, span: Duration, at now: Timestamp
) -> CampaignStep {
  if var ledger, let term, ledger.term == term, ledger.holder == candidate {
    // No other instance has led since, even if the term was over for a moment.
    ledger.until = now + span
    ledger.renewals += 1
    return .lead(ledger)
  }
  // What the instance has written itself, without learning of it, holds up others alone.
  if let ledger, let holder = ledger.holder, holder != candidate, now < ledger.until {
    return .wait(until: ledger.until)
  }
  let number = max(now.microseconds, (ledger?.term ?? 0) + 1)
  return .lead(LeaderLedger(holder: candidate, term: number, until: now + span))
}
