#if HTTP
import TestSupport
import Testing

@testable import CloudJobsHTTP

@Suite("HTTP client: order of transfers")
struct TransferQueueTests {
  @Test("hosts take turns, each in order, under both limits")
  func turns() {
    var queue = TransferQueue(maxPerHost: 2, maxTotal: 5)
    for id in 1...4 { queue.append(UInt64(id), host: "a") }
    for id in 11...13 { queue.append(UInt64(id), host: "b") }
    queue.append(21, host: "c")
    var started: [UInt64] = []
    while let id = queue.next() { started.append(id) }
    #expect(started == [1, 11, 21, 2, 12])
    queue.finish(host: "c")
    #expect(queue.next() == nil)
    queue.finish(host: "b")
    #expect(queue.next() == 13)
    #expect(queue.next() == nil)
  }

  @Test("a removed transfer never starts, and a host without transfers is removed")
  func removal() {
    var queue = TransferQueue(maxPerHost: 1, maxTotal: 9)
    for id in 1...5 { queue.append(UInt64(id), host: "a") }
    #expect(queue.next() == 1)
    for id in [2, 4, 5] { queue.remove(UInt64(id), host: "a") }
    queue.finish(host: "a")
    #expect(queue.next() == 3)
    queue.finish(host: "a")
    #expect(queue.next() == nil)
    #expect(queue.active == 0)
    #expect(queue.hostCount == 0)
  }

  @Test("equivalence with a simple model, in 20,000 random steps", arguments: [1, 2, 3])
  func model(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var queue = TransferQueue(maxPerHost: 3, maxTotal: 7)
    var waiting: [(id: UInt64, host: String)] = []
    var active: [String] = []
    var lastStarted: [String: UInt64] = [:]
    for step in 1...20_000 {
      let host = "host \(Int.random(in: 0..<5, using: &generator))"
      switch Int.random(in: 0..<4, using: &generator) {
      case 0:
        queue.append(UInt64(step), host: host)
        waiting.append((UInt64(step), host))
      case 1 where !waiting.isEmpty:
        let gone = waiting.remove(at: Int.random(in: 0..<waiting.count, using: &generator))
        queue.remove(gone.id, host: gone.host)
      case 2 where !active.isEmpty:
        queue.finish(host: active.remove(at: Int.random(in: 0..<active.count, using: &generator)))
      default:
        let mayStart = active.count < 7 && waiting.contains { item in active.count { $0 == item.host } < 3 }
        let id = queue.next()
        #expect((id != nil) == mayStart)
        guard let id, let index = waiting.firstIndex(where: { $0.id == id }) else { continue }
        let started = waiting.remove(at: index)
        #expect(lastStarted[started.host, default: 0] < id)
        lastStarted[started.host] = id
        active.append(started.host)
        #expect(active.count { $0 == started.host } <= 3)
      }
      #expect(queue.active == active.count)
    }
  }

  @Test("deadlines are ordered, also after compaction")
  func deadlines() {
    var heap = DeadlineHeap()
    var generator = SeededGenerator(seed: 7)
    let times = (0..<500).map { _ in Int.random(in: 0..<1000, using: &generator) }
    for (id, time) in times.enumerated() { heap.insert(UInt64(id), at: MonotonicTime(sinceStart: .seconds(time))) }
    heap.compact(live: 100) { $0 % 5 == 0 }
    #expect(heap.count == 100)
    var taken: [Int] = []
    while let id = heap.takeExpired(at: MonotonicTime(sinceStart: .seconds(500))) { taken.append(times[Int(id)]) }
    #expect(taken == times.enumerated().filter { $0.offset % 5 == 0 && $0.element <= 500 }.map(\.element).sorted())
    #expect(heap.earliest.map { $0.sinceStart > .seconds(500) } == true)
  }

  @Test(
    "milliseconds are rounded up and bounded",
    arguments: [
      (Duration.zero, 0), (.seconds(-5), 0), (.nanoseconds(1), 1), (.milliseconds(1), 1), (.microseconds(1001), 2),
      (.seconds(90), 90_000), (.seconds(1_000_000_000), Int(Int32.max)),
    ])
  func milliseconds(span: Duration, expected: Int) {
    let start = MonotonicTime(sinceStart: .seconds(1))
    #expect(start.milliseconds(until: start.advanced(by: span)) == expected)
  }
}
#endif
