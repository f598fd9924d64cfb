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

  /// Returns a front whose last search has seen everything until now.
  private func seen() -> DueFront {
    var front = DueFront()
    front.note(front.search(after: nil, limit: 10), found: [], claimed: [], at: Self.now)
    return front
  }

  @Test("A search that sees everything moves the mark to a margin behind it; a full page to that behind its last run")
  func marks() {
    var front = DueFront()
    #expect(front.search(after: nil, limit: 3).start == .distantPast)
    let runs = (0..<3).map { Self.run("\($0)", .minutes(9 - $0)) }
    front.note(front.search(after: nil, limit: 3), found: runs, claimed: Set(runs.map(\.id)), at: Self.now)
    #expect(front.mark == Self.now - .minutes(7) - DueFront.margin)
    // A later page does not tell what is before it.
    front.note(front.search(after: runs[2], limit: 3), found: [], claimed: [], at: Self.now)
    #expect(front.mark == Self.now - .minutes(7) - DueFront.margin)
    front.note(front.search(after: nil, limit: 3), found: [], claimed: [], at: Self.now)
    #expect(front.mark == Self.now - DueFront.margin)
    front.noteNothingDue(from: front.mark, at: Self.now + .seconds(1))
    #expect(front.mark == Self.now - DueFront.margin + .seconds(1))
    front.noteWrite(wakeAt: Self.now - .hours(1))
    #expect(front.mark == Self.now - .hours(1))
  }

  @Test("A run that a claim leaves alone keeps the mark behind it for a while, and becomes a stray then")
  func left() {
    var front = DueFront()
    let (old, young) = (Self.run("old", .minutes(1)), Self.run("young", .seconds(20)))
    front.note(front.search(after: nil, limit: 9), found: [old, young], claimed: [], at: Self.now)
    #expect(front.mark == young.wakeAt && front.strays == [old])
    let search = front.search(after: nil, limit: 9)
    #expect(search.strays == [old] && search.start == young.wakeAt && search.limit == 8)
    #expect(search.end(after: [young]) == nil)
    front.note(search, found: [young], claimed: [old.id, young.id], at: Self.now)
    #expect(front.strays.isEmpty && front.mark == Self.now - DueFront.margin)
  }

  @Test("Strays fill pages before the others, each once, and no more are kept than the limit")
  func pages() {
    var front = DueFront()
    let runs = (0..<300).map { Self.run("\($0)", .seconds(1_000 - $0)) }
    front.note(front.search(after: nil, limit: 500), found: runs, claimed: [], at: Self.now)
    #expect(front.strays == Array(runs.prefix(256)) && front.mark == runs[256].wakeAt)
    var seen: [DueFront.Stray] = []
    var cursor: DueFront.Stray?
    repeat {
      let search = front.search(after: cursor, limit: 100)
      let others = runs.filter { run in
        run.wakeAt >= search.start && (cursor.map { run > $0 } ?? true)
      }.prefix(search.limit)
      #expect(search.strays.count + others.count <= 100)
      seen += search.strays + others
      cursor = search.end(after: Array(others))
    } while cursor != nil
    #expect(seen == runs)
  }

  @Test("A look goes back to the beginning of time in slices whose length follows their cost, and replaces the strays")
  func looks() {
    var front = DueFront()
    #expect(front.beginLook(at: 0) == nil, "nothing is before the mark")
    front = seen()
    let mark = front.mark
    let late = Self.run("late", .minutes(3))
    var slices: [DueFront.Slice] = []
    var slice = front.beginLook(at: 0)
    #expect(front.beginLook(at: 0) == nil, "one is under way")
    while let current = slice {
      slices.append(current)
      let found = current.start <= late.wakeAt && late.wakeAt < current.end ? [late] : []
      slice = front.note(current, found: found, cost: slices.count == 3 ? 20 : 1, at: 1_000)
    }
    #expect(slices.first?.end == mark && slices.last?.start == .distantPast)
    #expect(zip(slices, slices.dropFirst()).allSatisfy { $0.start == $1.end })
    let spans = slices.dropLast().map { $0.end - $0.start }
    #expect(spans[1] == spans[0] * 8 && spans[3] == spans[2] / 2, "\(spans)")
    #expect(front.strays == [late] && front.mark == mark)
    // 20 ms and some: a hundredth of the time, but not more often than every five seconds.
    #expect(front.beginLook(at: 5_999) == nil)
    front.noteNotification(at: 2_000)
    #expect(front.beginLook(at: 5_999) == nil && !front.isLookCheap, "it is too dear to be repeated at once")
    #expect(front.beginLook(at: 6_000) != nil)
    front.abandonLook(at: 6_000)
    #expect(front.beginLook(at: 10_999) == nil && front.beginLook(at: 11_000) != nil)
  }

  @Test("A cheap look is repeated soon if another process makes work due; too many strays end the use of the mark")
  func notifications() throws {
    var front = seen()
    func look(at now: Int64, _ found: (DueFront.Slice) -> [DueFront.Stray]) {
      var slice = front.beginLook(at: now)
      while let current = slice { slice = front.note(current, found: found(current), cost: 0, at: now) }
    }
    look(at: 0) { _ in [] }
    front.noteNotification(at: 200)
    #expect(front.beginLook(at: 299) == nil)
    let many = (0..<257).map { Self.run("\($0)", .hours(1)) }
    look(at: 300) { $0.start <= many[0].wakeAt && many[0].wakeAt < $0.end ? many : [] }
    #expect(front.mark == .distantPast && front.strays.isEmpty)
  }

  @Test("Whatever is left, late or claimed elsewhere: no due run stays unseen after a look, and none is seen twice")
  func model() {
    var random = SeededGenerator(seed: 54)
    for _ in 0..<60 {
      var front = DueFront()
      var live: [RunID: Timestamp] = [:]
      var now = Self.now
      for step in 0..<200 {
        now = now + .milliseconds(Int64.random(in: 0...3_000, using: &random))
        for number in 0..<Int.random(in: 0...4, using: &random) {
          let id = RunID(job: "job", occurrence: .key("\(step) \(number)"))
          let age = Int.random(in: 0..<20, using: &random) == 0 ? 60_000 : 200
          live[id] = now - .milliseconds(Int64(age))
          if Bool.random(using: &random) { front.noteWrite(wakeAt: now - .milliseconds(Int64(age))) }
        }
        let due = live.map { DueFront.Stray(wakeAt: $0.value, id: $0.key) }.sorted()
        let search = front.search(after: nil, limit: 20)
        let known = search.strays.filter { live[$0.id] != nil }
        let found = Array(due.filter { $0.wakeAt >= search.start }.prefix(search.limit))
        #expect(Set((known + found).map(\.id)).count == known.count + found.count)
        let claimed = (known + found).filter { _ in Int.random(in: 0..<10, using: &random) < 8 }.map(\.id)
        front.note(search, found: found, claimed: Set(claimed), at: now)
        for id in claimed { live[id] = nil }
        if let other = live.keys.sorted().randomElement(using: &random), Bool.random(using: &random) {
          live[other] = nil
        }
        guard step % 20 == 19 else { continue }
        var slice = front.beginLook(at: .max / 2 + Int64(step) * 1_000_000)
        while let current = slice {
          let part = live.filter { current.start <= $0.value && $0.value < current.end }
            .map { DueFront.Stray(wakeAt: $0.value, id: $0.key) }.sorted().prefix(257)
          slice = front.note(current, found: Array(part), cost: 1, at: Int64(step) * 1_000_000)
        }
        let strays = Set(front.strays.map(\.id))
        #expect(live.allSatisfy { $0.value >= front.mark || strays.contains($0.key) })
      }
    }
  }
}
#endif
