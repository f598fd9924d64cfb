#if Server && HTTP && SQLite
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsSQLite

/// Where the demo keeps documents and runs.
enum DemoStore: String, ExpressibleByArgument, CaseIterable {
  /// An SQLite file in the data folder.
  case sqlite
  /// Cloud Firestore, in an emulator that is a process of its own.
  case firestore

  /// Opens the store.
  ///
  /// - Parameters:
  ///   - folder: the data folder.
  ///   - google: the emulator in another process; nil where it is part of this one.
  /// - Returns: the store.
  /// - Throws: ``JobError`` `invalidField` where the choice does not fit, or what the store throws.
  func open(in folder: DataFolder, _ google: GoogleCloud?) throws -> any JobStore {
    switch self {
    case .sqlite: return try SQLiteStore(path: folder.database)
    case .firestore:
      guard let google else {
        throw JobError(
          .invalidField, "The Firestore store needs an emulator in another process. Name it by --emulator.",
          field: "--store")
      }
      return .firestore(google)
    }
  }
}
#endif
