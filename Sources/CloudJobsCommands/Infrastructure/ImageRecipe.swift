/// The recipe of an image for a program: pure.
struct ImageRecipe {
  /// The user and the group that the program runs as: a number, so that Kubernetes can tell that it is not root.
  static let user = 10_001
  /// Debian's packages for the build, and for the libraries that the program needs when it runs.
  static let (buildPackages, runtimePackages) = packages

  /// The program, which is a product of the package.
  let product: String

  fileprivate static var packages: (build: [String], runtime: [String]) {
    var (build, runtime) = (Set<String>(), Set(["ca-certificates", "tzdata"]))
    #if HTTP
    build.formUnion(["libcurl4-openssl-dev", "pkg-config", "zlib1g-dev"])
    runtime.formUnion(["libcurl4", "zlib1g"])
    #endif
    #if SQLite
    build.insert("libsqlite3-dev")
    runtime.insert("libsqlite3-0")
    #endif
    #if PostgreSQL
    build.formUnion(["libpq-dev", "pkg-config"])
    runtime.insert("libpq5")
    #endif
    return (build.sorted(), runtime.sorted())
  }

  /// The recipe.
  var text: String {
    """
    # Made by `infra --format dockerfile`: docker build -t \(product) .
    FROM swift:6.3-bookworm AS build
    \(Self.buildPackages.isEmpty ? "" : Self.installation(Self.buildPackages) + "\n")WORKDIR /package
    # Resolves the dependencies before copying the sources, so that an edit does not fetch them again.
    COPY Package.* ./
    RUN swift package resolve
    COPY . .
    ARG PRODUCT=\(product)
    RUN swift build -c release --static-swift-stdlib --product "$PRODUCT" \\
      && install -D --strip "$(swift build -c release --show-bin-path)/$PRODUCT" /image/service \\
      && install -d /image/data

    FROM debian:bookworm-slim
    \(Self.installation(Self.runtimePackages)) \\
      && useradd --system --uid \(Self.user) --no-create-home --shell /usr/sbin/nologin service
    COPY --from=build /image/service /usr/local/bin/service
    COPY --from=build --chown=\(Self.user):\(Self.user) /image/data /data
    USER \(Self.user):\(Self.user)
    WORKDIR /data
    ENV PORT=8080
    EXPOSE 8080
    # SIGTERM reaches the program itself, which ends without losses. `worker` executes jobs; `serve` listens too.
    ENTRYPOINT ["/usr/local/bin/service"]
    CMD ["worker"]

    """
  }

  private static func installation(_ packages: [String]) -> String {
    """
    # hadolint ignore=DL3008
    RUN apt-get update \\
      && apt-get install --yes --no-install-recommends \(packages.joined(separator: " ")) \\
      && rm -rf /var/lib/apt/lists/*
    """
  }
}
