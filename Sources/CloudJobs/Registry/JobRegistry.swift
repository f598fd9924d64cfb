public import CloudJobsCore

/// The jobs of a program, validated as a whole.
public struct JobRegistry: Sendable {
  /// The jobs by id.
  private(set) var jobs: [JobID: RegisteredJob]
  /// The source of time zones.
  public let zones: ZoneCatalog

  /// Registers jobs.
  ///
  /// - Parameters:
  ///   - zones: the source of time zones.
  ///   - jobs: the jobs.
  /// - Throws: ``RegistryError`` with every fault at once: duplicate or reserved names, invalid schedules and time
  ///   zones, dependencies that don't exist or form a cycle.
  public init(zones: ZoneCatalog = .system, @JobRegistryBuilder _ jobs: () -> [any JobHandler])
    throws(RegistryError)
  {
    let registered = jobs().map { RegisteredJob(erasing: $0) }
    let faults = Self.faults(of: registered.map(\.definition), zones: zones) + registered.compactMap(\.inputFault)
    guard faults.isEmpty else { throw RegistryError(faults: faults) }
    self.jobs = Dictionary(registered.map { ($0.definition.id, $0) }) { first, _ in first }
    self.zones = zones
  }

  /// Removes a job.
  mutating func remove(_ job: JobID) {
    jobs[job] = nil
  }

  /// Returns the registry with other values for what the policies of jobs leave open.
  func withDefaults(_ defaults: JobDefaults) -> JobRegistry {
    if defaults == JobDefaults() { return self }
    var registry = self
    registry.jobs = jobs.mapValues { registered in
      var registered = registered
      registered.definition.policy.defaults = defaults
      return registered
    }
    return registry
  }

  /// Returns the registry with a function around the handler of a job, or in the handler's place.
  ///
  /// - Parameters:
  ///   - job: the id of the job.
  ///   - wrap: returns the new handler for the present one.
  /// - Returns: the registry; everything but the handler is unchanged.
  /// - Throws: ``JobError`` `unknownJob`.
  package func wrappingHandler(
    of job: JobID, _ wrap: (@escaping JobMiddleware.Next) -> JobMiddleware.Next
  ) throws(JobError) -> JobRegistry {
    guard let registered = jobs[job] else { throw .unknownJob(job) }
    var registry = self
    registry.jobs[job] = registered.wrappingHandler(wrap)
    return registry
  }

  /// The definitions, in the order of their ids.
  public var definitions: [JobDefinition] {
    jobs.values.map(\.definition).sorted { $0.id < $1.id }
  }

  /// Returns the definition of a job; nil if it is not registered.
  public subscript(job: JobID) -> JobDefinition? { jobs[job]?.definition }

  /// Returns every fault of some definitions, in their order.
  public static func faults(of definitions: [JobDefinition], zones: ZoneCatalog) -> [JobError] {
    var faults = [JobError]()
    var seen = Set<JobID>()
    let names = Set(definitions.map(\.id))
    for definition in definitions {
      if !seen.insert(definition.id).inserted {
        faults.append(fault("The job \(definition.id) is registered twice. Rename one of the two."))
      }
      if definition.id == .master || definition.id == "zen_master_scheduler" {
        faults.append(fault("The name \(definition.id) belongs to the master job. Rename the job."))
      }
      do throws(JobError) {
        _ = try ResolvedJob(definition, configuration: nil, zones: zones)
      } catch {
        faults.append(JobError(error.code, "\(definition.id): \(error.message)", field: error.field))
      }
      faults += unknownDependencies(of: definition, among: names)
    }
    return faults + cycleFault(in: definitions)
  }

  /// Returns a fault for each dependency that does not exist, and for the first cycle.
  static func dependencyFaults(of definitions: [JobDefinition]) -> [JobError] {
    let names = Set(definitions.map(\.id))
    return definitions.flatMap { unknownDependencies(of: $0, among: names) } + cycleFault(in: definitions)
  }

  private static func unknownDependencies(of definition: JobDefinition, among names: Set<JobID>) -> [JobError] {
    definition.policy.dependencies.filter { !names.contains($0) }.map { dependency in
      fault("\(definition.id) depends on \(dependency), which is not registered.")
    }
  }

  private static func cycleFault(in definitions: [JobDefinition]) -> [JobError] {
    guard let cycle = cycle(in: definitions) else { return [] }
    let path = (cycle + cycle.prefix(1)).map(\.rawValue).joined(separator: " → ")
    return [fault("Dependencies form a cycle: \(path). Remove one of them.")]
  }

  private static func fault(_ message: String) -> JobError {
    JobError(.invalidRegistry, message)
  }

  /// Returns the first cycle among dependencies, by a depth-first search that visits each job once.
  private static func cycle(in definitions: [JobDefinition]) -> [JobID]? {
    let edges = Dictionary(definitions.map { ($0.id, $0.policy.dependencies) }) { first, _ in first }
    var finished = Set<JobID>()
    for start in definitions.map(\.id) {
      var path: [(job: JobID, next: Int)] = [(start, 0)]
      if finished.contains(start) { continue }
      while let (job, next) = path.last {
        let targets = edges[job] ?? []
        guard next < targets.count else {
          finished.insert(job)
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let target = targets[next]
        if let index = path.firstIndex(where: { $0.job == target }) { return path[index...].map(\.job) }
        if !finished.contains(target) { path.append((target, 0)) }
      }
    }
    return nil
  }
}

/// The faults of a registry.
public struct RegistryError: Error, CustomStringConvertible, Sendable {
  /// The faults, in the order of the jobs.
  public let faults: [JobError]

  /// The faults, one line each.
  public var description: String {
    "The registry has \(faults.count == 1 ? "a fault" : "\(faults.count) faults"):\n"
      + faults.map { "  - \($0.message)" }.joined(separator: "\n")
  }
}

/// The result builder of a registry's jobs.
@resultBuilder
public enum JobRegistryBuilder {
  /// One job.
  public static func buildExpression(_ job: some JobHandler) -> [any JobHandler] { [job] }
  /// A list of jobs.
  public static func buildExpression(_ jobs: [any JobHandler]) -> [any JobHandler] { jobs }
  /// The jobs of a block.
  public static func buildBlock(_ parts: [any JobHandler]...) -> [any JobHandler] { parts.flatMap { $0 } }
  /// The jobs of an `if` without `else`.
  public static func buildOptional(_ part: [any JobHandler]?) -> [any JobHandler] { part ?? [] }
  /// The jobs of the first branch.
  public static func buildEither(first: [any JobHandler]) -> [any JobHandler] { first }
  /// The jobs of the second branch.
  public static func buildEither(second: [any JobHandler]) -> [any JobHandler] { second }
  /// The jobs of a loop.
  public static func buildArray(_ parts: [[any JobHandler]]) -> [any JobHandler] { parts.flatMap { $0 } }
}
