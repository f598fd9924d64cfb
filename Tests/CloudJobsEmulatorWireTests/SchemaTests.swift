import CloudJobsEmulatorWire
import Testing

@Suite("The schema")
struct SchemaTests {
  @Test("Google's schema has the services with their methods and bindings")
  func google() throws {
    let schema = Schema.google
    #expect(schema.messages.count > 180)
    let tasks = try #require(schema.services.first { $0.name == "google.cloud.tasks.v2.CloudTasks" })
    let create = try #require(tasks.methods.first { $0.name == "CreateTask" })
    #expect(schema.messages[create.request].name == "google.cloud.tasks.v2.CreateTaskRequest")
    #expect(create.bindings.map(\.path.text) == ["/v2/{parent=projects/*/locations/*/queues/*}/tasks"])
    #expect(create.bindings[0].body == .all)
  }
}
