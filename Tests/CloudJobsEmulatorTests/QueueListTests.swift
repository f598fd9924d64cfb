import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Lists of queues, and generated IDs")
struct QueueListTests {
  @Test("a location's queues are sorted by name and paged")
  func pages() throws {
    let fixture = Fixture()
    for id in ["b", "a", "C", "10", "9", "a-b"] { try fixture.makeQueue(id) }
    let elsewhere = try CloudTasks.QueueName("\(Fixture.location)2/queues/0")
    let parent = try LocationName(Fixture.location)
    try fixture.emulator.withState { state, now in
      _ = try state.tasks.createQueue(.init(name: elsewhere), at: now)
      var pages: [[String]] = []
      var token = ""
      repeat {
        let page = try state.tasks.listQueues(in: parent, page: .init(size: 4, token: token))
        pages.append(page.items.map(\.name.id))
        token = page.nextPageToken
      } while !token.isEmpty
      #expect(pages == [["10", "9", "C", "a"], ["a-b", "b"]])
      #expect(try state.tasks.listQueues(in: parent, page: .init(size: 6)).nextPageToken.isEmpty)
      let refusal = fault { _ = try state.tasks.listQueues(in: parent, page: .init(size: -1)) }
      #expect(refusal == .invalidArgument("The page size cannot be negative."))
    }
  }

  @Test("a page has at most 9,800 queues")
  func longestPage() throws {
    var service = CloudTasksService()
    for number in 0..<9_801 {
      let name = try CloudTasks.QueueName("\(Fixture.location)/queues/q\(10_000 + number)")
      _ = try service.createQueue(.init(name: name), at: Fixture.start)
    }
    let parent = try LocationName(Fixture.location)
    for size in [0, 9_800, 10_000] {
      let first = try service.listQueues(in: parent, page: .init(size: size))
      #expect(first.items.count == 9_800)
      let rest = try service.listQueues(in: parent, page: .init(size: size, token: first.nextPageToken))
      #expect(rest.items.map(\.name.id) == ["q19800"])
      #expect(rest.nextPageToken.isEmpty)
    }
  }

  @Test("generated IDs of tasks and jobs have 19 digits, the first of which is not zero")
  func generatedIDs() throws {
    let fixture = Fixture()
    try fixture.makeQueue()
    let tasks = try (0..<200).map { _ in try fixture.makeTask(at: .hours(1)).name.id }
    let jobs = try (0..<200).map { _ in try fixture.makeJob("").name.id }
    #expect(Set(tasks + jobs).count == 400)
    for id in tasks + jobs {
      #expect(id.utf8.count == 19 && id.first != "0" && id.allSatisfy { "0123456789".contains($0) }, "\(id)")
    }
  }
}
