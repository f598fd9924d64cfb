import Testing

@testable import CloudJobsCore

@Suite("Campaigns for leadership")
struct CampaignTests {
  private static let now = Timestamp(seconds: 1_000)
  private static let span = Duration.seconds(15)

  private static func ledger(_ holder: String?, term: Int64, until seconds: Int64) -> LeaderLedger {
    LeaderLedger(holder: holder, term: term, until: Timestamp(seconds: seconds))
  }

  @Test("Who leads follows from the ledger alone")
  func steps() {
    let fresh = Self.now.microseconds
    let cases: [(ledger: LeaderLedger?, term: Int64?, leads: Int64?)] = [
      // No instance leads: the term's number is the time.
      (nil, nil, fresh), (Self.ledger(nil, term: 5, until: 2_000), nil, fresh),
      // A term that is over; one whose number is ahead of the time.
      (Self.ledger("b", term: 5, until: 1_000), nil, fresh),
      (Self.ledger("b", term: fresh + 9, until: 999), nil, fresh + 10),
      // Another leads.
      (Self.ledger("b", term: 5, until: 1_001), nil, nil), (Self.ledger("b", term: 6, until: 1_001), 5, nil),
      // Its own term, also if it was over for a moment and no other took its place.
      (Self.ledger("a", term: 5, until: 1_001), 5, 5), (Self.ledger("a", term: 5, until: 900), 5, 5),
      // Its own earlier term, of which it knows nothing any more.
      (Self.ledger("a", term: 5, until: 1_001), nil, fresh), (Self.ledger("a", term: 5, until: 999), nil, fresh),
      (Self.ledger("a", term: fresh + 9, until: 1_001), nil, fresh + 10),
    ]
    for (ledger, term, leads) in cases {
      let step = planCampaign(ledger, candidate: "a", term: term, span: Self.span, at: Self.now)
      switch step {
      case .lead(let next):
        #expect(next.term == leads && next.holder == "a" && next.until == Self.now + Self.span)
        if let ledger { #expect(next != ledger, "each step changes the ledger") }
        #expect(next.expireAt > next.until)
      case .wait(let until): #expect(leads == nil && until == ledger?.until)
      }
    }
  }
}
