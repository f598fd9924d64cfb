/// The place where an attempt executes.
public enum ExecutionRoute: Hashable, Sendable {
  /// Swift's shared pool of threads.
  case sharedPool
  /// The compute executor: threads of their own in this process.
  case compute
  /// A subprocess of the same program.
  case subprocess
  /// Another service, to whose queue the run is handed.
  case otherService

  /// Decides where an attempt executes: a function of the job's descriptor and of the placement of heavy work.
  ///
  /// - Parameters:
  ///   - descriptor: the job's descriptor.
  ///   - heavy: the placement of heavy work in this runtime.
  public init(_ descriptor: JobDescriptor, heavy: HeavyPlacement) {
    self =
      switch (descriptor.weight, heavy) {
      case (.light, _): .sharedPool
      case (.medium, _), (.heavy, .here): .compute
      case (.heavy, .subprocess): .subprocess
      case (.heavy, .otherService): .otherService
      }
  }
}

/// The place where a runtime executes heavy work.
public enum HeavyPlacement: Hashable, Sendable, CaseIterable {
  /// In this process, on the compute executor.
  case here
  /// In a subprocess of the same program.
  case subprocess
  /// In another service.
  case otherService
}
