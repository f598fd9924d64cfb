import CloudJobsCore
import CloudJobsEmulator

extension MessageReader {
  /// A `StructuredQuery`, read to its end.
  mutating func structuredQuery() throws(ServiceFault) -> Firestore.Query {
    var selectors: [Firestore.Query.Selector] = []
    for var reader in try messages("from") {
      let id = try reader.string("collectionId") ?? ""
      selectors.append(.init(id, allDescendants: try reader.bool("allDescendants") ?? false))
      try reader.finish()
    }
    guard selectors.count <= 1 else { throw .invalidArgument("Only one collection selector is supported per query.") }
    var query = Firestore.Query(from: selectors.first ?? .init(""))
    if var reader = try message("where") { query.filter = try reader.filter() }
    if var reader = try message("select") {
      query.projection = []
      for var field in try reader.messages("fields") { query.projection?.append(try field.fieldReference()) }
      try reader.finish()
    }
    for var reader in try messages("orderBy") {
      let direction = try reader.choice("direction", { (direction: QueryDirection) in direction.name })
      query.orders.append(.init(try reader.field(), isDescending: direction == .descending))
      try reader.finish()
    }
    query.start = try cursor("startAt")
    query.end = try cursor("endAt")
    query.offset = try integer("offset") ?? 0
    query.limit = try limit()
    try refuse("findNearest")
    try finish()
    return query
  }

  /// A limit, which may stand in a wrapper of its own.
  private mutating func limit() throws(ServiceFault) -> Int? {
    guard let json = take("limit") else { return nil }
    if case .object = json {
      var reader = try MessageReader(json, path: place("limit"))
      let value = try reader.integer("value") ?? 0
      try reader.finish()
      return value
    }
    var reader = try MessageReader(["value": json], path: place("limit"))
    return try reader.integer("value")
  }

  private mutating func cursor(_ name: String) throws(ServiceFault) -> Firestore.Query.Cursor? {
    guard var reader = try message(name) else { return nil }
    let values = try Firestore.Value.elements(reader.take("values") ?? [], at: place(name))
    let isBefore = try reader.bool("before") ?? false
    try reader.finish()
    return .init(values, isBefore: isBefore)
  }

  /// A `Filter`, read to its end.
  private mutating func filter() throws(ServiceFault) -> Firestore.Filter {
    let filter: Firestore.Filter
    if var reader = try message("compositeFilter") {
      let relation = try reader.choice("op", { (relation: CompositeOperator) in relation.name })
      guard let relation else { throw .invalidArgument("A composite filter must have an operator.") }
      var filters: [Firestore.Filter] = []
      for var reader in try reader.messages("filters") { filters.append(try reader.filter()) }
      try reader.finish()
      filter = relation == .and ? .all(filters) : .any(filters)
    } else if var reader = try message("fieldFilter") {
      let relation = try reader.choice("op", { (relation: Firestore.FieldOperator) in relation.name })
      guard let relation else { throw .invalidArgument("A field filter must have an operator.") }
      guard let value = reader.take("value") else { throw .invalidArgument("A field filter must have a value.") }
      filter = .field(try reader.field(), relation, try Firestore.Value(json: value, at: reader.place("value")))
      try reader.finish()
    } else if var reader = try message("unaryFilter") {
      let property = try reader.choice("op", { (property: Firestore.UnaryOperator) in property.name })
      guard let property else { throw .invalidArgument("A unary filter must have an operator.") }
      filter = .unary(try reader.field(), property)
      try reader.finish()
    } else {
      throw .invalidArgument("A filter must have one of compositeFilter, fieldFilter and unaryFilter.")
    }
    try finish()
    return filter
  }

  /// The `StructuredAggregationQuery`, read to its end.
  mutating func aggregationQuery() throws(ServiceFault) -> (Firestore.Query, [Firestore.Aggregation]) {
    guard var inner = try message("structuredQuery") else {
      throw .invalidArgument("An aggregation query must have a structured query.")
    }
    let query = try inner.structuredQuery()
    var aggregations: [Firestore.Aggregation] = []
    for var reader in try messages("aggregations") { aggregations.append(try reader.aggregation()) }
    try finish()
    return (query, aggregations)
  }

  private mutating func aggregation() throws(ServiceFault) -> Firestore.Aggregation {
    let alias = try string("alias") ?? ""
    let operation: Firestore.Aggregation.Operation
    if var reader = try message("count") {
      operation = .count(upTo: try reader.bound())
      try reader.finish()
    } else if var reader = try message("sum") {
      operation = .sum(try reader.field())
      try reader.finish()
    } else if var reader = try message("avg") {
      operation = .average(try reader.field())
      try reader.finish()
    } else {
      throw .invalidArgument("An aggregation must have one of count, sum and avg.")
    }
    try finish()
    return .init(operation, alias: alias)
  }

  private mutating func bound() throws(ServiceFault) -> Int? {
    guard let json = take("upTo") else { return nil }
    let wrapped = json["value"] ?? json
    guard let number = wrapped.integer ?? wrapped.string.flatMap({ Int64($0) }) else {
      throw Self.mismatch(place("upTo"), json, "a 64-bit integer")
    }
    return Int(clamping: number)
  }

  /// The path of the member `field`.
  private mutating func field() throws(ServiceFault) -> Firestore.FieldPath {
    guard var reader = try message("field") else { throw .invalidArgument("A field reference is missing.") }
    return try reader.fieldReference()
  }

  private mutating func fieldReference() throws(ServiceFault) -> Firestore.FieldPath {
    let path = try Firestore.FieldPath(parsing: try string("fieldPath") ?? "")
    try finish()
    return path
  }
}
