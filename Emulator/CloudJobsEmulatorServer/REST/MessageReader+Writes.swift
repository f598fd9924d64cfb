import CloudJobsCore
import CloudJobsEmulator

extension MessageReader {
  /// A `DocumentMask`, or nil where there is none; one without paths is not the same as none.
  mutating func fieldMask(_ name: String) throws(ServiceFault) -> [Firestore.FieldPath]? {
    guard var reader = try message(name) else { return nil }
    var paths: [Firestore.FieldPath] = []
    for text in try reader.texts("fieldPaths") { paths.append(try Firestore.FieldPath(parsing: text)) }
    try reader.finish()
    return paths
  }

  /// A `Document` as clients send it, read to its end.
  mutating func document() throws(ServiceFault) -> (name: String, fields: [String: Firestore.Value]) {
    let name = try string("name") ?? ""
    let fields = try take("fields").map { json throws(ServiceFault) in
      try Firestore.Value.fields(json, at: place("fields"))
    }
    ignore("createTime", "updateTime")
    try finish()
    return (name, fields ?? [:])
  }

  /// A `Precondition`, or nil where there is none.
  mutating func precondition() throws(ServiceFault) -> Firestore.Precondition? {
    guard var reader = try message("currentDocument") else { return nil }
    let exists = try reader.bool("exists")
    let time = try reader.timestamp("updateTime")
    try reader.finish()
    guard exists == nil || time == nil else {
      throw .invalidArgument("A precondition can have only one of exists and updateTime.")
    }
    return exists.map { .exists($0) } ?? time.map { .updateTime($0) }
  }

  /// The `writes` of a commit or a batch.
  mutating func writes() throws(ServiceFault) -> [Firestore.Write] {
    var writes: [Firestore.Write] = []
    for var reader in try messages("writes") { writes.append(try reader.write()) }
    return writes
  }

  private mutating func write() throws(ServiceFault) -> Firestore.Write {
    let precondition = try precondition()
    let mask = try fieldMask("updateMask")
    var transforms = try self.transforms("updateTransforms")
    let operation: (name: String, Firestore.Write.Operation)
    if var reader = try message("update") {
      let document = try reader.document()
      operation = (document.name, .update(fields: document.fields, mask: mask))
    } else {
      guard mask == nil, transforms.isEmpty else {
        throw .invalidArgument("An update mask and update transforms can only stand beside an update.")
      }
      if let name = try string("delete") {
        operation = (name, .delete)
      } else if var reader = try message("transform") {
        operation = (try reader.string("document") ?? "", .transform)
        transforms = try reader.transforms("fieldTransforms")
        try reader.finish()
      } else {
        throw .invalidArgument("A write must have one of update, delete and transform.")
      }
    }
    try finish()
    return Firestore.Write(
      try Firestore.Name(document: operation.name), operation.1, transforms: transforms, precondition: precondition)
  }

  private mutating func transforms(_ name: String) throws(ServiceFault) -> [Firestore.FieldTransform] {
    var transforms: [Firestore.FieldTransform] = []
    for var reader in try messages(name) { transforms.append(try reader.transform()) }
    return transforms
  }

  private mutating func transform() throws(ServiceFault) -> Firestore.FieldTransform {
    let path = try Firestore.FieldPath(parsing: try string("fieldPath") ?? "")
    var operation: Firestore.FieldTransform.Operation?
    if try choice("setToServerValue", { (value: ServerValue) in value.name }) != nil { operation = .requestTime }
    if let json = take("increment") { operation = .increment(try .init(json: json, at: place("increment"))) }
    if let json = take("maximum") { operation = .maximum(try .init(json: json, at: place("maximum"))) }
    if let json = take("minimum") { operation = .minimum(try .init(json: json, at: place("minimum"))) }
    if let elements = try list("appendMissingElements") { operation = .appendMissing(elements) }
    if let elements = try list("removeAllFromArray") { operation = .removeAll(elements) }
    try finish()
    guard let operation else { throw .invalidArgument("A field transform must have a transform type.") }
    return Firestore.FieldTransform(path, operation)
  }

  private mutating func list(_ name: String) throws(ServiceFault) -> [Firestore.Value]? {
    guard var reader = try message(name) else { return nil }
    let elements = try Firestore.Value.elements(reader.take("values") ?? [], at: place(name))
    try reader.finish()
    return elements
  }
}
