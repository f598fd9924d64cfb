import CloudJobsCore
import Testing

@Suite("Configuration fields")
struct JobConfigurationFieldsTests {
  private static let full: JSONValue = [
    "type": "periodic", "enabled": true, "cron": "* * * * *", "interval": 60, "timeZone": "UTC",
    "startAt": "2026-01-01", "endAt": "2026-12-31", "skipDates": ["2026-05-01"], "dependencies": ["other"],
    "priority": 1, "maxRetries": 2, "timeout": 3, "group": "g", "misfire": "skip", "overlap": "skip", "queue": "q",
    "trigger": "masterPass", "metadata": ["a": 1],
  ]

  @Test("fieldNames names just what a configuration writes")
  func names() throws {
    let configuration = try JobConfiguration(fields: Self.full)
    #expect(configuration.fields == Self.full)
    #expect(Set(try #require(configuration.fields.object).keys) == JobConfiguration.fieldNames)
  }

  @Test(
    "Replacing keeps the state and unknown members and drops what is not set",
    arguments: [
      (
        ["cron": "x", "state": ["epoch": 1], "colour": "red"],
        ["enabled": true, "state": ["epoch": 1], "colour": "red"]
      ),
      (["enabled": "broken"], ["enabled": true]),
      ("no object", ["enabled": true]),
      (nil, ["enabled": true]),
    ] as [(JSONValue?, JSONValue)])
  func replacing(_ stored: JSONValue?, _ expected: JSONValue) {
    var configuration = JobConfiguration()
    configuration.enabled = true
    #expect(configuration.replacing(in: stored) == expected)
  }
}
