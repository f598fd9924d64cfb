import CloudJobs
import CloudJobsCore
import Testing

@Suite("Job registry")
struct RegistryTests {
  private func job(_ id: JobID) -> EndpointJob<NoInput, NoOutput> {
    EndpointJob(id) { _ in .done }
  }

  private func faults(@JobRegistryBuilder _ jobs: () -> [any JobHandler]) -> [JobError] {
    do throws(RegistryError) {
      _ = try JobRegistry(jobs)
      return []
    } catch {
      return error.faults
    }
  }

  @Test("Sound jobs are registered, by name")
  func sound() throws {
    let registry = try JobRegistry {
      PeriodicJob("c", every: .hours(1)) { _ in .done }
      ScheduledJob("b", cron: "0 2 * * *", in: "Europe/Berlin") { _ in .done }
      job("a")
      if Bool(true) { job("d").depends(on: "a") }
      for name in ["e", "f"] as [JobID] { job(name) }
    }
    #expect(registry.definitions.map(\.id) == ["a", "b", "c", "d", "e", "f"])
    #expect(registry["c"]?.kind == .periodic && registry["b"]?.timeZone == "Europe/Berlin" && registry["g"] == nil)
    #expect(registry.definitions.map(\.kind) == [.endpoint, .scheduled, .periodic, .endpoint, .endpoint, .endpoint])
  }

  @Test("All faults come at once, in the order of the jobs")
  func allAtOnce() {
    let faults = faults {
      job("a")
      job("a")
      PeriodicJob("cron", cron: "61 * * * *") { _ in .done }
      ScheduledJob("never", cron: "0 0 30 2 *") { _ in .done }
      PeriodicJob("zone", every: .hours(1), in: "Mars/Olympus") { _ in .done }
      PeriodicJob("interval", every: .zero) { _ in .done }
      job("missing").depends(on: "nowhere")
      job("cloud_jobs_master")
      job("zen_master_scheduler")
      job("x").depends(on: "y")
      job("y").depends(on: "z")
      job("z").depends(on: "x")
    }
    #expect(
      faults.map(\.code) == [
        .invalidRegistry, .invalidSchedule, .invalidSchedule, .invalidTimeZone, .invalidSchedule, .invalidRegistry,
        .invalidRegistry, .invalidRegistry, .invalidRegistry,
      ])
    let parts = [
      "a is registered twice", "cron: ", "never: ", "zone: ", "interval: ", "nowhere, which is not registered",
      "cloud_jobs_master belongs", "zen_master_scheduler belongs", "x → y → z → x",
    ]
    for (fault, part) in zip(faults, parts) { #expect(fault.message.contains(part)) }
  }

  @Test("A job that depends on itself is a cycle; a diamond is none")
  func cycles() {
    let own = faults { job("a").depends(on: "a") }
    #expect(own.map(\.message) == ["Dependencies form a cycle: a → a. Remove one of them."])
    let diamond = faults {
      job("a").depends(on: "b", "c")
      job("b").depends(on: "d")
      job("c").depends(on: "d")
      job("d")
    }
    #expect(diamond.isEmpty)
  }
}
