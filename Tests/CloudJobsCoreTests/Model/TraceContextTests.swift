import CloudJobsCore
import Testing

@Suite("Trace context")
struct TraceContextTests {
  @Test("A header round-trips", arguments: ["00", "01", "ff"])
  func roundTrip(flags: String) throws {
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\(flags)"
    let context = try #require(TraceContext(traceparent: text))
    #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
    #expect(context.parentID == "00f067aa0ba902b7")
    #expect(context.isSampled == (flags != "00"))
    #expect(context.description == text)
  }

  @Test(
    "The header of Google Cloud has a decimal span",
    arguments: [
      ("4BF92f3577b34da6a3ce929d0e0e4736/74;o=1", "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000004a-01"),
      ("4bf92f3577b34da6a3ce929d0e0e4736/74;o=0", "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000004a-00"),
      ("4bf92f3577b34da6a3ce929d0e0e4736/74", "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000004a-00"),
      (
        "4bf92f3577b34da6a3ce929d0e0e4736/18446744073709551615;o=1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-ffffffffffffffff-01"
      ),
      ("4bf92f3577b34da6a3ce929d0e0e4736/18446744073709551616;o=1", nil),
      ("4bf92f3577b34da6a3ce929d0e0e4736/+74;o=1", nil), ("4bf92f3577b34da6a3ce929d0e0e4736/0;o=1", nil),
      ("4bf92f3577b34da6a3ce929d0e0e4736", nil), ("4bf92f3577b34da6a3ce929d0e0e473/74;o=1", nil), ("", nil),
    ] as [(String, String?)])
  func cloudHeader(text: String, expected: String?) {
    #expect(TraceContext(cloudTraceContext: text)?.description == expected)
  }

  @Test(
    "Later versions are parsed by the fields they share with version 00",
    arguments: [
      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more-é",
    ])
  func later(text: String) {
    #expect(TraceContext(traceparent: text)?.description == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
  }

  @Test(
    "Rejected headers",
    arguments: [
      "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
      "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
      " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
    ])
  func refused(text: String) {
    #expect(TraceContext(traceparent: text) == nil)
  }
}
