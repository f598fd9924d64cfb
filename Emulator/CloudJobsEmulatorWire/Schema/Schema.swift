/// The messages, enums and services of protocol buffers, as data.
///
/// Google's are extracted from the official packages by `make schema` (``google``); `rest.schema` has what only the
/// discovery documents of the services have. Readers and writers of JSON and of
/// the binary form, routes and reflection all work from it, so that a message has one definition.
package final class Schema: Sendable {
  /// The messages.
  package let messages: [MessageType]
  /// The enums.
  package let enums: [EnumType]
  /// The services.
  package let services: [ServiceType]
  private let messageIndexes: [String: Int]

  /// The schema of all services of the emulator.
  package static let google: Schema = {
    let texts = [
      PackageResources.common_schema, PackageResources.tasks_schema, PackageResources.scheduler_schema,
      PackageResources.firestore_schema, PackageResources.grpc_schema, PackageResources.rest_schema,
    ]
    do {
      return try Schema(texts.map { String(decoding: $0, as: UTF8.self) })
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  /// Reads a schema.
  ///
  /// - Parameter texts: its parts, in the form that ``SchemaParser`` documents.
  /// - Throws: ``SchemaError`` for a line that is not understood, or a type that is not defined.
  package init(_ texts: [String]) throws(SchemaError) {
    var parser = SchemaParser()
    for text in texts { try parser.read(text) }
    (messages, enums, services) = try parser.finish()
    messageIndexes = Dictionary(uniqueKeysWithValues: messages.enumerated().map { ($1.name, $0) })
  }

  /// Returns the index of a message; nil if there is none of that name.
  package func index(ofMessage name: String) -> Int? { messageIndexes[name] }

  /// Returns the index of the message that the URL of a type names, such as `type.googleapis.com/google.rpc.Help`.
  func index(ofTypeURL url: String) -> Int? { url.split(separator: "/").last.flatMap { index(ofMessage: String($0)) } }

  /// Returns the enum of a name; nil if there is none.
  package func enumType(_ name: String) -> EnumType? { enums.first { $0.name == name } }

  /// Returns an empty message of a type.
  ///
  /// - Parameter name: the type's full name, which must be in the schema.
  /// - Returns: the message.
  package func message(_ name: String) -> Message {
    guard let index = messageIndexes[name] else { preconditionFailure("The schema has no message \(name).") }
    return Message(of: index, in: self)
  }
}

/// A fault of a schema's text.
package struct SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, with the line.
  package var description: String
}
