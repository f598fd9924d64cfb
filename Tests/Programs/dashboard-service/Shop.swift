#if Server
import CloudJobs
import CloudJobsCore
import Logging

/// A mail to a customer.
struct WelcomeEmail: JobInput {
  static let jobID: JobID = "send_welcome_email"
  var customer: String
  /// The number of attempts in which the mail service is busy.
  var busy: Int?
}

/// A payment.
struct Charge: JobInput {
  static let jobID: JobID = "charge_card"
  typealias Output = Receipt
  struct Receipt: Codable, Sendable {
    var charged: Int
    var currency: String
  }
  var order: Int
  var cents: Int
  var cardNumber: String
}

/// A list of articles from a supplier.
struct Catalogue: JobInput {
  static let jobID: JobID = "import_catalogue"
  var supplier: String
  var articles: Int
  var millisecondsPerArticle: Int
}

/// A label, whose text goes to every place that a handler can write to.
struct Label: JobInput {
  static let jobID: JobID = "print_label"
  typealias Output = String
  enum End: String, Codable, Sendable {
    case done, fails, cancels, waits
  }
  var text: String
  var end: End?
}

/// The jobs of a shop.
enum Shop {
  static func jobs() throws -> JobRegistry {
    try JobRegistry {
      endpoints()
      schedules()
      periods()
    }
  }

  @JobRegistryBuilder
  private static func endpoints() -> [any JobHandler] {
    EndpointJob(WelcomeEmail.self) { email, context in
      context.logger.info("Writing to \(email.customer).", metadata: ["template": "welcome-3"])
      if context.attempt <= email.busy ?? 0 { throw JobFailure.failed("The mail service is busy.", kind: "busy") }
      context.logger.notice("Sent.")
    }
    .queue("mail").retry(RetryPolicy(maxAttempts: 3, backoff: .fixed(.seconds(1)), jitter: .none))
    EndpointJob(Charge.self) { charge, context -> JobOutcome<Charge.Receipt> in
      context.logger.info("Charging order \(charge.order).")
      if charge.cents == 0 { throw JobFailure.permanent("The amount is zero.", kind: "invalidAmount") }
      return .done(Charge.Receipt(charged: charge.cents, currency: "EUR"))
    }
    .queue("critical").priority(10).group("payments", maxConcurrent: 4)
    .breaker(CircuitBreaker(threshold: 5, cooldown: .seconds(600)))
    EndpointJob(Catalogue.self) { catalogue, context in try await importing(catalogue, context) }
      .timeout(.seconds(600)).retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(60))))
    EndpointJob("resize_images", input: [String: String].self) { image, context in
      try await context.clock.sleep(for: .milliseconds(20))
      await context.count(processed: 1, succeeded: 1)
      context.logger.debug("Resized \(image["name"] ?? "an image").")
    }
    .maxConcurrent(2).rate(RateLimit(20, per: .seconds(1))).group("images")
    .descriptor(JobDescriptor(weight: .medium, latency: .fast, isRetryable: true))
    EndpointJob("train_recommendations") { context in
      await context.progress(percent: 100, "Trained on 1,204 orders.")
    }
    .descriptor(JobDescriptor(weight: .heavy, latency: .slow, isRetryable: false)).timeout(.seconds(3_600))
    .retry(.never)
    EndpointJob(Label.self) { label, context in try await printing(label, context) }
      .retry(.never).timeout(.seconds(120))
  }

  @JobRegistryBuilder
  private static func schedules() -> [any JobHandler] {
    ScheduledJob("nightly_report", cron: "30 2 * * *", in: "Europe/Berlin") { context in
      context.logger.notice("The report is written.")
    }
    .metadata(["owner": "finance", "page": "https://wiki.example/report"])
    ScheduledJob("open_counters", cron: "0 9 * * MON-FRI", in: "America/New_York") { _ in }
      .misfire(.skip)
    ScheduledJob("quarterly_invoices", cron: "1st monday of quarter 09:00", in: "Europe/London") { _ in }
      .depends(on: "nightly_report")
    ScheduledJob("legacy_export", cron: "15 4 * * SUN", in: "Asia/Kolkata") { _ in }
  }

  @JobRegistryBuilder
  private static func periods() -> [any JobHandler] {
    PeriodicJob("clean_carts", every: .seconds(30)) { context in context.logger.info("Removed 3 carts.") }
      .retention(.seconds(86_400))
    PeriodicJob("check_stock", every: .seconds(60)) { context in
      if (context.scheduledFor?.seconds ?? 0) / 60 % 3 == 0 { throw JobFailure.failed("The warehouse did not answer.") }
    }
    .retry(RetryPolicy(maxAttempts: 2, backoff: .fixed(.seconds(2)))).depends(on: "clean_carts")
    PeriodicJob("sync_prices", every: .seconds(60), in: "Australia/Lord_Howe") { _ in }
      .overlap(.skip)
    PeriodicJob("rebuild_index", every: .seconds(3_600)) { _ in }
  }

  private static func importing(_ catalogue: Catalogue, _ context: JobContext) async throws {
    context.logger.notice("The catalogue of \(catalogue.supplier) has \(catalogue.articles) articles.")
    for number in 1...max(1, catalogue.articles) {
      try await context.clock.sleep(for: .milliseconds(catalogue.millisecondsPerArticle))
      await context.progress(
        percent: Double(number) * 100 / Double(max(1, catalogue.articles)), "Article \(number) of \(catalogue.articles)"
      )
      await context.count(processed: 1, succeeded: number % 9 == 0 ? 0 : 1, failed: number % 9 == 0 ? 1 : 0)
      if number % 9 == 0 {
        context.logger.warning("Article \(number) has no price.", metadata: ["article": "\(number)"])
      } else {
        context.logger.info("Article \(number) imported.")
      }
    }
  }

  private static func printing(_ label: Label, _ context: JobContext) async throws -> JobOutcome<String> {
    context.logger.notice("\(label.text)", metadata: ["text": "\(label.text)"])
    await context.progress(percent: 50, label.text)
    switch label.end {
    case nil, .done: return .done(label.text)
    case .fails: throw JobFailure.permanent(label.text, kind: label.text)
    case .cancels: return .cancel(reason: label.text)
    case .waits:
      try await context.clock.sleep(for: .seconds(100))
      return .done(label.text)
    }
  }
}
#endif
