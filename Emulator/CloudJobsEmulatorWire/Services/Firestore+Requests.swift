import CloudJobsCore
import CloudJobsEmulator

// The parts of requests of google.firestore.v1, and the types of the service that they stand for.

extension Firestore.Consistency {
  /// As of when a request reads.
  init(_ request: Message) throws(ServiceFault) {
    let transaction = request.bytes("transaction")
    if !transaction.isEmpty {
      self = .transaction(transaction)
    } else if request.type.index(ofField: "new_transaction") != nil, let options = request.message("new_transaction") {
      self = .newTransaction(Firestore.TransactionOptions(options) ?? .readOnly())
    } else if let time = request.timestamp("read_time") {
      self = .readTime(time)
    } else {
      self = .latest
    }
  }
}

extension Firestore.TransactionOptions {
  /// The options of a transaction; nil where they name no mode.
  init?(_ message: Message) {
    if let options = message.message("read_only") {
      self = .readOnly(readTime: options.timestamp("read_time"))
    } else if let options = message.message("read_write") {
      self = .readWrite(retry: options["retry_transaction"].map { _ in options.bytes("retry_transaction") })
    } else {
      return nil
    }
  }
}

extension Firestore.Precondition {
  /// The precondition `current_document` of a message; nil if there is none.
  init?(of message: Message) {
    guard let precondition = message.message("current_document") else { return nil }
    if precondition["exists"] != nil {
      self = .exists(precondition.bool("exists"))
    } else if let time = precondition.timestamp("update_time") {
      self = .updateTime(time)
    } else {
      return nil
    }
  }
}

extension Firestore.Write {
  /// The writes of a request.
  static func all(of request: Message) throws(ServiceFault) -> [Firestore.Write] {
    var writes: [Firestore.Write] = []
    for message in request.messages("writes") { writes.append(try Firestore.Write(message)) }
    return writes
  }

  private init(_ message: Message) throws(ServiceFault) {
    let mask = try message.fieldPaths("update_mask")
    var transforms = try Self.transforms(message.messages("update_transforms"))
    let operation: (name: String, Firestore.Write.Operation)
    if let document = message.message("update") {
      operation = (document.string("name"), .update(fields: try Firestore.Value.map(document), mask: mask))
    } else {
      guard mask == nil, transforms.isEmpty else {
        throw .invalidArgument("An update mask and update transforms can only stand beside an update.")
      }
      if let transform = message.message("transform") {
        operation = (transform.string("document"), .transform)
        transforms = try Self.transforms(transform.messages("field_transforms"))
      } else if message["delete"] != nil {
        operation = (message.string("delete"), .delete)
      } else if message["verify"] != nil {
        // Web and mobile clients send it for what a transaction has read and not written.
        operation = (message.string("verify"), .verify)
      } else {
        throw .invalidArgument("A write must have one of update, delete and transform.")
      }
    }
    self.init(
      try Firestore.Name(document: operation.name), operation.1, transforms: transforms,
      precondition: Firestore.Precondition(of: message))
  }

  private static func transforms(_ messages: [Message]) throws(ServiceFault) -> [Firestore.FieldTransform] {
    var transforms: [Firestore.FieldTransform] = []
    for message in messages { transforms.append(try Firestore.FieldTransform(message)) }
    return transforms
  }
}

extension Firestore.FieldTransform {
  fileprivate init(_ message: Message) throws(ServiceFault) {
    let path = try Firestore.FieldPath(parsing: message.string("field_path"))
    let operation: Operation
    if case .enumeration(1)? = message["set_to_server_value"] {
      operation = .requestTime
    } else if let value = try message.value("increment") {
      operation = .increment(value)
    } else if let value = try message.value("maximum") {
      operation = .maximum(value)
    } else if let value = try message.value("minimum") {
      operation = .minimum(value)
    } else if let list = message.message("append_missing_elements") {
      operation = .appendMissing(try Firestore.Value.list(list))
    } else if let list = message.message("remove_all_from_array") {
      operation = .removeAll(try Firestore.Value.list(list))
    } else {
      throw .invalidArgument("A field transform must have a transform type.")
    }
    self.init(path, operation)
  }
}

extension Firestore.Query {
  /// A `StructuredQuery`.
  init(_ message: Message) throws(ServiceFault) {
    let selectors = message.messages("from")
    guard selectors.count <= 1 else { throw .invalidArgument("Only one collection selector is supported per query.") }
    self.init(
      from: selectors.first.map {
        Selector($0.string("collection_id"), allDescendants: $0.bool("all_descendants"))
      } ?? Selector(""))
    filter = try message.message("where").map { filter throws(ServiceFault) in try Firestore.Filter(filter) }
    if let projection = message.message("select") {
      var paths: [Firestore.FieldPath] = []
      for field in projection.messages("fields") { paths.append(try Firestore.FieldPath(reference: field)) }
      self.projection = paths
    }
    for order in message.messages("order_by") {
      let direction = try order.known("direction", as: Direction.self)
      orders.append(Order(try Firestore.FieldPath(fieldOf: order), isDescending: direction == .descending))
    }
    start = try Self.cursor(message, "start_at")
    end = try Self.cursor(message, "end_at")
    offset = message.int("offset")
    limit = message["limit"].map { _ in message.int("limit") }
    guard message["find_nearest"] == nil else {
      throw ServiceFault(.unimplemented, "The emulator does not support findNearest.", field: "find_nearest")
    }
  }

  /// The direction of an order; the raw values are those on the wire.
  private enum Direction: Int {
    case ascending = 1
    case descending = 2
  }

  private static func cursor(_ message: Message, _ name: String) throws(ServiceFault) -> Cursor? {
    guard let cursor = message.message(name) else { return nil }
    return Cursor(try Firestore.Value.list(cursor), isBefore: cursor.bool("before"))
  }
}

extension Firestore.Filter {
  /// How the filters of a composite one go together; the raw values are those on the wire.
  private enum Relation: Int {
    case and = 1
    case or = 2
  }

  fileprivate init(_ message: Message) throws(ServiceFault) {
    if let filter = message.message("composite_filter") {
      guard let relation = try filter.known("op", as: Relation.self) else {
        throw .invalidArgument("A composite filter must have an operator.")
      }
      var filters: [Firestore.Filter] = []
      for message in filter.messages("filters") { filters.append(try Firestore.Filter(message)) }
      self = relation == .and ? .all(filters) : .any(filters)
    } else if let filter = message.message("field_filter") {
      guard let relation = try filter.known("op", as: Firestore.FieldOperator.self) else {
        throw .invalidArgument("A field filter must have an operator.")
      }
      guard let value = try filter.value("value") else {
        throw .invalidArgument("A field filter must have a value.")
      }
      self = .field(try Firestore.FieldPath(fieldOf: filter), relation, value)
    } else if let filter = message.message("unary_filter") {
      guard let property = try filter.known("op", as: Firestore.UnaryOperator.self) else {
        throw .invalidArgument("A unary filter must have an operator.")
      }
      self = .unary(try Firestore.FieldPath(fieldOf: filter), property)
    } else {
      throw .invalidArgument("A filter must have one of compositeFilter, fieldFilter and unaryFilter.")
    }
  }
}

extension Firestore.FieldPath {
  /// The path of the member `field`.
  fileprivate init(fieldOf message: Message) throws(ServiceFault) {
    guard let reference = message.message("field") else { throw .invalidArgument("A field reference is missing.") }
    try self.init(reference: reference)
  }

  fileprivate init(reference: Message) throws(ServiceFault) {
    try self.init(parsing: reference.string("field_path"))
  }
}

extension Firestore.Aggregation {
  /// An aggregation of a `StructuredAggregationQuery`.
  init(_ message: Message) throws(ServiceFault) {
    let operation: Operation
    if let count = message.message("count") {
      operation = .count(upTo: count["up_to"].map { _ in count.int("up_to") })
    } else if let sum = message.message("sum") {
      operation = .sum(try Firestore.FieldPath(fieldOf: sum))
    } else if let average = message.message("avg") {
      operation = .average(try Firestore.FieldPath(fieldOf: average))
    } else {
      throw .invalidArgument("An aggregation must have one of count, sum and avg.")
    }
    self.init(operation, alias: message.string("alias"))
  }
}
