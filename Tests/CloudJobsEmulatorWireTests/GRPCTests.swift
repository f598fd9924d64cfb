import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("gRPC")
struct GRPCTests {
  @Test("messages are taken out of a body in whatever parts it comes", arguments: [1, 2, 3, 7, 100])
  func frames(partSize: Int) throws {
    let frames: [GRPCFrameReader.Frame] = [
      .init(bytes: [1, 2, 3]), .init(bytes: []), .init(isCompressed: true, bytes: Array(repeating: 9, count: 50)),
    ]
    let body = frames.flatMap { GRPCFrameReader.body($0) }
    var reader = GRPCFrameReader(limit: 50)
    var found: [GRPCFrameReader.Frame] = []
    for start in stride(from: 0, to: body.count, by: partSize) {
      reader.append(body[start..<min(start + partSize, body.count)])
      while let frame = try reader.next() { found.append(frame) }
    }
    #expect(found == frames && reader.isAtEnd)
  }

  @Test("a message that is too large, an invalid header and an incomplete message are recognized")
  func badFrames() throws {
    var reader = GRPCFrameReader(limit: 3)
    reader.append([0, 0, 0, 0, 4])
    #expect(throws: ServiceFault.tooLarge(limit: 3)) { try reader.next() }
    reader = GRPCFrameReader(limit: 3)
    reader.append([2, 0, 0, 0, 0])
    #expect(throws: ServiceFault.self) { try reader.next() }
    reader = GRPCFrameReader(limit: 3)
    reader.append([0, 0, 0, 0, 2, 1])
    #expect(try reader.next() == nil && !reader.isAtEnd)
  }

  @Test("trailers have the status, the message in ASCII and the details")
  func trailers() throws {
    #expect(GRPCStatus.trailers(nil).map(\.value) == ["0"])
    let fault = ServiceFault(.invalidArgument, "50 % é\n", field: "a.b")
    let trailers = Dictionary(uniqueKeysWithValues: GRPCStatus.trailers(fault).map { ($0.name, $0.value) })
    #expect(trailers["grpc-status"] == "3")
    #expect(trailers["grpc-message"] == "50 %25 %C3%A9%0A")
    let bytes = try #require(trailers["grpc-status-details-bin"].flatMap { Base64.decode($0) })
    let index = try #require(Schema.google.index(ofMessage: "google.rpc.Status"))
    let status = try ProtobufReader.read(bytes, of: index, in: .google)
    let json = JSONMessageWriter().json(status)
    #expect(json["code"] == 3 && json["message"] == "50 % é\n")
    #expect(json["details"]?.array?.first?["fieldViolations"]?.array?.first?["field"] == "a.b")
  }

  @Test(
    "time limits have a number and a unit",
    arguments: [
      ("1H", .hours(1)), ("2M", .minutes(2)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
      ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("99999999S", .seconds(99_999_999)), ("", nil), ("S", nil),
      ("1", nil), ("-1S", nil), ("1s", nil), ("999999999S", nil),
    ] as [(String, Duration?)])
  func timeouts(text: String, timeout: Duration?) {
    #expect(GRPCStatus.timeout(text) == timeout)
  }

  @Test("a path that is no method's is refused in the words of Google's servers")
  func unknownMethod() {
    let fault = #expect(throws: ServiceFault.self) { try GRPCRouter().method("/a.B/C", host: "h") }
    #expect(fault?.code == .unimplemented)
    #expect(fault?.message == "The GRPC target is not implemented on the server, host: h, method: /a.B/C.")
  }
}
