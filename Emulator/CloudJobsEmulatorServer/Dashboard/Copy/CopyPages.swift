#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages
import HTTPTypes

/// The pages with commands that make a queue, task or job again.
struct CopyPages: Sendable {
  /// The maximum number of characters that a page shows; longer commands are for downloading.
  static let limit = 40_000

  private let context: EmulatorPageContext

  /// Creates the pages.
  init(_ context: EmulatorPageContext) { self.context = context }

  /// Returns the page of a queue.
  func queue(_ name: CloudTasks.QueueName) async throws(PageFault) -> PageResponse {
    let json = try await context.call("GET", QueuePages.parts(name))
    let link = context.link(QueuePages.segments(name))
    return page(CopyText(.queue, json, origin: context.origin), link, "queue \(name.id)")
  }

  /// Returns the page of a task.
  func task(_ name: CloudTasks.TaskName) async throws(PageFault) -> PageResponse {
    let json = try await context.call("GET", QueuePages.parts(name), query: "responseView=FULL")
    let link = context.link(TaskPages.segments(name))
    return page(CopyText(.task, json, origin: context.origin), link, "task \(name.id)")
  }

  /// Returns the page of a job.
  func job(_ name: CloudScheduler.JobName) async throws(PageFault) -> PageResponse {
    let json = try await context.call("GET", QueuePages.parts(name, version: "v1"))
    let link = context.link(SchedulerPages.segments(name))
    return page(CopyText(.job, json, origin: context.origin), link, "job \(name.id)")
  }

  private func page(_ copy: CopyText, _ back: PageLink, _ name: String) -> PageResponse {
    let form = context.request.query["as"].flatMap { CopyText.Form(rawValue: $0) } ?? .curl
    let text = copy.text(form)
    if context.request.query["raw"] != nil {
      return PageResponse(.ok, type: "text/plain; charset=utf-8", Array(text.utf8))
    }
    let link = back.appending("copy")
    let tabs = CopyText.Form.allCases.map { choice in
      PageTab(tabLabel: choice.label, tabHref: link.with("as", choice.rawValue).href, isChosen: choice == form)
    }
    let isLong = text.utf8.count > Self.limit
    let view = CopyView(
      tabs: tabs, text: isLong ? "" : text, isLong: isLong, hasSecrets: copy.hasSecrets,
      rawPath: link.with("as", form.rawValue).with("raw", "1").href, backPath: back.href, hint: form.hint)
    return context.page(view, "copy", title: "Copy the \(BoundedText.cut(name, to: 80))")
  }
}

/// The values of a page with commands.
struct CopyView: Sendable {
  /// The choices of the form.
  var tabs: [PageTab]
  /// The commands; empty if they are too long to be shown.
  var text: String
  /// Whether they are too long to be shown.
  var isLong: Bool
  /// Whether they have credentials.
  var hasSecrets: Bool
  /// The path of the commands as plain text.
  var rawPath: String
  /// The path of the page of the object.
  var backPath: String
  /// What they need.
  var hint: String
}
#endif
