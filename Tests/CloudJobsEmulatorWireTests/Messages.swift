import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire

/// A schema with every kind of field.
enum Example {
  static let schema: Schema = {
    do {
      return try Schema([text])
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  private static let text = """
    enum test.Color
      COLOR_UNSPECIFIED 0
      RED 1
      DARK_BLUE 7
    message test.Leaf
      name 1 string
      number 2 int32
    message test.Tree
      flag 1 bool
      small 2 int32
      wide 3 int64
      unsigned 4 uint32
      wide_unsigned 5 uint64
      zigzag 6 sint32
      wide_zigzag 7 sint64
      fixed 8 fixed32
      wide_fixed 9 fixed64
      signed_fixed 10 sfixed32
      wide_signed_fixed 11 sfixed64
      short_float 12 float
      long_float 13 double
      text 14 string
      data 15 bytes
      color 16 test.Color
      leaf 17 test.Leaf
      optional maybe_number 18 int32
      optional maybe_text 19 string
      optional maybe_color 20 test.Color
      repeated numbers 21 int32
      repeated unpacked 22 unpacked int32
      repeated texts 23 string
      repeated leaves 24 test.Leaf
      repeated colors 25 test.Color
      map by_name 26 string test.Leaf
      map by_number 27 int32 string
      map by_flag 28 bool test.Color
      first_choice 29 string in choice
      second_choice 30 test.Leaf in choice
      third_choice 31 google.protobuf.NullValue in choice
      fourth_choice 32 google.protobuf.Timestamp in choice
      time 33 google.protobuf.Timestamp
      span 34 google.protobuf.Duration
      mask 35 google.protobuf.FieldMask
      object 36 google.protobuf.Struct
      value 37 google.protobuf.Value
      list 38 google.protobuf.ListValue
      any 39 google.protobuf.Any
      wrapped_number 40 google.protobuf.Int32Value
      wrapped_text 41 google.protobuf.StringValue
      wrapped_flag 42 google.protobuf.BoolValue
      wrapped_wide 43 google.protobuf.Int64Value
      nothing 44 google.protobuf.Empty
      repeated times 45 google.protobuf.Timestamp
      map spans 46 string google.protobuf.Duration
      child 47 test.Tree
      repeated floats 48 double
      optional maybe_flag 49 bool
    """

  /// Reads a message of the type `test.Tree` from JSON.
  static func tree(_ json: String) throws -> Message {
    try JSONMessageReader.read(
      JSONValue(parsing: Array(json.utf8), limits: .service), into: schema.message("test.Tree"))
  }

  /// Returns a message as JSON text.
  static func text(_ message: Message, enumsAreNumbers: Bool = false) -> String {
    JSONMessageWriter(enumsAreNumbers: enumsAreNumbers).json(message).text
  }

  /// Reads a message from its binary form.
  static func tree(_ bytes: [UInt8]) throws(ServiceFault) -> Message {
    try ProtobufReader.read(bytes, of: schema.index(ofMessage: "test.Tree") ?? 0, in: schema)
  }
}
