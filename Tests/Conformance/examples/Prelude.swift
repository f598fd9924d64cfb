// Names that examples of the documentation use without declaring them.
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle

func given<Value>(_ type: Value.Type = Value.self) -> Value { preconditionFailure("Examples are only compiled.") }

var jobs: JobRegistry { given() }
var runtime: JobRuntime { given() }
var store: any JobStore { given() }
var context: JobContext { given() }
var authentication: Authentication { given() }
var google: GoogleCloud { given() }
var tasks: CloudTasksConfiguration { given() }
var environment: [String: String] { given() }
var options: RuntimeOptions {
  get { given() }
  set {}
}

struct WelcomeEmail: JobInput {
  static let jobID: JobID = "send_welcome_email"
  var userID: String
}

struct Newsletter: JobInput {
  static let jobID: JobID = "newsletter"
  var user: Int
}

struct SendInvoice: JobInput {
  static let jobID: JobID = "send_invoice"
  var id: Int
}

struct ShipOrder: JobInput {
  static let jobID: JobID = "ship_order"
  var id: String
}

struct Transfer: JobInput {
  static let jobID: JobID = "transfer"
  var from: String
  var to: String
  var amount: Int64
}

struct Import: JobInput {
  static let jobID: JobID = "import"
  var rows: [String]
}

struct Report: JobInput {
  static let jobID: JobID = "report"
  var region: String
}

struct Order: Codable, Sendable {
  var id: String
  var total: Int64
}

protocol Mailer: Sendable {
  func send(to userID: String) async throws
}

struct SMTPMailer: Mailer {
  func send(to userID: String) async throws {}
  func send(to userID: String, key: String) async throws {}
  func send(_ text: String, key: String) async throws {}
  func send(_ report: Report) async throws {}
}

let mailer = SMTPMailer()
var order: Order { given() }
var transfer: Transfer { given() }
let table = Table()

struct Table: Sendable {
  func insert(_ row: String) async throws {}
}
