import CloudJobsCore
import CloudJobsEmulator

/// Server reflection: what services there are, and the descriptors of their messages, for tools such as `grpcurl`.
///
/// Source: <https://github.com/grpc/grpc/blob/master/doc/server-reflection.md>.
package struct Reflection: Sendable {
  private static let missing: Int32 = 5
  private static let unsupported: Int32 = 12

  /// The reflection of all services of the emulator.
  package static let google = Reflection(.google)

  private let services: [String]
  private let files: DescriptorFiles

  private init(_ schema: Schema) {
    services = schema.services.map(\.name)
    do {
      let builtIn = try Schema([String(decoding: PackageResources.wellknown_schema, as: UTF8.self)])
      files = DescriptorFiles(schema, builtIn: builtIn)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Returns the answer to a request, of the version of the protocol that the request has.
  ///
  /// - Parameters:
  ///   - request: a `ServerReflectionRequest`.
  ///   - response: an empty `ServerReflectionResponse`.
  /// - Returns: the response.
  package func answer(_ request: Message, _ response: Message) -> Message {
    var response = response
    response.set("valid_host", request.string("host"))
    response["original_request"] = .message(request)
    switch request.choice("message_request") {
    case "list_services":
      response.set("list_services_response") {
        $0.set("service", forEach: services) { $0.set("name", $1) }
      }
    case "file_by_filename": fill(&response, fileName: request.string("file_by_filename"))
    case "file_containing_symbol":
      fill(&response, fileName: files.fileNames[request.string("file_containing_symbol")] ?? "")
    case "all_extension_numbers_of_type":
      response.set("all_extension_numbers_response") {
        $0.set("base_type_name", request.string("all_extension_numbers_of_type"))
      }
    case "file_containing_extension": fail(&response, Self.missing, "The services have no extensions.")
    default: fail(&response, Self.unsupported, "The emulator does not understand the request.")
    }
    return response
  }

  private func fill(_ response: inout Message, fileName: String) {
    let found = files.files(with: fileName)
    guard !found.isEmpty else { return fail(&response, Self.missing, "There is no such file or symbol.") }
    response.set("file_descriptor_response") {
      $0["file_descriptor_proto"] = .list(found.map { .bytes($0.bytes) })
    }
  }

  private func fail(_ response: inout Message, _ code: Int32, _ text: String) {
    response.set("error_response") {
      $0.set("error_code", Int(code))
      $0.set("error_message", text)
    }
  }
}
