var store: SQLiteStore { given() }
var order: Order { given() }

struct Order: Codable, PersistableRecord {
  var id: String
  var total: Int64
}
