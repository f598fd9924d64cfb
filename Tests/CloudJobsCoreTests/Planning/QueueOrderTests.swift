import CloudJobsCore
import Testing

@Suite("The order of queues")
struct QueueOrderTests {
  @Test(
    "Queues with work take turns by their weights",
    arguments: [
      (.standard, ["critical", "default", "low"], 10, ["critical": 6, "default": 3, "low": 1]),
      (.standard, ["default", "low"], 8, ["default": 6, "low": 2]),
      (.standard, ["low"], 5, ["low": 5]),
      (.standard, ["critical", "reports"], 7, ["critical": 6, "reports": 1]),
      (.weighted([:]), ["a", "b"], 6, ["a": 3, "b": 3]),
      (.weighted(["a": 0, "b": -4]), ["a", "b"], 6, ["a": 3, "b": 3]),
      (.weighted(["a": .max]), ["a", "b"], 1_000_001, ["a": 1_000_000, "b": 1]),
      (.strict(["critical", "default", "low"]), ["critical", "default", "low"], 9, ["critical": 9]),
      (.strict(["critical"]), ["a", "b"], 4, ["a": 4]),
    ] as [(QueueOrder, [String], Int, [String: Int])])
  func shares(_ order: QueueOrder, _ queues: [String], _ count: Int, _ expected: [String: Int]) {
    var turns = QueueTurns(order)
    var served: [String: Int] = [:]
    for _ in 0..<count { served[turns.next(among: queues), default: 0] += 1 }
    #expect(served == expected)
  }

  @Test("The turns of a heavy queue are spread, and no queue waits longer than the sum of the weights")
  func spread() {
    var turns = QueueTurns(.standard)
    let served = (0..<1_000).map { _ in turns.next(among: ["critical", "default", "low"]) }
    for (queue, longest) in [("critical", 2), ("default", 4), ("low", 10)] {
      let places = served.indices.filter { served[$0] == queue }
      #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 <= longest }, "\(queue)")
    }
  }

  @Test("A queue that had no work has saved no turns")
  func savings() {
    var turns = QueueTurns(.standard)
    for _ in 0..<1_000 { _ = turns.next(among: ["critical", "default"]) }
    let served = (0..<10).map { _ in turns.next(among: ["critical", "default", "low"]) }
    #expect(served.count { $0 == "low" } == 1)
  }

  @Test("Within a queue the higher priority comes first, then the longer wait; no queue means the standard one")
  func priorities() {
    var turns = QueueTurns(.weighted(["critical": 2]))
    let runs: [(name: String, queue: String?, priority: Int)] = [
      ("a", nil, 0), ("b", "critical", 0), ("c", "default", 3), ("d", "critical", 7), ("e", nil, 3), ("f", nil, -1),
      ("g", "critical", 7),
    ]
    let served = turns.order(runs) { ($0.queue, $0.priority) }
    #expect(served.map(\.name) == ["d", "c", "g", "b", "e", "a", "f"])
    var none = QueueTurns(.strict([]))
    #expect(none.order([Int]()) { _ in (nil, 0) }.isEmpty)
  }
}
