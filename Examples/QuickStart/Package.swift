// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "QuickStart",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "swift-cloud-jobs", path: "../swift-cloud-jobs", traits: ["Server", "SQLite"])
  ],
  targets: [
    .executableTarget(
      name: "QuickStart",
      dependencies: [
        .product(name: "CloudJobsServer", package: "swift-cloud-jobs"),
        .product(name: "CloudJobsSQLite", package: "swift-cloud-jobs"),
      ])
  ]
)
