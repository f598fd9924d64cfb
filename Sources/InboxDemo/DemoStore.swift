#if Server && HTTP && SQLite
import ArgumentParser
import CloudJobs
import CloudJobsCore
import CloudJobsGoogle
import CloudJobsHTTP
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
  ///   - emulator: the emulator's address; nil where it is part of this process.
  ///   - client: what speaks to the emulator.
  /// - Returns: the store.
  /// - Throws: ``JobError`` `invalidField` where the choice does not fit, or what the store throws.
  func open(in folder: DataFolder, emulator: String?, client: HTTPClient) throws -> any JobStore {
    switch self {
    case .sqlite: return try SQLiteStore(path: folder.database)
    case .firestore:
      guard let emulator else {
        throw JobError(
          .invalidField, "The Firestore store needs an emulator in another process. Name it by --emulator.",
          field: "--store")
      }
      let environment = ["FIRESTORE_EMULATOR_HOST": emulator]
      return FirestoreStore(FirestoreConfiguration(project: "demo", environment: environment), client: client)
    }
  }
}
#endif
