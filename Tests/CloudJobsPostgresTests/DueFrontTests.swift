#if PostgreSQL
import CloudJobs
import CloudJobsCore
import TestSupport
import Testing

@testable import CloudJobsPostgres

@Suite("The front of due runs on PostgreSQL")
struct DueFrontTests {
  private static let now = Timestamp(seconds: 1_800_000_000)

  private static func run(_ name: String, _ age: Duration) -> DueFront.Stray {
    DueFront.Stray(wakeAt: now - age, id: RunID(job: "job", occurrence: .key(name)))
  }

  /// Returns a front whose last reading has seen nothing due until now.
  private func read() -> DueFront {
    var front = DueFront()
    front.note(first: nil, from: .distantPast, at: Self.now)
    return front
  }

  @Test("The mark stays a margin behind the earliest due run, or the time of the reading")
  func marks() {
    var front = DueFront()
    #expect(front.search(after: nil, limit: 3) == DueFront.Search(strays: [], mark: .distantPast, limit: 3))
    front.note(first: Self.now - .minutes(7), from: .distantPast, at: Self.now)
    #expect(front.mark == Self.now - .minutes(7) - DueFront.margin)
    front.note(first: nil, from: .distantPast, at: Self.now)
    #expect(front.mark == Self.now - .minutes(7) - DueFront.margin, "the reading began at another mark")
    front.note(first: nil, from: front.mark, at: Self.now)
    #expect(front.mark == Self.now - DueFront.margin)
    front.note(first: nil, from: front.mark, at: Self.now - .hours(1))
    #expect(front.mark == Self.now - DueFront.margin, "time does not go back")
    // A claim sees what it can lock, which is not all.
    front.note(front.search(after: nil, limit: 3), found: [], claimed: [], at: Self.now + .hours(1))
    #expect(front.mark == Self.now - DueFront.margin)
  }

  @Test("A run that a claim leaves alone becomes a stray after a while, until it is claimed or gone")
  func left() {
    var front = DueFront()
    let (old, young) = (Self.run("old", .minutes(1)), Self.run("young", .seconds(20)))
    front.note(front.search(after: nil, limit: 9), found: [old, young], claimed: [], at: Self.now)
    #expect(front.strays == [old])
    #expect(front.search(after: nil, limit: 9).strays == [], "a search from the mark on finds it")
    front.note(first: young.wakeAt, from: .distantPast, at: Self.now)
    let search = front.search(after: nil, limit: 9)
    #expect(search == DueFront.Search(strays: [old], mark: young.wakeAt - DueFront.margin, limit: 8))
    front.note(search, found: [old, young], claimed: [young.id], at: Self.now)
    #expect(front.strays == [old])
    var other = front
    front.note(search, found: [old], claimed: [old.id], at: Self.now)
    other.note(search, found: [], claimed: [], at: Self.now)
    #expect(front.strays.isEmpty && other.strays.isEmpty)
  }

  @Test("Strays fill pages before the others, each once, and no more are kept than the limit")
  func pages() {
    var front = DueFront()
    let runs = (0..<300).map { Self.run("\($0)", .seconds(1_000 - $0)) }
    front.note(front.search(after: nil, limit: 500), found: runs, claimed: [], at: Self.now)
    #expect(front.strays == Array(runs.prefix(256)))
    front.note(first: runs[256].wakeAt, from: .distantPast, at: Self.now)
    var seen: [DueFront.Stray] = []
    var cursor: DueFront.Stray?
    while true {
      let search = front.search(after: cursor, limit: 100)
      let others = runs.filter { run in
        run.wakeAt >= search.mark && (cursor.map { run > $0 } ?? true)
      }.prefix(search.limit)
      #expect(search.strays.count + others.count <= 100)
      seen += search.strays + others
      if search.limit > 0, others.count < search.limit { break }
      cursor = seen.last
    }
    #expect(seen == runs)
  }

  @Test("What this process writes behind the mark, or just before it, is a stray")
  func writes() {
    var front = read()
    let (late, soon) = (Self.run("late", .hours(1)), Self.run("soon", .seconds(3)))
    for run in [late, soon, Self.run("now", .zero)] { front.noteWrite(run) }
    #expect(front.strays == [late, soon] && front.mark == Self.now - DueFront.margin)
    for number in 0..<300 { front.noteWrite(Self.run("\(number)", .minutes(30 + number))) }
    #expect(front.strays.count == 256 && front.mark == Self.now - .minutes(30 + 299), "the rest is searched for")
  }

  @Test(
    "A look replaces the strays but for those since its begin; it is repeated soon if it is cheap and others notify")
  func looks() {
    var front = DueFront()
    #expect(front.beginLook(at: 0) == nil, "nothing is before the mark")
    front = read()
    front.noteWrite(Self.run("gone", .hours(2)))
    #expect(!front.isLookCheap, "it is not known")
    #expect(front.beginLook(at: 0) == front.mark && front.beginLook(at: 0) == nil, "one is under way")
    let (late, new) = (Self.run("late", .minutes(3)), Self.run("new", .hours(3)))
    front.noteWrite(new)
    front.endLook([late], begin: 0, at: 80)
    #expect(front.strays == [new, late])
    front.noteNotification()
    #expect(!front.isLookCheap && front.beginLook(at: 8_079) == nil, "it took 80 ms: a hundredth of the time")
    #expect(front.beginLook(at: 8_080) != nil)
    front.endLook([late], begin: 8_080, at: 8_085)
    #expect(front.isLookCheap && front.strays == [late] && front.beginLook(at: 13_084) == nil)
    front.noteNotification()
    #expect(front.beginLook(at: 8_184) == nil && front.beginLook(at: 8_185) != nil)
    // A failure is not repeated at once, nor waited for, and takes no stray away.
    front.noteNotification()
    front.endLook(nil, begin: 8_185, at: 18_185)
    #expect(!front.isLookCheap && front.strays == [late])
    #expect(front.beginLook(at: 48_184) == nil && front.beginLook(at: 48_185) != nil, "but half a minute later")
    let many = (0..<257).map { Self.run("\($0)", .hours(2) - .seconds($0)) }
    front.endLook(many, begin: 48_185, at: 48_186)
    #expect(front.strays.count == 256 && front.mark == many[0].wakeAt)
  }

  @Test("Whatever is left, late, locked or taken by others: after a look no due run is unseen, and none is seen twice")
  func model() {
    var random = SeededGenerator(seed: 54)
    for _ in 0..<60 {
      var front = DueFront()
      var live: [RunID: Timestamp] = [:]
      var now = Self.now
      func due() -> [DueFront.Stray] { live.map { DueFront.Stray(wakeAt: $0.value, id: $0.key) }.sorted() }
      func write(_ id: RunID) {
        let age = Int.random(in: 0..<15, using: &random) == 0 ? Int.random(in: 6...90, using: &random) : 0
        live[id] = now - .seconds(age)
        if Bool.random(using: &random) { front.noteWrite(DueFront.Stray(wakeAt: now - .seconds(age), id: id)) }
      }
      for step in 0..<200 {
        now = now + .milliseconds(Int64.random(in: 0...3_000, using: &random))
        for number in 0..<Int.random(in: 0...4, using: &random) {
          write(RunID(job: "job", occurrence: .key("\(step) \(number)")))
        }
        // A claim: what others have locked is not to be seen.
        let search = front.search(after: nil, limit: 20)
        let visible = due().filter { _ in Int.random(in: 0..<10, using: &random) < 8 }
        let wanted = Set(search.strays.map(\.id))
        let known = visible.filter { wanted.contains($0.id) && $0.wakeAt < search.mark }
        let found = known + visible.filter { $0.wakeAt >= search.mark }.prefix(search.limit)
        #expect(Set(found.map(\.id)).count == found.count)
        let claimed = found.filter { _ in Int.random(in: 0..<10, using: &random) < 7 }.map(\.id)
        if let other = live.keys.sorted().randomElement(using: &random) { write(other) }
        front.note(search, found: found, claimed: Set(claimed), at: now)
        for id in claimed { live[id] = nil }
        if let other = live.keys.sorted().randomElement(using: &random) { live[other] = nil }
        // A reading, during which something is written.
        let (mark, strays) = (front.mark, Set(front.strays.map(\.id)))
        let first = due().first { $0.wakeAt >= mark && !strays.contains($0.id) }?.wakeAt
        let own = RunID(job: "job", occurrence: .key("own \(step)"))
        live[own] = now - .seconds(20)
        front.noteWrite(DueFront.Stray(wakeAt: now - .seconds(20), id: own))
        front.note(first: first, from: mark, at: now)
        guard step % 20 == 19, let end = front.beginLook(at: Int64(step) * 1_000_000) else { continue }
        let look = due().filter { $0.wakeAt < end }.prefix(257)
        write(RunID(job: "job", occurrence: .key("during \(step)")))
        if let other = front.strays.first { live[other.id] = nil }
        front.endLook(Array(look), begin: Int64(step) * 1_000_000, at: Int64(step) * 1_000_000 + 2)
        let ids = Set(front.strays.map(\.id))
        let unseen = live.filter { $0.value < front.mark && !ids.contains($0.key) }
        // What others write late while a look is under way is left to the next one.
        #expect(unseen.allSatisfy { $0.key == RunID(job: "job", occurrence: .key("during \(step)")) })
      }
    }
  }
}
#endif
