import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Firestore: queries against a naive evaluator")
struct FirestoreDifferentialTests {
  @Test(
    "random queries between random changes give the same, now and in the past",
    arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func agreement(seed: UInt64) throws {
    var random = RandomQuery(generator: SplitMix64(seed: seed))
    var fixture = FirestoreFixture()
    var model: [String: Firestore.Document] = [:]
    var past: [(Timestamp, [Firestore.Document])] = []
    var (compared, results) = (0, 0)
    for round in 0..<1_500 {
      let id = "d\(random.below(60))"
      if random.below(5) == 0 {
        try fixture.delete("c/\(id)")
        model[id] = nil
      } else {
        model[id] = try fixture.set("c/\(id)", random.document())
      }
      let documents = Array(model.values)
      if round % 50 == 0 { past.append((fixture.now, documents)) }
      let query = random.query()
      let expected = NaiveQuery(query: query).ids(among: documents)
      do {
        #expect(try fixture.ids(query) == expected, "\(query)")
      } catch let fault as ServiceFault {
        #expect(fault.code == .invalidArgument)
        continue
      }
      compared += 1
      results += expected.count
      guard let (time, then) = past.randomElement(using: &random.generator), round % 3 == 0 else { continue }
      let earlier = try fixture.run(query, .readTime(time)).documents.map(\.name.path.id)
      #expect(earlier == NaiveQuery(query: query).ids(among: then), "\(query) at \(time)")
    }
    #expect(compared > 800)
    #expect(results > 2_000)
  }
}
