// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "shop",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(
      name: "swift-cloud-jobs", path: "../swift-cloud-jobs",
      traits: ["Server", "SQLite", "Google"])
  ],
  targets: [
    .executableTarget(
      name: "shop",
      dependencies: [.product(name: "CloudJobsCommands", package: "swift-cloud-jobs")]),
    .testTarget(
      name: "shopTests",
      dependencies: ["shop", .product(name: "CloudJobsTesting", package: "swift-cloud-jobs")]),
  ]
)
