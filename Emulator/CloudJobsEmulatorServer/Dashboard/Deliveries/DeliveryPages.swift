#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsPages

/// The list of the latest deliveries.
struct DeliveryPages: EmulatorPages {
  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    guard request.isReading, request.path.count == 1 else { return nil }
    let show = request.query["show"]
    let rows = DeliveryRow.rows(
      context.api.emulator.trace.newestFirst, limit: 100, now: context.now
    ) { _, settlement in
      switch show {
      case "failed": settlement.map { $0.outcome?.isSuccess != true } ?? false
      case "flight": settlement == nil
      default: true
      }
    }
    let tabs = [("All", String?.none), ("Failed", "failed"), ("In flight", "flight")].map { label, value in
      PageTab(tabLabel: label, tabHref: context.link("deliveries").with("show", value).href, isChosen: show == value)
    }
    return context.page(DeliveriesView(rows: rows, tabs: tabs), "deliveries", title: "Deliveries")
  }
}

/// The values of the list of deliveries.
struct DeliveriesView: Sendable {
  /// The rows.
  var rows: [DeliveryRow]
  /// The choices of rows.
  var tabs: [PageTab]
}

/// One of the choices above a list.
struct PageTab: Sendable {
  /// The text.
  var tabLabel: String
  /// The path.
  var tabHref: String
  /// Whether it is chosen.
  var isChosen: Bool
}
#endif
