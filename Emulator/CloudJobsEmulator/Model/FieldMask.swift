/// The fields that an update changes, as dotted lower-camel-case paths (`retryConfig.maxAttempts`).
package struct FieldMask: Hashable, Sendable {
  /// The paths.
  package let paths: [String]

  /// Creates a mask from paths in camel case or snake case.
  ///
  /// Clients send both: <https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask>.
  package init(_ paths: [String]) {
    self.paths = paths.map { FieldName.camelCase($0) }
  }
}
