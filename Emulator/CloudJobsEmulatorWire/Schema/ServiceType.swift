/// A service: its name and its methods.
package struct ServiceType: Hashable, Sendable {
  /// The full name, such as `google.cloud.tasks.v2.CloudTasks`.
  package var name: String
  /// The methods, by name.
  package var methods: [Method] = []
}

/// A method of a service.
package struct Method: Hashable, Sendable {
  /// The name.
  package var name: String
  /// The index of the request's message.
  package var request: Int
  /// The index of the response's message.
  package var response: Int
  /// Whether there are any number of requests.
  package var streamsRequest: Bool
  /// Whether there are any number of responses.
  package var streamsResponse: Bool
  /// How it is called over HTTP; empty if it can't be.
  package var bindings: [HTTPBinding] = []
}

/// How a method is called over HTTP with JSON.
///
/// Source: `google.api.HttpRule` (<https://github.com/googleapis/googleapis/blob/master/google/api/http.proto>).
package struct HTTPBinding: Hashable, Sendable {
  /// The HTTP method.
  package var verb: String
  /// The path.
  package var path: PathTemplate
  /// What of the request is the body.
  package var body: Body

  /// What of a request is the body.
  package enum Body: Hashable, Sendable {
    /// Nothing: all fields that the path has not are parameters of the query.
    case none
    /// All fields that the path has not.
    case all
    /// The field at an index; the others are parameters of the query.
    case field(Int)
  }
}
