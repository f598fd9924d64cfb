package import CloudJobsCore
package import CloudJobsEmulator

/// All methods of the emulated services: what they are called, and what serves them.
package struct MethodTable: Sendable {
  /// A method with its service.
  package struct Entry: Sendable {
    /// The full name of the service.
    package var service: String
    /// The method.
    package var method: Method
    fileprivate var handler: ServiceHandler?
    fileprivate var firestoreHandler: FirestoreHandler?

    /// Whether it needs Firestore alone, so that it does not hold up the other services.
    package var isOfFirestore: Bool { firestoreHandler != nil }

    /// The name by which gRPC calls it, such as `google.cloud.tasks.v2.CloudTasks/CreateTask`.
    package var path: String { "\(service)/\(method.name)" }

    /// The largest request, in bytes.
    ///
    /// Source: <https://cloud.google.com/firestore/quotas#writes_and_transactions>; the other one is that of the front
    /// end that Google's services share.
    package var requestLimit: Int { service == "google.firestore.v1.Firestore" ? 11_534_336 : 10_485_760 }
  }

  /// The schema.
  package let schema: Schema
  /// The methods by their paths.
  package let entries: [String: Entry]

  /// The methods of the emulator.
  package static let google = MethodTable(.google)

  /// Creates the table of a schema's methods.
  private init(_ schema: Schema) {
    self.schema = schema
    let handlers = [
      "google.cloud.tasks.v2.CloudTasks": CloudTasksMethods.handlers,
      "google.cloud.scheduler.v1.CloudScheduler": CloudSchedulerMethods.handlers,
      "google.cloud.location.Locations": LocationMethods.handlers,
      "google.longrunning.Operations": OperationMethods.handlers,
      "grpc.health.v1.Health": HealthMethods.handlers,
    ]
    let firestoreHandlers = [
      "google.firestore.v1.Firestore": FirestoreMethods.handlers,
      "cloudjobs.emulator.v1.Administration": EmulatorMethods.handlers,
    ]
    var entries: [String: Entry] = [:]
    for service in schema.services {
      for method in service.methods {
        let entry = Entry(
          service: service.name, method: method, handler: handlers[service.name]?[method.name],
          firestoreHandler: firestoreHandlers[service.name]?[method.name])
        entries[entry.path] = entry
      }
    }
    self.entries = entries
  }

  /// Performs a call.
  ///
  /// - Parameters:
  ///   - call: the call.
  ///   - state: the services.
  ///   - now: the time.
  /// - Returns: one response, or those of a stream.
  /// - Throws: ``ServiceFault`` as the service answers, or `unimplemented`.
  package func perform(
    _ call: MethodCall, _ state: inout EmulatorState, at now: Timestamp
  ) throws(ServiceFault) -> [Message] {
    guard let handler = call.entry.handler else { return try perform(call, &state.firestore, at: now) }
    return try handler(ServiceCall(call.entry.method, call.request, at: now), &state)
  }

  /// Performs a call to Firestore.
  ///
  /// - Parameters:
  ///   - call: the call.
  ///   - firestore: the service.
  ///   - now: the time.
  /// - Returns: one response, or those of a stream.
  /// - Throws: ``ServiceFault`` as the service answers, or `unimplemented`.
  package func perform(
    _ call: MethodCall, _ firestore: inout FirestoreService, at now: Timestamp
  ) throws(ServiceFault) -> [Message] {
    guard let handler = call.entry.firestoreHandler else {
      throw ServiceFault(.unimplemented, "The emulator does not support \(call.entry.method.name).")
    }
    return try handler(ServiceCall(call.entry.method, call.request, at: now), &firestore)
  }
}

/// A call of a method.
package struct MethodCall: Sendable {
  /// The method.
  package var entry: MethodTable.Entry
  /// The request.
  package var request: Message

  private static let reads: Set<String> = [
    "BatchGetDocuments", "Check", "PartitionQuery", "RunAggregationQuery", "RunQuery", "TestIamPermissions",
    "WaitOperation", "Watch",
  ]

  /// Creates a call.
  package init(_ entry: MethodTable.Entry, _ request: Message) {
    self.entry = entry
    self.request = request
  }

  /// Whether it may change the state: true for everything but plain reads.
  ///
  /// A read within a transaction counts, because the transaction records it.
  package var mayChangeState: Bool {
    let name = entry.method.name
    guard name.hasPrefix("Get") || name.hasPrefix("List") || Self.reads.contains(name) else { return true }
    return ["transaction", "new_transaction"].contains { field in
      request.type.index(ofField: field).map { request[$0] != nil } ?? false
    }
  }
}

extension MethodCall {
  /// The call as stored in a write-ahead log: the request in its binary form, which loses nothing and does not grow.
  package var json: JSONValue {
    ["rpc": .string(entry.path), "request": .string(Base64.encode(ProtobufWriter.bytes(request)))]
  }

  /// Creates a call from its JSON in a write-ahead log; nil if the value is none.
  ///
  /// - Parameters:
  ///   - json: the value.
  ///   - table: the methods.
  package init?(json: JSONValue, in table: MethodTable) {
    guard let entry = json["rpc"]?.string.flatMap({ table.entries[$0] }),
      let bytes = json["request"]?.string.flatMap({ Base64.decode($0) }),
      let request = try? ProtobufReader.read(bytes, of: entry.method.request, in: table.schema)
    else { return nil }
    self.init(entry, request)
  }
}

/// The methods that only the emulator has.
enum EmulatorMethods {
  /// What serves each method.
  static let handlers: [String: FirestoreHandler] = ["ClearDocuments": clearDocuments]

  /// Empties a database, as the official emulator does for test suites in many languages.
  @Sendable
  private static func clearDocuments(
    _ call: ServiceCall, _ firestore: inout FirestoreService
  ) throws(ServiceFault) -> [Message] {
    firestore.removeAll(in: try Firestore.Name(parent: call.request.string("name")).database)
    return call.answer()
  }
}
