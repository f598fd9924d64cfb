#if Server
import CloudJobs
import CloudJobsCore

/// The runs that the service executes itself after its start.
struct Present {
  private let runtime: JobRuntime

  init(_ runtime: JobRuntime) { self.runtime = runtime }

  /// Enqueues runs that succeed, retry, fail for good, are under way for minutes, wait for others and start later.
  func enqueue() async throws {
    try await enqueueEnding()
    try await runtime.enqueue(Catalogue(supplier: "Northwind", articles: 600, millisecondsPerArticle: 900))
    try await runtime.enqueue(Label(text: "Fragile", end: .waits))
    for hour in 1...24 {
      try await runtime.enqueue(
        WelcomeEmail(customer: "later-\(hour)@shop.example"), after: .seconds(hour * 3_600), key: "later-\(hour)")
    }
    // The breaker of this job is open.
    try await runtime.enqueue(Charge(order: 17, cents: 1_250, cardNumber: "4111 1111 1111 1111"))
    try await enqueueOrdered()
    let cancelled = try await runtime.enqueue(
      WelcomeEmail(customer: "gone@shop.example"), after: .seconds(7_200), key: "gone")
    try await runtime.cancel(run: cancelled.id, because: "The customer has closed the account.")
    // The first ones succeed now; the last ones wait for the breaker.
    for job in ["send_welcome_email", "charge_card"] as [JobID] {
      let failed = try await runtime.runs(matching: RunFilter(job: job, statuses: [.failed]), limit: 2).runs
      try await runtime.redrive(runs: failed.map(\.id))
    }
  }

  /// Enqueues runs with texts in every field that takes them, which end in all ways.
  func enqueue(texts: [String]) async throws {
    let ends = [Label.End.done, .fails, .cancels]
    for (number, text) in texts.enumerated() {
      var request = EnqueueRequest(Label(text: text, end: ends[number % ends.count]))
      let isPlain = !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
      if isPlain, (1...200).contains(text.utf8.count) { (request.key, request.correlationID) = (text, text) }
      if text.utf8.count < 1_000 { request.metadata = [text: .string(text), "list": [.string(text)]] }
      try await runtime.enqueue([request])
    }
  }

  private func enqueueEnding() async throws {
    for number in 1...6 {
      try await runtime.enqueue(
        WelcomeEmail(customer: "new-\(number)@shop.example", busy: number == 5 ? 1 : number == 6 ? 3 : nil))
    }
    try await runtime.enqueue(Label(text: "Glass", end: .done))
    try await runtime.enqueue(Label(text: "The printer has no paper.", end: .fails))
    try await runtime.enqueue(Label(text: "The order was withdrawn.", end: .cancels))
    try await runtime.enqueue(Catalogue(supplier: "Contoso", articles: 40, millisecondsPerArticle: 5))
  }

  private func enqueueOrdered() async throws {
    var first = EnqueueRequest(WelcomeEmail(customer: "chain@shop.example"), start: .after(.seconds(1_800)))
    (first.correlationID, first.metadata) = ("order-77", ["region": "eu"])
    try await runtime.enqueueChain([
      first, EnqueueRequest(Label(text: "Chain 2")), EnqueueRequest(Label(text: "Chain 3")),
    ])
  }
}
#endif
