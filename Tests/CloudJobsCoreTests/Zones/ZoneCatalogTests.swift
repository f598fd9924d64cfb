import Synchronization
import Testing

@testable import CloudJobsCore

extension ZoneCatalog {
  /// The contents of a system zone's file, as read by the system catalog.
  static func systemBytes(of name: String) -> [UInt8]? {
    contents(ofFile: "/usr/share/zoneinfo/\(name)", atMost: 1 << 20)
  }
}

@Suite("Zone catalogs")
struct ZoneCatalogTests {
  @Test("A zone is loaded once per name")
  func caches() throws {
    let bytes = TZifBytes.file(transitions: [], offsets: [3_600])
    let asked = Mutex<[String]>([])
    let catalog = ZoneCatalog { name in
      asked.withLock { $0.append(name) }
      return name == "Test/Zone" ? bytes : nil
    }
    let zone = try catalog.zone(named: "Test/Zone")
    #expect(try catalog.zone(named: "Test/Zone") == zone)
    #expect(zone.offset(at: .epoch) == 3_600)
    #expect(zone.name == "Test/Zone")
    #expect(asked.withLock { $0 } == ["Test/Zone"])
  }

  @Test("UTC needs no data")
  func utc() throws {
    #expect(try ZoneCatalog.utcOnly.zone(named: "UTC") == .utc)
    let etc = try ZoneCatalog.utcOnly.zone(named: "Etc/UTC")
    #expect(etc.name == "Etc/UTC")
    #expect(etc.offset(at: .distantFuture) == 0)
    #expect(throws: JobError.self) { try ZoneCatalog.utcOnly.zone(named: "Europe/Berlin") }
  }

  @Test(
    "Invalid zone names never reach the file system",
    arguments: [
      "", "/etc/passwd", "../zoneinfo/UTC", "Europe/../UTC", "Europe//Berlin", "Europe/", "/", ".", "..", "Europe/.",
      "Europe/Berlin\0", "Europe/Berlin\n", "Europe Berlin", "Euröpe/Berlin", "zone.tab", "1Europe", "-05:00",
      String(repeating: "A", count: 65), "Europe\\Berlin", "~root",
    ])
  func names(_ name: String) throws {
    let catalog = ZoneCatalog { name in
      Issue.record("asked for \(name)")
      return nil
    }
    let fault = try #require(throws: JobError.self) { try catalog.zone(named: name) }
    #expect(fault.code == .invalidTimeZone)
    #expect(fault.field == "timeZone")
  }

  @Test(
    "The system's zones are loaded; missing files, folders and invalid files are rejected",
    arguments: [
      ("America/Argentina/ComodRivadavia", true), ("Etc/GMT+12", true), ("EST5EDT", true), ("Europe/Atlantis", false),
      ("Europe", false), ("tzdata.zi", false), ("leapseconds", false),
    ])
  func system(_ name: String, _ exists: Bool) {
    let zone = try? ZoneCatalog.system.zone(named: name)
    #expect((zone != nil) == exists)
    #expect(throws: JobError.self) { try ZoneCatalog.system(directory: "/nonexistent").zone(named: name) }
  }

  @Test("Zones are equal by name and data")
  func equality() throws {
    let catalog = ZoneCatalog.system(directory: "/usr/share/zoneinfo")
    #expect(try catalog.zone(named: "Europe/Berlin") == ZoneCatalog.system.zone(named: "Europe/Berlin"))
    #expect(try catalog.zone(named: "Europe/Berlin") != catalog.zone(named: "Europe/Paris"))
    #expect(try Set([catalog.zone(named: "Etc/UTC"), .utc, .utc]).count == 2)
  }
}
