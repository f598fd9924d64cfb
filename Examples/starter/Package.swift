// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "starter",
  platforms: [.macOS(.v15)],
  dependencies: [
    // Add the trait "PostgreSQL" for a database, and "Google" for Google Cloud.
    .package(
      name: "swift-cloud-jobs", path: "../..",
      traits: ["Server", "SQLite"])
  ],
  targets: [
    .executableTarget(
      name: "starter",
      dependencies: [.product(name: "CloudJobsCommands", package: "swift-cloud-jobs")]),
    .testTarget(
      name: "starterTests",
      dependencies: ["starter", .product(name: "CloudJobsTesting", package: "swift-cloud-jobs")]),
  ]
)
