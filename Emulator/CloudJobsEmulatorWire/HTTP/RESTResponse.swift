package import CloudJobsCore
package import CloudJobsEmulator

/// An answer over REST: a status, headers and a JSON body.
package struct RESTResponse: Hashable, Sendable {
  /// The HTTP status.
  package var status: Int
  /// The headers, without those that the body makes by itself.
  package var headers: [HeaderField]
  /// The body.
  package var body: JSONValue

  /// A success with its body.
  package init(_ body: JSONValue, headers: [HeaderField] = []) {
    status = 200
    self.headers = headers
    self.body = body
  }

  /// A refusal, in the shape that all Google APIs share.
  ///
  /// Source: <https://cloud.google.com/apis/design/errors#http_mapping>.
  package init(_ fault: ServiceFault) {
    status = fault.code.httpStatus
    headers = []
    var error: [String: JSONValue] = [
      "code": .integer(Int64(fault.code.httpStatus)), "message": .string(fault.message),
      "status": .string(fault.code.name),
    ]
    if !fault.details.isEmpty {
      let schema = Schema.google
      error["details"] = .array(
        fault.details.map { JSONMessageWriter().json(AnyMessage($0.message(in: schema))) })
    }
    body = ["error": .object(error)]
  }
}

extension RESTResponse {
  /// A refusal, in a list where the method answers one.
  package init(_ fault: RESTFault) {
    self.init(fault.fault)
    if fault.isInList { body = [body] }
  }
}

extension FaultDetail {
  /// The detail as its message.
  package func message(in schema: Schema) -> Message {
    switch self {
    case .badRequest(let violations):
      var message = schema.message("google.rpc.BadRequest")
      message.set("field_violations", forEach: violations) {
        $0.set("field", $1.field)
        $0.set("description", $1.description)
      }
      return message
    case .reason(let reason, let domain, let metadata):
      var message = schema.message("google.rpc.ErrorInfo")
      message.set("reason", reason)
      message.set("domain", domain)
      message.set("metadata", metadata)
      return message
    case .help(let description, let url):
      var message = schema.message("google.rpc.Help")
      message.set("links", forEach: [url]) {
        $0.set("description", description)
        $0.set("url", $1)
      }
      return message
    }
  }
}
