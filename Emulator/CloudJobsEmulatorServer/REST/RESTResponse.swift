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
    if let field = fault.field {
      error["details"] = [
        [
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          "fieldViolations": [["field": .string(field), "description": .string(fault.message)]],
        ]
      ]
    }
    body = ["error": .object(error)]
  }
}
