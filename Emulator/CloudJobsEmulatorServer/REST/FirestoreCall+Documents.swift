import CloudJobsCore
import CloudJobsEmulator

extension FirestoreCall {
  /// Serves the methods without a verb.
  func serveDocuments(_ service: inout FirestoreService) throws(ServiceFault) -> JSONValue {
    var parameters = parameters
    switch (method, ids.count.isMultiple(of: 2)) {
    case ("GET", true) where !ids.isEmpty:
      let mask = try parameters.fieldPaths("mask")
      let consistency = try parameters.consistency()
      try parameters.finish()
      return try service.getDocument(try document(), mask: mask, consistency: consistency, at: now).json
    case ("GET", false): return try list(&service)
    case ("POST", false):
      let id = parameters.string("documentId")
      let mask = try parameters.fieldPaths("mask")
      try parameters.finish()
      var reader = try message()
      let fields = try reader.document().fields
      return try service.createDocument(
        in: try parent(ids.dropLast()), ids[ids.count - 1], id: id, fields: fields, mask: mask, at: now
      ).json
    case ("PATCH", true):
      let updateMask = try parameters.fieldPaths("updateMask")
      let mask = try parameters.fieldPaths("mask")
      let precondition = try parameters.precondition()
      try parameters.finish()
      var reader = try message()
      let fields = try reader.document().fields
      return try service.updateDocument(
        try document(), fields: fields, updateMask: updateMask, mask: mask, precondition: precondition, at: now
      ).json
    case ("DELETE", true):
      let precondition = try parameters.precondition()
      try parameters.finish()
      try service.deleteDocument(try document(), precondition: precondition, at: now)
      return .object([:])
    default: throw unknownRoute
    }
  }

  private func list(_ service: inout FirestoreService) throws(ServiceFault) -> JSONValue {
    var parameters = parameters
    var request = Firestore.ListRequest(try parent(ids.dropLast()), ids[ids.count - 1])
    request.page = try parameters.page()
    request.orders = try Firestore.ListRequest.orders(parsing: parameters.string("orderBy") ?? "")
    request.showMissing = try parameters.bool("showMissing") ?? false
    request.isRecursive = try parameters.bool("recursive") ?? false
    request.mask = try parameters.fieldPaths("mask")
    request.consistency = try parameters.consistency()
    try parameters.finish()
    let page = try service.listDocuments(request, at: now)
    var answer: [String: JSONValue] = [:]
    if !page.items.isEmpty {
      answer["documents"] = .array(page.items.map { $0.document?.json ?? ["name": .string("\($0.name)")] })
    }
    if !page.nextPageToken.isEmpty { answer["nextPageToken"] = .string(page.nextPageToken) }
    return .object(answer)
  }

  /// Serves `listCollectionIds`.
  func listCollectionIDs(
    _ service: inout FirestoreService, _ reader: inout MessageReader
  ) throws(ServiceFault) -> JSONValue {
    let page = PageRequest(size: try reader.integer("pageSize") ?? 0, token: try reader.string("pageToken") ?? "")
    let time = try reader.timestamp("readTime")
    try reader.finish()
    let found = try service.listCollectionIDs(under: try parent(ids), page: page, readTime: time, at: now)
    var answer: [String: JSONValue] = [:]
    if !found.items.isEmpty { answer["collectionIds"] = .array(found.items.map { .string($0) }) }
    if !found.nextPageToken.isEmpty { answer["nextPageToken"] = .string(found.nextPageToken) }
    return .object(answer)
  }

  /// Serves `batchGet`.
  func batchGet(_ service: inout FirestoreService, _ reader: inout MessageReader) throws(ServiceFault) -> JSONValue {
    var names: [Firestore.Name] = []
    for text in try reader.texts("documents") { names.append(try Firestore.Name(document: text)) }
    let mask = try reader.fieldMask("mask")
    let consistency = try reader.consistency()
    try reader.finish()
    let result = try service.batchGet(names, in: database, mask: mask, consistency: consistency, at: now)
    let time = JSONValue.string("\(result.stamp.readTime)")
    let found = result.documents.map { found -> JSONValue in
      guard let document = found.document else { return ["missing": .string("\(found.name)"), "readTime": time] }
      return ["found": document.json, "readTime": time]
    }
    return .array(Self.started(result.stamp) + (found.isEmpty ? [["readTime": time]] : found))
  }
}

extension Firestore.Document {
  /// The document as JSON.
  var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string("\(name)"), "createTime": .string("\(createTime)"), "updateTime": .string("\(updateTime)"),
    ]
    if !fields.isEmpty { members["fields"] = .object(fields.mapValues(\.json)) }
    return .object(members)
  }
}
