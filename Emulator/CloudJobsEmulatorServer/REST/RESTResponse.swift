public import CloudJobsCore
public import CloudJobsEmulator

/// An answer over REST: a status, headers and a JSON body.
public struct RESTResponse: Hashable, Sendable {
  /// The HTTP status.
  public var status: Int
  /// The headers, without those that the body makes by itself.
  public var headers: [HeaderField]
  /// The body.
  public var body: JSONValue

  /// A success with its body.
  public init(_ body: JSONValue, headers: [HeaderField] = []) {
    status = 200
    self.headers = headers
    self.body = body
  }

  /// A refusal, in the shape that all Google APIs share.
  ///
  /// Source: <https://cloud.google.com/apis/design/errors#http_mapping>.
  public init(_ fault: ServiceFault) {
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
