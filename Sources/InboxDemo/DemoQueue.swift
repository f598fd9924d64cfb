#if Server && HTTP && SQLite
import ArgumentParser

/// What delivers the demo's runs.
enum DemoQueue: String, ExpressibleByArgument, CaseIterable {
  /// Cloud Tasks, in an emulator.
  case cloudTasks = "cloud-tasks"
}
#endif
