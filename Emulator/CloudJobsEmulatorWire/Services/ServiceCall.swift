import CloudJobsCore
import CloudJobsEmulator

/// A call of a method, whatever transport it came by.
package struct ServiceCall: Sendable {
  /// The request.
  let request: Message
  /// The time.
  let now: Timestamp
  private let empty: Message

  /// Creates a call.
  ///
  /// - Parameters:
  ///   - method: the method.
  ///   - request: the request.
  ///   - now: the time.
  init(_ method: Method, _ request: Message, at now: Timestamp) {
    self.request = request
    self.now = now
    empty = Message(of: method.response, in: request.schema)
  }

  /// The schema.
  var schema: Schema { request.schema }

  /// Returns a response that a closure fills.
  func answer(_ fill: (inout Message) -> Void = { _ in }) -> [Message] {
    var response = empty
    fill(&response)
    return [response]
  }

  /// Returns responses of a stream: one for each value of a sequence.
  func stream<Element>(_ elements: some Sequence<Element>, _ fill: (inout Message, Element) -> Void) -> [Message] {
    elements.map { element in
      var response = empty
      fill(&response, element)
      return response
    }
  }

  /// The page that the request asks for.
  var page: PageRequest { PageRequest(size: request.int("page_size"), token: request.string("page_token")) }

  /// The fields that the request names; nil if it names none.
  var updateMask: FieldMask? { request["update_mask"].map { _ in FieldMask(request.texts("update_mask")) } }
}

/// What serves a method: it returns one response, or those of a stream.
typealias ServiceHandler =
  @Sendable (_ call: ServiceCall, _ state: inout EmulatorState) throws(ServiceFault)
  -> [Message]

/// What serves a method of Firestore, which needs no other service.
typealias FirestoreHandler =
  @Sendable (_ call: ServiceCall, _ firestore: inout FirestoreService) throws(ServiceFault)
  -> [Message]

extension Message {
  /// Returns an enum's value; nil if it is absent or unspecified.
  ///
  /// - Throws: ``ServiceFault`` `invalidArgument` for a number without a meaning.
  func known<Choice: RawRepresentable<Int>>(
    _ name: String, as type: Choice.Type = Choice.self
  ) throws(ServiceFault) -> Choice? {
    guard case .enumeration(let number)? = self[name], number != 0 else { return nil }
    guard let choice = Choice(rawValue: Int(number)) else {
      throw ServiceFault(.invalidArgument, "Invalid value at '\(name)': \(number) is not a known value.", field: name)
    }
    return choice
  }

  /// Sets a page of a list.
  mutating func set<Item>(
    _ name: String, page: ResourcePage<Item>, _ fill: (inout Message, Item) -> Void
  ) {
    set(name, forEach: page.items, fill)
    set("next_page_token", page.nextPageToken)
  }

  /// Sets a `google.rpc.Status`.
  mutating func set(_ name: String, status: RPCStatus?) {
    guard let status else { return }
    set(name) { $0.fill(status) }
  }

  /// Fills a `google.rpc.Status`.
  mutating func fill(_ status: RPCStatus) {
    set("code", status.code.rawValue)
    set("message", status.message)
  }
}
