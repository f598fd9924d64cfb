// swift-tools-version: 6.2
import PackageDescription

/// Settings that every target shares: Swift 6 language mode with the upcoming features, warnings as errors.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let tracingTestKit: Target.Dependency = .product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let mustache: Target.Dependency = .product(
  name: "Mustache", package: "swift-mustache", condition: .when(traits: ["Server"]))
let metricsTestKit: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["Server"]))
let signals: Target.Dependency = .product(
  name: "UnixSignals", package: "swift-service-lifecycle", condition: .when(traits: ["Server"]))
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["SQLite"]))
let hummingbird: Target.Dependency = .product(
  name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Server"]))
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Server"]))
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Server"]))
let hummingbirdCore: Target.Dependency = .product(
  name: "HummingbirdCore", package: "hummingbird", condition: .when(traits: ["Server"]))
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Server"]))
let configuration: Target.Dependency = .product(
  name: "Configuration", package: "swift-configuration", condition: .when(traits: ["Server"]))
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit", condition: .when(traits: ["Google"]))
let crypto: Target.Dependency = .product(
  name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Encryption"]))
let cryptoExtras: Target.Dependency = .product(
  name: "CryptoExtras", package: "swift-crypto", condition: .when(traits: ["Google"]))
let curl: Target.Dependency = .target(name: "CCurl", condition: .when(traits: ["HTTP"]))
let nioHTTP2: Target.Dependency = .product(
  name: "NIOHTTP2", package: "swift-nio-http2", condition: .when(traits: ["Server"]))
let nioHTTPTypes: Target.Dependency = .product(
  name: "NIOHTTPTypes", package: "swift-nio-extras", condition: .when(traits: ["Server"]))
let nioHTTPTypesHTTP2: Target.Dependency = .product(
  name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras", condition: .when(traits: ["Server"]))
let zlib: Target.Dependency = .target(name: "CZlib", condition: .when(traits: ["HTTP"]))
let libpq: Target.Dependency = .target(name: "CPostgres", condition: .when(traits: ["PostgreSQL"]))

/// A library target under `Sources/`; its resources are compiled into it.
func library(
  _ name: String, path: String? = nil, resources: [String] = [], _ dependencies: [Target.Dependency]
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, resources: resources.map { .embedInCode($0) },
    swiftSettings: settings)
}

/// A program under `Tests/Programs/` that the tests start as a process of its own.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Tests/Programs/\(name)", swiftSettings: settings)
}

/// A test target under `Tests/`; its scripts in other languages are read from the source tree.
func tests(_ name: String, exclude: [String] = [], _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
  name: "swift-cloud-jobs",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "CloudJobsCore", targets: ["CloudJobsCore"]),
    .library(name: "CloudJobs", targets: ["CloudJobs"]),
    .library(name: "CloudJobsHTTP", targets: ["CloudJobsHTTP"]),
    .library(name: "CloudJobsGoogle", targets: ["CloudJobsGoogle"]),
    .library(name: "CloudJobsSQLite", targets: ["CloudJobsSQLite"]),
    .library(name: "CloudJobsPostgres", targets: ["CloudJobsPostgres"]),
    .library(name: "CloudJobsStores", targets: ["CloudJobsStores"]),
    .library(name: "CloudJobsCommands", targets: ["CloudJobsCommands"]),
    .library(name: "CloudJobsEncryption", targets: ["CloudJobsEncryption"]),
    .library(name: "CloudJobsServer", targets: ["CloudJobsServer"]),
    .library(name: "CloudJobsTesting", targets: ["CloudJobsTesting"]),
    .library(name: "CloudJobsEmulator", targets: ["CloudJobsEmulator"]),
    .library(name: "CloudJobsEmulatorServer", targets: ["CloudJobsEmulatorServer"]),
    .executable(name: "cloud-jobs", targets: ["cloud-jobs"]),
    .executable(name: "inbox-demo", targets: ["inbox-demo"]),
  ],
  traits: [
    .trait(name: "HTTP", description: "The HTTP client over libcurl, and what speaks to Google through it."),
    .trait(
      name: "Google", description: "Google's credentials and the verification of its tokens (jwt-kit).",
      enabledTraits: ["HTTP"]),
    .trait(name: "SQLite", description: "The embedded SQLite store (GRDB)."),
    .trait(name: "PostgreSQL", description: "The PostgreSQL store (libpq)."),
    .trait(name: "Encryption", description: "The encryption of payloads at rest (swift-crypto)."),
    .trait(name: "Server", description: "The mount on Hummingbird and the emulator as a server."),
    .default(enabledTraits: ["HTTP", "Google", "SQLite", "PostgreSQL", "Encryption", "Server"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.3.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.1.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.5.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.16.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
  ],
  targets: [
    library("CloudJobsCore", []),
    library("CloudJobs", ["CloudJobsCore", logging, metrics, tracing, httpTypes]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
    library("CloudJobsHTTP", ["CloudJobsCore", curl, httpTypes]),
    library("CloudJobsGoogle", ["CloudJobs", "CloudJobsHTTP", jwt, httpTypes]),
    library("CloudJobsSQLite", ["CloudJobs", grdb]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CPostgres", pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    library("CloudJobsPostgres", ["CloudJobs", libpq]),
    library(
      "CloudJobsStores", ["CloudJobs", "CloudJobsGoogle", "CloudJobsHTTP", "CloudJobsSQLite", "CloudJobsPostgres"]),
    library("CloudJobsEncryption", ["CloudJobs", crypto]),
    library(
      "CloudJobsHTTPServer",
      [
        "CloudJobsCore", hummingbird, hummingbirdCore, nio, nioHTTP, nioHTTP2, nioHTTPTypes, nioHTTPTypesHTTP2,
        nioPosix, lifecycle, logging,
      ]),
    library("CloudJobsPages", resources: ["Assets"], ["CloudJobsCore", mustache, httpTypes]),
    library(
      "CloudJobsServer", resources: ["Dashboard/Templates"],
      [
        "CloudJobs", "CloudJobsHTTPServer", "CloudJobsPages", hummingbird, nio, lifecycle, logging, tracing,
        httpTypes, configuration,
      ]),
    library("CloudJobsTesting", ["CloudJobs", "CloudJobsEmulator", logging, httpTypes]),
    library("CloudJobsEmulator", path: "Emulator/CloudJobsEmulator", ["CloudJobsCore"]),
    library(
      "CloudJobsEmulatorWire", path: "Emulator/CloudJobsEmulatorWire",
      resources: ["common", "tasks", "scheduler", "firestore", "grpc", "rest", "wellknown"].map {
        "Schema/\($0).schema"
      },
      ["CloudJobsCore", "CloudJobsEmulator"]),
    library(
      "CloudJobsEmulatorServer", path: "Emulator/CloudJobsEmulatorServer", resources: ["Dashboard/Templates"],
      [
        "CloudJobsEmulator", "CloudJobsEmulatorWire", "CloudJobsHTTP", "CloudJobsHTTPServer", "CloudJobsPages",
        hummingbird,
        hummingbirdCore, nio, lifecycle, logging, httpTypes, cryptoExtras, zlib,
      ]),
    library("ProgramConsole", ["CloudJobsCore"]),
    library(
      "CloudJobsCommands",
      [
        "CloudJobs", "CloudJobsStores", "CloudJobsServer", "CloudJobsGoogle", "CloudJobsHTTP", "ProgramConsole",
        arguments,
        logging,
      ]),
    .executableTarget(
      name: "cloud-jobs",
      dependencies: ["CloudJobsCommands", "CloudJobsEmulatorServer", "ProgramConsole", arguments, logging],
      swiftSettings: settings),
    .executableTarget(
      name: "inbox-demo",
      dependencies: [
        "CloudJobs", "CloudJobsGoogle", "CloudJobsStores", "CloudJobsServer", "CloudJobsEmulatorServer",
        "ProgramConsole", arguments, lifecycle, logging, httpTypes,
      ],
      path: "Sources/InboxDemo", swiftSettings: settings),
    .executableTarget(
      name: "worker-demo",
      dependencies: ["CloudJobs", "CloudJobsServer", "CloudJobsStores", "ProgramConsole", arguments, logging],
      path: "Sources/WorkerDemo", swiftSettings: settings),
    program("schedule-cli", ["CloudJobsCore"]),
    program("wire-cli", ["CloudJobsCore", "CloudJobsEmulator", "CloudJobsEmulatorWire"]),
    program("token-cli", ["CloudJobsGoogle", "CloudJobsHTTP"]),
    program("cloud-run-service", ["CloudJobs", "CloudJobsGoogle", "CloudJobsHTTP", "CloudJobsServer"]),
    program("blocking-service", ["CloudJobs", "CloudJobsSQLite", "CloudJobsServer"]),
    program("slow-service", ["CloudJobs", "CloudJobsSQLite", "CloudJobsServer"]),
    program("dashboard-service", ["CloudJobs", "CloudJobsServer", "CloudJobsStores", arguments, logging]),
    program(
      "google-client-driver",
      [
        "CloudJobs", "CloudJobsGoogle", "CloudJobsHTTP", "CloudJobsTesting", "CloudJobsEmulator",
        "CloudJobsEmulatorServer", "CloudJobsEmulatorWire", httpTypes,
      ]),
    program("store-stress", ["CloudJobsSQLite"]),
    program(
      "limits-stress",
      [
        "CloudJobs", "CloudJobsGoogle", "CloudJobsHTTP", "CloudJobsSQLite", "CloudJobsPostgres", "TestSupport", logging,
      ]),
    program(
      "worker-stress",
      [
        "CloudJobs", "CloudJobsSQLite", "CloudJobsPostgres", "CloudJobsServer", "TestSupport", arguments, grdb,
        lifecycle, signals, logging,
      ]),
    // The README's program, with the settings of a new package.
    .executableTarget(
      name: "quick-start", dependencies: ["CloudJobsServer", "CloudJobsSQLite"], path: "Tests/Programs/quick-start"),
    // The package that `cloud-jobs init` makes, with the settings of a new package.
    .executableTarget(
      name: "starter", dependencies: ["CloudJobsCommands"], path: "Examples/starter/Sources/starter"),
    .testTarget(
      name: "starterTests", dependencies: ["starter", "CloudJobsTesting"], path: "Examples/starter/Tests/starterTests"),
    .executableTarget(
      name: "delivery-benchmark", dependencies: ["CloudJobs", "CloudJobsSQLite", logging],
      path: "Benchmarks/Deliveries", swiftSettings: settings),
    .executableTarget(
      name: "worker-benchmark",
      dependencies: ["CloudJobs", "CloudJobsSQLite", "CloudJobsStores", arguments, logging],
      path: "Benchmarks/Worker", swiftSettings: settings),

    .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: settings),
    tests("CloudJobsCoreTests", ["CloudJobsCore", "TestSupport"]),
    tests(
      "CloudJobsTests",
      [
        "CloudJobs", "CloudJobsTesting", "CloudJobsEmulator", "TestSupport", logging, metrics, metricsTestKit,
        tracing, tracingTestKit, httpTypes,
      ]),
    tests(
      "CloudJobsHTTPTests", exclude: ["Support/server.py", "Support/tls_server.py", "Support/http2.py"],
      ["CloudJobsHTTP", "TestSupport", httpTypes]),
    tests(
      "CloudJobsGoogleTests", exclude: ["Support/losing_firestore.py"],
      [
        "CloudJobsGoogle", "CloudJobsTesting", "CloudJobsHTTP", "CloudJobsEmulator", "CloudJobsEmulatorServer",
        "CloudJobsEmulatorWire", "CloudJobsEncryption", "TestSupport", logging, httpTypes, jwt, cryptoExtras,
      ]),
    tests(
      "CloudJobsSQLiteTests",
      ["CloudJobsSQLite", "CloudJobsTesting", "CloudJobsEmulator", "TestSupport", "store-stress", grdb, logging]),
    tests(
      "CloudJobsPostgresTests",
      ["CloudJobsPostgres", "CloudJobsTesting", "CloudJobsEmulator", "TestSupport", libpq, logging]),
    tests(
      "CloudJobsEncryptionTests",
      [
        "CloudJobsEncryption", "CloudJobsSQLite", "CloudJobsServer", "CloudJobsHTTP", "CloudJobsGoogle",
        "CloudJobsEmulator", "CloudJobsEmulatorServer", "CloudJobsTesting", "TestSupport", logging, httpTypes,
      ]),
    tests("CloudJobsHTTPServerTests", ["CloudJobsHTTPServer"]),
    tests("CloudJobsPagesTests", ["CloudJobsPages", httpTypes]),
    tests(
      "CloudJobsServerTests",
      [
        "CloudJobsServer", "CloudJobsPages", "CloudJobsHTTP", "TestSupport", hummingbird, lifecycle, httpTypes,
        configuration, logging, tracing,
      ]),
    tests("CloudJobsStoresTests", ["CloudJobsStores"]),
    tests("CloudJobsCommandsTests", ["CloudJobsCommands", "CloudJobsGoogle", "CloudJobsTesting"]),
    tests("CloudJobsEmulatorTests", ["CloudJobsEmulator"]),
    tests("CloudJobsEmulatorWireTests", ["CloudJobsEmulatorWire"]),
    tests(
      "CloudJobsEmulatorServerTests", ["CloudJobsEmulatorServer", "CloudJobsEmulatorWire", hummingbird, httpTypes]),
    tests(
      "ReadmeTests",
      [
        "CloudJobs", "CloudJobsSQLite", "CloudJobsServer", "CloudJobsStores", "CloudJobsTesting", httpTypes, logging,
      ]),
    tests("TidyTests", []),
  ]
)
