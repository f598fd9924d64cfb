#if Server && HTTP && SQLite
import ArgumentParser

/// Where the demo keeps documents and runs.
enum DemoStore: String, ExpressibleByArgument, CaseIterable {
  /// An SQLite file in the data folder.
  case sqlite
  /// Cloud Firestore, in an emulator that is a process of its own.
  case firestore
}
#endif
