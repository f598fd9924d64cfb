import CloudJobsCore
import CloudJobsEmulator
import Testing

@Suite("Operations")
struct AdministrationServiceTests {
  private static let prefix = "\(Fixture.location)/operations/"

  /// Returns a service that keeps operations named by numbers.
  private static func service(_ numbers: Range<Int>) -> AdministrationService {
    var service = AdministrationService()
    for number in numbers { keep(number, in: &service, at: Fixture.start) }
    return service
  }

  private static func keep(_ number: Int, in service: inout AdministrationService, at now: Timestamp) {
    service.keep(["done": true], named: "\(prefix)\(number)", at: now)
  }

  private static func isKept(_ number: Int, in service: AdministrationService, at now: Timestamp) -> Bool {
    service.operation("\(prefix)\(number)", at: now) != nil
  }

  @Test("at most 10,000 are kept: the oldest one makes room")
  func limit() throws {
    var service = Self.service(0..<10_000)
    let location = try LocationName(Fixture.location)
    #expect(Self.isKept(0, in: service, at: Fixture.start))
    Self.keep(10_000, in: &service, at: Fixture.start)
    #expect(!Self.isKept(0, in: service, at: Fixture.start))
    #expect([1, 10_000].allSatisfy { Self.isKept($0, in: service, at: Fixture.start) })
    #expect(service.operations(in: location, at: Fixture.start).count == 10_000)
  }

  @Test("one is kept for an hour")
  func lifetime() {
    let service = Self.service(0..<1)
    #expect(Self.isKept(0, in: service, at: Fixture.start + .hours(1) - .microseconds(1)))
    #expect(!Self.isKept(0, in: service, at: Fixture.start + .hours(1)))
  }
}
