import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import Testing

@Suite("Streams of changes")
struct ListenSessionTests {
  private static let reset = ServiceFault(.unavailable, "The emulator was reset. Listen again.")

  /// Returns a request for the changes of a collection.
  private static func request() throws -> Message {
    try JSONMessageReader.read(
      [
        "database": "projects/p/databases/d",
        "addTarget": [
          "targetId": 1,
          "query": [
            "parent": "projects/p/databases/d/documents", "structuredQuery": ["from": [["collectionId": "c"]]],
          ],
        ],
      ], into: Schema.google.message("google.firestore.v1.ListenRequest"))
  }

  private static func session() -> ListenSession {
    ListenSession(Schema.google.message("google.firestore.v1.ListenResponse"))
  }

  private static func handle(
    _ request: Message, _ session: inout ListenSession, _ emulator: LiveEmulator
  ) throws(ServiceFault) -> [Message] {
    try emulator.withFirestore { (firestore, now) throws(ServiceFault) in
      try session.handle(request, &firestore, at: now)
    }
  }

  private static func advance(
    _ session: inout ListenSession, _ emulator: LiveEmulator
  ) throws(ServiceFault) -> [Message] {
    try emulator.withFirestore { (firestore, now) throws(ServiceFault) in
      try session.advance(&firestore, at: now)
    }
  }

  @Test("a stream ends at a reset of the emulator, and a new one has what there is then")
  func endsAtReset() throws {
    let emulator = LiveEmulator(state: EmulatorState()) { _ in .timedOut }
    let request = try Self.request()
    var session = Self.session()
    let first = try Self.handle(request, &session, emulator)
    #expect(first.first?.message("target_change") != nil)
    let news = try Self.advance(&session, emulator)
    #expect(news.isEmpty)
    emulator.reset(to: EmulatorState())
    for _ in 0..<2 {
      #expect(throws: Self.reset) { try Self.advance(&session, emulator) }
      #expect(throws: Self.reset) { try Self.handle(request, &session, emulator) }
    }
    var next = Self.session()
    let again = try Self.handle(request, &next, emulator)
    #expect(again.first?.message("target_change") != nil)
  }

  @Test("a stream that has asked for nothing yet begins with the state after a reset")
  func beginsAfterReset() throws {
    let emulator = LiveEmulator(state: EmulatorState()) { _ in .timedOut }
    emulator.reset(to: EmulatorState())
    var session = Self.session()
    let news = try Self.advance(&session, emulator)
    #expect(news.isEmpty)
    let first = try Self.handle(try Self.request(), &session, emulator)
    #expect(!first.isEmpty)
  }
}
