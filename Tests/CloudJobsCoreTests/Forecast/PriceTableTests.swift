import Testing

@testable import CloudJobsCore

@Suite("Price table")
struct PriceTableTests {
  @Test("It is its own JSON, and what is left out keeps the standard value")
  func fields() throws {
    #expect(try PriceTable(fields: PriceTable.standard.fields) == .standard)
    #expect(try PriceTable(fields: [:]) == .standard)
    let table = try PriceTable(
      fields: ["currency": "EUR", "tasks": ["perMillionOperations": 1], "run": ["perVCPUSecond": 0.5]])
    #expect(table.currency == "EUR" && table.tasks.perMillionOperations == 1 && table.run.perVCPUSecond == 0.5)
    #expect(table.tasks.freeOperations == 1_000_000 && table.firestore == PriceTable.standard.firestore)
  }

  @Test("The free tiers and prices are those that were published on the table's day")
  func standard() {
    let table = PriceTable.standard
    #expect(table.tasks.perMillionOperations == 0.4 && table.tasks.chunkBytes == 32_768)
    #expect(table.scheduler.perJob == 0.1 && table.scheduler.freeJobs == 3)
    #expect(table.firestore.per100kReads == 0.06 && table.firestore.freeWritesPerDay == 20_000)
    #expect(table.run.freeVCPUSeconds == 180_000 && table.run.roundingMilliseconds == 100)
  }

  @Test(
    "A mistake is named by its member",
    arguments: [
      ("[]", "prices"), ("{\"task\": {}}", "task"), ("{\"tasks\": 1}", "tasks"),
      ("{\"tasks\": {\"perMillion\": 1}}", "tasks.perMillion"),
      ("{\"run\": {\"perVCPUSecond\": \"1\"}}", "run.perVCPUSecond"),
      ("{\"run\": {\"perGiBSecond\": -1}}", "run.perGiBSecond"),
      ("{\"tasks\": {\"chunkBytes\": 0}}", "tasks.chunkBytes"), ("{\"currency\": 5}", "currency"),
    ])
  func mistakes(text: String, field: String) throws {
    let value = try JSONValue(parsing: Array(text.utf8))
    let error = #expect(throws: JobError.self) { try PriceTable(fields: value) }
    #expect(error?.field == field && error?.code == .invalidField)
  }
}
