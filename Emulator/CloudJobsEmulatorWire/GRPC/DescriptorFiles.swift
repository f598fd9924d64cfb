import CloudJobsCore

/// The schema in the form of `FileDescriptorProto` messages, which reflection answers: a file for each package.
///
/// Source: <https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto>.
struct DescriptorFiles: Sendable {
  /// A file.
  struct File: Sendable {
    /// The name, such as `google/cloud/tasks/v2.proto`.
    var name: String
    /// The names of the files that it needs.
    var dependencies: [String]
    /// The `FileDescriptorProto` in binary form.
    var bytes: [UInt8]
  }

  /// The files by their names.
  private(set) var files: [String: File] = [:]
  /// The names of the files by the full names of their messages, enums, services and methods.
  private(set) var fileNames: [String: String] = [:]

  /// Creates the files of a schema, and those of the types that are built in.
  ///
  /// - Parameters:
  ///   - schema: the schema.
  ///   - builtIn: the types that are built in, as ordinary messages.
  init(_ schema: Schema, builtIn: Schema) {
    add(builtIn, descriptors: schema) { _ in true }
    // Who reads descriptors knows the descriptors' own types.
    add(schema, descriptors: schema) { !$0.hasPrefix(TypeNames.builtIn) || $0 == TypeNames.empty }
  }

  /// Returns a file and those that it needs.
  func files(with name: String) -> [File] {
    var found: [File] = []
    var names: Set<String> = []
    var waiting = [name]
    while let name = waiting.popLast() {
      guard names.insert(name).inserted, let file = files[name] else { continue }
      found.append(file)
      waiting += file.dependencies
    }
    return found
  }

  private mutating func add(_ schema: Schema, descriptors: Schema, _ isIncluded: (String) -> Bool) {
    var builders: [String: DescriptorFileBuilder] = [:]
    func builder(_ name: String) -> (file: String, package: String) {
      (TypeNames.file(of: name), TypeNames.package(of: name))
    }
    for type in schema.messages where isIncluded(type.name) {
      let (file, package) = builder(type.name)
      builders[file, default: .init(file, package, descriptors)].messages.append(type)
      fileNames[type.name] = file
    }
    for type in schema.enums where isIncluded(type.name) {
      let (file, package) = builder(type.name)
      builders[file, default: .init(file, package, descriptors)].enums.append(type)
      fileNames[type.name] = file
    }
    for service in schema.services {
      let (file, package) = builder(service.name)
      builders[file, default: .init(file, package, descriptors)].services.append(service)
      fileNames[service.name] = file
      for method in service.methods { fileNames["\(service.name).\(method.name)"] = file }
    }
    for (name, builder) in builders { files[name] = builder.file(of: schema) }
  }
}

/// Builds the `FileDescriptorProto` of a file.
private struct DescriptorFileBuilder {
  var messages: [MessageType] = []
  var enums: [EnumType] = []
  var services: [ServiceType] = []
  private let name: String
  private let package: String
  private let descriptors: Schema
  private var dependencies: Set<String> = []

  init(_ name: String, _ package: String, _ descriptors: Schema) {
    self.name = name
    self.package = package
    self.descriptors = descriptors
  }

  /// Returns the file of the types of a schema.
  func file(of schema: Schema) -> DescriptorFiles.File {
    var builder = self
    return builder.build(schema)
  }

  private mutating func build(_ schema: Schema) -> DescriptorFiles.File {
    var file = descriptors.message("google.protobuf.FileDescriptorProto")
    file.set("name", name)
    file.set("package", package)
    file.set("syntax", "proto3")
    file["message_type"] = .list(nested(in: "", schema))
    file["enum_type"] = .list(enums(in: ""))
    file["service"] = .list(services.map { .message(service($0, schema)) })
    let names = dependencies.subtracting([name]).sorted()
    file.set("dependency", names)
    return DescriptorFiles.File(name: name, dependencies: names, bytes: ProtobufWriter.bytes(file))
  }

  /// Returns the messages that stand in another one; in none for an empty name.
  private mutating func nested(in outer: String, _ schema: Schema) -> [FieldValue] {
    var values: [FieldValue] = []
    for type in messages where Self.outer(type.name) == outer { values.append(.message(message(type, schema))) }
    return values
  }

  private func enums(in outer: String) -> [FieldValue] {
    enums.filter { Self.outer($0.name) == outer }.map { type in
      var message = descriptors.message("google.protobuf.EnumDescriptorProto")
      message.set("name", Self.last(type.name))
      message.set("value", forEach: type.values) {
        $0.set("name", $1.name)
        $0.set("number", Int($1.number))
      }
      return .message(message)
    }
  }

  private static func outer(_ name: String) -> String {
    TypeNames.local(name).split(separator: ".").dropLast().joined(separator: ".")
  }

  private static func last(_ name: String) -> String { name.split(separator: ".").last.map(String.init) ?? name }

  private mutating func message(_ type: MessageType, _ schema: Schema) -> Message {
    var message = descriptors.message("google.protobuf.DescriptorProto")
    message.set("name", Self.last(type.name))
    var fields: [FieldValue] = []
    var entries: [FieldValue] = []
    var oneofs = type.oneofs
    for field in type.fields {
      fields.append(.message(descriptor(field, of: type, &oneofs, &entries, schema)))
    }
    message["field"] = .list(fields)
    message["nested_type"] = .list(nested(in: String(TypeNames.local(type.name)), schema) + entries)
    message["enum_type"] = .list(enums(in: String(TypeNames.local(type.name))))
    message.set("oneof_decl", forEach: oneofs) { $0.set("name", $1) }
    return message
  }

  private mutating func descriptor(
    _ field: Field, of type: MessageType, _ oneofs: inout [String], _ entries: inout [FieldValue], _ schema: Schema
  ) -> Message {
    var message = descriptors.message("google.protobuf.FieldDescriptorProto")
    message.set("name", field.name)
    message.set("json_name", field.jsonName)
    message.set("number", field.number)
    let isMany = field.cardinality == .repeated || field.cardinality.keyKind != nil
    message["label"] = .enumeration(isMany ? 3 : 1)
    message.set("oneof_index", field.oneof)
    if field.cardinality == .optional {
      // Each has a group of its own.
      message.set("proto3_optional", true)
      message.set("oneof_index", oneofs.count)
      oneofs.append("_" + field.name)
    }
    guard let key = field.cardinality.keyKind else {
      fill(&message, field.kind, schema)
      return message
    }
    message["type"] = .enumeration(11)
    message.set("type_name", ".\(type.name).\(field.entryName)")
    entries.append(.message(mapEntry(field.entryName, key, field.kind, schema)))
    return message
  }

  private mutating func mapEntry(_ name: String, _ key: ScalarKind, _ kind: FieldKind, _ schema: Schema) -> Message {
    var message = descriptors.message("google.protobuf.DescriptorProto")
    message.set("name", name)
    var fields: [FieldValue] = []
    let parts: [(number: Int, name: String, kind: FieldKind)] = [(1, "key", .scalar(key)), (2, "value", kind)]
    for (number, name, kind) in parts {
      var field = descriptors.message("google.protobuf.FieldDescriptorProto")
      field.set("name", name)
      field.set("json_name", name)
      field.set("number", number)
      field["label"] = .enumeration(1)
      fill(&field, kind, schema)
      fields.append(.message(field))
    }
    message["field"] = .list(fields)
    message.set("options") { $0.set("map_entry", true) }
    return message
  }

  /// Fills the type of a field.
  private mutating func fill(_ message: inout Message, _ kind: FieldKind, _ schema: Schema) {
    let (number, name) = Self.type(kind, schema)
    message["type"] = .enumeration(number)
    guard let name else { return }
    message.set("type_name", "." + name)
    dependencies.insert(TypeNames.file(of: name))
  }

  private static func type(_ kind: FieldKind, _ schema: Schema) -> (number: Int32, name: String?) {
    switch kind {
    case .scalar(let kind): (scalarNumbers[kind] ?? 0, nil)
    case .enumeration(let index): (14, schema.enums[index].name)
    case .null: (14, "google.protobuf.NullValue")
    case .message(let index): (11, schema.messages[index].name)
    case .wellKnown(let kind): (11, TypeNames.builtIn + kind.rawValue)
    case .wrapper(let kind): (11, TypeNames.builtIn + wrapperName(kind))
    }
  }

  private static func wrapperName(_ kind: ScalarKind) -> String {
    let name = kind.rawValue
    let start = name.hasPrefix("uint") ? "UI" : name.prefix(1).uppercased()
    return start + name.dropFirst(start.utf8.count) + "Value"
  }

  private static let scalarNumbers: [ScalarKind: Int32] = [
    .double: 1, .float: 2, .int64: 3, .uint64: 4, .int32: 5, .fixed64: 6, .fixed32: 7, .bool: 8, .string: 9,
    .bytes: 12, .uint32: 13, .sfixed32: 15, .sfixed64: 16, .sint32: 17, .sint64: 18,
  ]

  private mutating func service(_ type: ServiceType, _ schema: Schema) -> Message {
    var message = descriptors.message("google.protobuf.ServiceDescriptorProto")
    message.set("name", Self.last(type.name))
    for method in type.methods {
      for index in [method.request, method.response] {
        dependencies.insert(TypeNames.file(of: schema.messages[index].name))
      }
    }
    message.set("method", forEach: type.methods) {
      $0.set("name", $1.name)
      $0.set("input_type", "." + schema.messages[$1.request].name)
      $0.set("output_type", "." + schema.messages[$1.response].name)
      if $1.streamsRequest { $0.set("client_streaming", true) }
      if $1.streamsResponse { $0.set("server_streaming", true) }
    }
    return message
  }
}
