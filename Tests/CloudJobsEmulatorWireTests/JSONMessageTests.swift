import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Messages in JSON and in the binary form")
struct JSONMessageTests {
  @Test(
    "a value has one form in JSON, and comes back from the binary form",
    arguments: [
      ("{}", "{}"), (#"{"flag":true}"#, #"{"flag":true}"#), (#"{"flag":"Yes"}"#, #"{"flag":true}"#),
      (#"{"flag":0}"#, "{}"), (#"{"small":"-7"}"#, #"{"small":-7}"#), (#"{"small":1e2}"#, #"{"small":100}"#),
      (#"{"wide":"9223372036854775807"}"#, #"{"wide":"9223372036854775807"}"#), (#"{"wide":-5}"#, #"{"wide":"-5"}"#),
      (#"{"unsigned":4294967295}"#, #"{"unsigned":4294967295}"#),
      (#"{"wideUnsigned":"18446744073709551615"}"#, #"{"wideUnsigned":"18446744073709551615"}"#),
      (#"{"zigzag":-2147483648}"#, #"{"zigzag":-2147483648}"#), (#"{"wide_zigzag":"-1"}"#, #"{"wideZigzag":"-1"}"#),
      (#"{"fixed":1,"wideFixed":2}"#, #"{"fixed":1,"wideFixed":"2"}"#),
      (#"{"signedFixed":-1,"wideSignedFixed":"-2"}"#, #"{"signedFixed":-1,"wideSignedFixed":"-2"}"#),
      (#"{"shortFloat":0.1}"#, #"{"shortFloat":0.1}"#), (#"{"longFloat":"NaN"}"#, #"{"longFloat":"NaN"}"#),
      (#"{"longFloat":2}"#, #"{"longFloat":2}"#), (#"{"longFloat":-0.0}"#, #"{"longFloat":-0.0}"#),
      (#"{"text":"é\u0000"}"#, #"{"text":"é\u0000"}"#), (#"{"data":"_-8"}"#, #"{"data":"/+8="}"#),
      (#"{"color":"dark-blue"}"#, #"{"color":"DARK_BLUE"}"#), (#"{"color":7}"#, #"{"color":"DARK_BLUE"}"#),
      (#"{"color":9}"#, #"{"color":9}"#), (#"{"leaf":{}}"#, #"{"leaf":{}}"#), (#"{"leaf":null}"#, "{}"),
      (#"{"maybeNumber":0,"maybeText":""}"#, #"{"maybeNumber":0,"maybeText":""}"#),
      (#"{"numbers":[0,-1,2],"unpacked":[3,0]}"#, #"{"numbers":[0,-1,2],"unpacked":[3,0]}"#),
      (#"{"numbers":5,"texts":"a"}"#, #"{"numbers":[5],"texts":["a"]}"#),
      (#"{"numbers":[1,null]}"#, #"{"numbers":[1]}"#),
      (#"{"leaves":[{},{"name":"a"}]}"#, #"{"leaves":[{},{"name":"a"}]}"#),
      (#"{"byName":{"":{},"b":{"number":1}}}"#, #"{"byName":{"":{},"b":{"number":1}}}"#),
      (#"{"byNumber":{"-1":"a"},"byFlag":{"true":"RED"}}"#, #"{"byFlag":{"true":"RED"},"byNumber":{"-1":"a"}}"#),
      (#"{"byName":{"a":null}}"#, #"{"byName":{"a":{}}}"#),
      (#"{"firstChoice":""}"#, #"{"firstChoice":""}"#), (#"{"secondChoice":{}}"#, #"{"secondChoice":{}}"#),
      (#"{"thirdChoice":null}"#, #"{"thirdChoice":null}"#),
      (#"{"thirdChoice":"NULL_VALUE"}"#, #"{"thirdChoice":null}"#),
      (#"{"firstChoice":null,"secondChoice":{}}"#, #"{"secondChoice":{}}"#),
      (#"{"time":"2026-11-25T22:00:00.5+01:30"}"#, #"{"time":"2026-11-25T20:30:00.500Z"}"#),
      (#"{"time":"1970-01-01T00:00:00Z"}"#, #"{"time":"1970-01-01T00:00:00Z"}"#),
      (#"{"time":"0001-01-01T00:00:00.000000001Z"}"#, #"{"time":"0001-01-01T00:00:00.000000001Z"}"#),
      (#"{"span":"-1.5s"}"#, #"{"span":"-1.500s"}"#), (#"{"span":"0s"}"#, #"{"span":"0s"}"#),
      (#"{"mask":"a.bC,d_e"}"#, #"{"mask":"a.bC,dE"}"#), (#"{"mask":""}"#, #"{"mask":""}"#),
      (#"{"object":{"a":[1,{"b":null}]}}"#, #"{"object":{"a":[1,{"b":null}]}}"#),
      (#"{"value":null}"#, #"{"value":null}"#), (#"{"list":[]}"#, #"{"list":[]}"#),
      (
        #"{"any":{"@type":"type.googleapis.com/test.Leaf","name":"a"}}"#,
        #"{"any":{"@type":"type.googleapis.com/test.Leaf","name":"a"}}"#
      ),
      (#"{"wrappedNumber":0,"wrappedText":{"value":"a"}}"#, #"{"wrappedNumber":0,"wrappedText":"a"}"#),
      (#"{"wrappedFlag":{},"wrappedWide":"5"}"#, #"{"wrappedFlag":false,"wrappedWide":"5"}"#),
      (#"{"nothing":{}}"#, #"{"nothing":{}}"#),
      (
        #"{"times":["1970-01-01T00:00:01Z"],"spans":{"a":"1s"}}"#,
        #"{"spans":{"a":"1s"},"times":["1970-01-01T00:00:01Z"]}"#
      ),
      (#"{"child":{"child":{"small":1}}}"#, #"{"child":{"child":{"small":1}}}"#),
      (#"{"floats":[1,0.5,"Infinity"]}"#, #"{"floats":[1,0.5,"Infinity"]}"#),
    ])
  func forms(sent: String, form: String) throws {
    let message = try Example.tree(sent)
    let normal = try JSONValue(parsing: Array(form.utf8), limits: .service)
    #expect(JSONMessageWriter().json(message) == normal, "\(Example.text(message))")
    let copy = try Example.tree(ProtobufWriter.bytes(message))
    #expect(copy == message || form.contains("NaN"))
    #expect(Example.text(copy) == Example.text(try Example.tree(form)))
  }

  @Test("enums are written as numbers on request")
  func enums() throws {
    let message = try Example.tree(#"{"color":"RED","colors":[1,0],"byFlag":{"true":"RED"}}"#)
    #expect(Example.text(message, enumsAreNumbers: true) == #"{"byFlag":{"true":1},"color":1,"colors":[1,0]}"#)
  }

  @Test(
    "a value of another kind is refused in the words of Google's services",
    arguments: [
      (#"{"small":1.5}"#, "Invalid value at 'small' (TYPE_INT32), 1.5"),
      (#"{"small":"abc"}"#, #"Invalid value at 'small' (TYPE_INT32), "abc""#),
      (#"{"small":2147483648}"#, "Invalid value at 'small' (TYPE_INT32), 2147483648"),
      (#"{"small":"2.0"}"#, #"Invalid value at 'small' (TYPE_INT32), "2.0""#),
      (#"{"unsigned":-1}"#, "Invalid value at 'unsigned' (TYPE_UINT32), -1"),
      (#"{"flag":"maybe"}"#, #"Invalid value at 'flag' (TYPE_BOOL), "maybe""#),
      (#"{"longFloat":"0x1"}"#, #"Invalid value at 'long_float' (TYPE_DOUBLE), "0x1""#),
      (#"{"shortFloat":1e300}"#, "Invalid value at 'short_float' (TYPE_FLOAT), 1e+300"),
      (#"{"text":5}"#, "Invalid value at 'text' (TYPE_STRING), 5"),
      (#"{"data":"*"}"#, #"Invalid value at 'data' (TYPE_BYTES), Base64 decoding failed for "*""#),
      (#"{"color":"GREEN"}"#, #"Invalid value at 'color' (type.googleapis.com/test.Color), "GREEN""#),
      (#"{"leaf":"x"}"#, #"Invalid value at 'leaf' (type.googleapis.com/test.Leaf), "x""#),
      (#"{"leaves":[{},1]}"#, "Invalid value at 'leaves[1]' (type.googleapis.com/test.Leaf), 1"),
      (#"{"leaves":[{},{"number":"x"}]}"#, #"Invalid value at 'leaves[1].number' (TYPE_INT32), "x""#),
      (#"{"numbers":[1,2,"x"]}"#, #"Invalid value at 'numbers[0]' (TYPE_INT32), "x""#),
      (#"{"byName":{"a":{},"b":{"number":"x"}}}"#, #"Invalid value at 'by_name[1].value.number' (TYPE_INT32), "x""#),
      (#"{"byNumber":{"x":"a"}}"#, #"Invalid value at 'by_number[0].key' (TYPE_INT32), "x""#),
      (#"{"leaf":{"name":{}}}"#, "Invalid value at 'leaf' (name), Starting an object on a scalar field"),
      (#"{"text":{}}"#, "Invalid value (text), Starting an object on a scalar field"),
      (#"{"child":{"byName":[]}}"#, "Invalid value at 'child' (Map), Cannot bind a list to map for field 'byName'."),
      (#"{"byName":5}"#, "Invalid value at 'by_name' (type.googleapis.com/test.Tree.ByNameEntry), 5"),
      (
        #"{"leaf":{"name":[]}}"#,
        #"Invalid JSON payload received. Unknown name "name" at 'leaf': "#
          + "Proto field is not repeating, cannot start list."
      ),
      (#"{"nope":1}"#, #"Invalid JSON payload received. Unknown name "nope": Cannot find field."#),
      (
        #"{"child":{"firstChoice":"a","secondChoice":{}}}"#,
        "Invalid value at 'child' (oneof), oneof field 'choice' is already set. Cannot set 'secondChoice'"
      ),
      (
        #"{"time":"2026-11-25T22:00:00"}"#,
        "Invalid value at 'time' (type.googleapis.com/google.protobuf.Timestamp), Field 'time', "
          + "Illegal timestamp format; timestamps must end with 'Z' or have a valid timezone offset."
      ),
      (
        #"{"time":"2026-13-25T22:00:00Z"}"#,
        "Invalid value at 'time' (type.googleapis.com/google.protobuf.Timestamp), Field 'time', "
          + "Invalid time format: Failed to parse input"
      ),
      (
        #"{"time":"9999-12-31T23:59:59-01:00"}"#,
        "Invalid value at 'time' (type.googleapis.com/google.protobuf.Timestamp), Field 'time', "
          + "Timestamp value exceeds limits"
      ),
      (
        #"{"time":5}"#,
        "Invalid value at 'time' (type.googleapis.com/google.protobuf.Timestamp), Field 'time', "
          + "Invalid data type for timestamp, value is 5"
      ),
      (
        #"{"span":"5"}"#,
        "Invalid value at 'span' (type.googleapis.com/google.protobuf.Duration), Field 'span', "
          + "Illegal duration format; duration must end with 's'"
      ),
      (
        #"{"span":"315576000001s"}"#,
        "Invalid value at 'span' (type.googleapis.com/google.protobuf.Duration), Field 'span', "
          + "Duration value exceeds limits"
      ),
      (#"{"wrappedNumber":"x"}"#, #"Invalid value at 'wrapped_number.value' (TYPE_INT32), "x""#),
      (
        #"{"any":{"name":"a"}}"#,
        "Invalid value at 'any' (Any), Missing @type for any field in google.protobuf.Any"
      ),
    ])
  func refusals(json: String, message: String) throws {
    let fault = #expect(throws: ServiceFault.self) { try Example.tree(json) }
    #expect(fault?.code == .invalidArgument)
    #expect(fault?.message == message)
  }

  @Test("all faults are told, each with its place")
  func several() throws {
    let fault = #expect(throws: ServiceFault.self) {
      try Example.tree(#"{"a":1,"leaf":{"b":2,"number":"x"},"small":true}"#)
    }
    let lines = [
      #"Invalid JSON payload received. Unknown name "a": Cannot find field."#,
      #"Invalid JSON payload received. Unknown name "b" at 'leaf': Cannot find field."#,
      #"Invalid value at 'leaf.number' (TYPE_INT32), "x""#, "Invalid value at 'small' (TYPE_INT32), true",
    ]
    #expect(fault?.message == lines.joined(separator: "\n"))
    #expect(
      fault?.details == [
        .badRequest(
          zip(["", "leaf", "leaf.number", "small"], lines).map { FieldViolation(field: $0, description: $1) })
      ])
  }
}
