import CloudJobsCore
import TestSupport
import Testing

@testable import CloudJobs

@Suite("Ordered times")
struct OrderedTimesTests {
  private func time(_ seconds: Int) -> Timestamp { Timestamp(seconds: Int64(seconds)) }

  @Test("Many changes leave what a dictionary and a sort leave", arguments: [1, 2, 3] as [UInt64])
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var times = OrderedTimes<Int>()
    var model = [Int: Timestamp]()
    for step in 0..<6_000 {
      let id = Int.random(in: 0..<3_000, using: &random)
      let new = Int.random(in: 0..<5, using: &random) == 0 ? nil : time(Int.random(in: 0..<400, using: &random))
      times.set(id, from: model[id], to: new)
      model[id] = new
      guard step % 300 == 0 else { continue }
      let sorted = model.map { (key: $0.value.microseconds, id: $0.key) }.sorted { $0 < $1 }
      let limit = time(Int.random(in: 0..<400, using: &random))
      let due = sorted.filter { $0.key <= limit.microseconds }
      #expect(times.entries(until: limit, after: nil, limit: .max).elementsEqual(due, by: ==))
      #expect(times.first?.microseconds == sorted.first?.key)
      #expect(times.first(after: limit)?.microseconds == sorted.first { $0.key > limit.microseconds }?.key)
      if let place = due.randomElement(using: &random) {
        let after = due.filter { place < $0 }.prefix(70)
        #expect(times.entries(until: limit, after: place, limit: 70).elementsEqual(after, by: ==))
      }
    }
    for (id, old) in model { times.set(id, from: old, to: nil) }
    #expect(times.first == nil && times.entries(until: .distantFuture, after: nil, limit: 1).isEmpty)
  }
}
