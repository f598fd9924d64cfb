import CloudJobsCore
import Testing

@testable import CloudJobsEmulator

@Suite("Collections")
struct CollectionTests {
  @Test("a sorted set agrees with a sorted array over random changes", arguments: [1, 2, 3] as [UInt64])
  func sortedSet(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var set = SortedSet<Int>()
    var model = Set<Int>()
    for step in 0..<8_000 {
      let value = Int(generator.next() % 5_000)
      if generator.next() % 3 == 0 {
        set.remove(value)
        model.remove(value)
      } else {
        set.insert(value)
        model.insert(value)
      }
      guard step % 500 == 0 else { continue }
      let sorted = model.sorted()
      #expect(set.count == sorted.count)
      #expect(set.elements(after: nil, limit: .max) == sorted)
      #expect(set.elements(after: 2_500, limit: 700) == Array(sorted.filter { $0 > 2_500 }.prefix(700)))
    }
  }

  @Test("a heap yields its elements in order", arguments: [1, 2, 3] as [UInt64])
  func heap(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let values = (0..<1_000).map { _ in Int(generator.next() % 300) }
    var heap = MinimumHeap<Int>()
    for value in values { heap.insert(value) }
    var drained: [Int] = []
    while let value = heap.removeFirst() { drained.append(value) }
    #expect(drained == values.sorted())
  }

  @Test(
    "Base64 agrees with RFC 4648's examples",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"), ("\u{3ff}\u{3bf}", "z7/Ovw=="),
    ])
  func base64(text: String, encoded: String) {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(text.utf8))
    let other: [Character: String] = ["+": "-", "/": "_", "=": ""]
    let urlForm = encoded.reduce(into: "") { $0 += other[$1] ?? String($1) }
    #expect(Base64.decode(urlForm) == Array(text.utf8))
  }

  @Test("Base64 rejects invalid text", arguments: ["A", "A===", "Zm9v!", "Zg=a", "=", "===="])
  func badBase64(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test("a heap and an expiry list stay in proportion to their live items")
  func compaction() {
    var heap = MinimumHeap<Int>()
    var list = ExpiryList<Int>()
    for value in 0..<10_000 {
      heap.insert(value)
      heap.compact(liveCount: 10) { $0 % 1_000 == 0 }
      list.append(value, expiry: Timestamp(seconds: Int64(value)))
      list.compact(liveCount: 10) { $0 % 1_000 == 0 }
    }
    #expect(heap.count <= 85)
    var fromHeap: [Int] = []
    var fromList: [Int] = []
    while let value = heap.removeFirst() {
      if value % 1_000 == 0 { fromHeap.append(value) }
    }
    while let entry = list.first {
      list.removeFirst()
      if entry.item % 1_000 == 0 { fromList.append(entry.item) }
    }
    #expect(fromHeap == (0..<10).map { $0 * 1_000 })
    #expect(fromList == fromHeap)
  }

  @Test("a wake index yields the parts in the order of their latest times", arguments: [1, 2, 3] as [UInt64])
  func wakeIndex(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var index = WakeIndex<Int>()
    var model: [Int: Timestamp] = [:]
    for _ in 0..<5_000 {
      let id = Int(generator.next() % 50)
      let time = generator.next() % 5 == 0 ? nil : Timestamp(seconds: Int64(generator.next() % 1_000))
      index.set(id, to: time)
      model[id] = time
      #expect(index.earliest == model.values.min())
    }
    while let earliest = model.values.min() {
      #expect(index.removeDue(at: earliest - .seconds(1)) == nil)
      let id = index.removeDue(at: earliest)
      #expect(id == model.filter { $0.value == earliest }.keys.min())
      guard let id else { return }
      model[id] = nil
    }
    #expect(index.earliest == nil)
  }
}
