#if Server
import CloudJobsCore
import CloudJobsPages

/// The page that explains the words of the other pages.
struct WordPages: DashboardPages {
  /// The segment of its path.
  static let segment = "words"

  private let context: DashboardContext

  init(_ context: DashboardContext) { self.context = context }

  func respond(to request: PageRequest) async throws(JobError) -> Dashboard.Reply? {
    guard request.isReading, request.path.count == 1 else { return nil }
    return context.page(
      WordsView(), "words", title: "What the words mean", segment: Self.segment, isLive: false)
  }
}

/// The words by subject.
struct WordsView: Sendable {
  /// Words about one subject.
  struct Group: Sendable {
    var groupTitle: String
    var entries: [Entry]
  }

  /// A word with its explanation.
  struct Entry: Sendable {
    var entryID: String
    var entryName: String
    var entryText: String
  }

  var groups: [Group]

  /// Creates the page.
  init() {
    groups = DashboardWords.groups.map { group in
      Group(
        groupTitle: group.title,
        entries: group.words.map { word in
          Entry(
            entryID: word.id, entryName: word.name.prefix(1).uppercased() + word.name.dropFirst(), entryText: word.text)
        })
    }
  }
}
#endif
