#if HTTP
/// A service of Google that this package calls, and that an emulator may stand for.
public struct GoogleService: Hashable, Sendable {
  /// Google's own address of the service.
  public let endpoint: String
  /// The environment variable that points clients at an emulator, as `host:port`.
  public let emulatorVariable: String
  /// What an emulator of the service wants as authorization.
  let emulatorHeaders: EmulatorHeaders

  enum EmulatorHeaders: Hashable, Sendable { case none, owner }

  /// Firestore.
  public static let firestore = GoogleService(
    endpoint: "https://firestore.googleapis.com", emulatorVariable: "FIRESTORE_EMULATOR_HOST", emulatorHeaders: .owner)
  /// Cloud Tasks.
  public static let cloudTasks = GoogleService(
    endpoint: "https://cloudtasks.googleapis.com", emulatorVariable: "CLOUD_TASKS_EMULATOR_HOST", emulatorHeaders: .none
  )
  /// Cloud Scheduler.
  public static let cloudScheduler = GoogleService(
    endpoint: "https://cloudscheduler.googleapis.com", emulatorVariable: "CLOUD_SCHEDULER_EMULATOR_HOST",
    emulatorHeaders: .none)
}
#endif
