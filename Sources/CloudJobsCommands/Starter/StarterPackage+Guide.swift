extension StarterPackage {
  /// The guide to the package.
  var readme: String {
    """
    # \(name)

    Background jobs with swift-cloud-jobs. `Sources/\(name)/Jobs.swift` has the jobs.

    ```sh
    swift test                                                # in virtual time: no clock, no network
    swift run \(name) serve                                  # executes the jobs, and listens at 127.0.0.1:8080
    ```

    Open <http://localhost:8080/dashboard> to see the jobs and their runs, and to change them. In another terminal:

    ```sh
    swift run \(name) enqueue greet --input '{"name": "Ada"}'
    swift run \(name) enqueue greet --input '{"name": "Ada"}' --in 10m --key ada
    curl localhost:8080/jobs/trigger -d '{"jobId": "greet", "payload": {"name": "Ada"}}'
    swift run \(name) status
    swift run \(name) runs list
    swift run \(name) doctor
    swift run \(name) --help
    ```

    The store is the file `jobs.db`; `--store` or the variable `CLOUD_JOBS_STORE` names another one. \
    `worker` executes jobs
    without listening, and `dashboard` shows the store beside it. For PostgreSQL or Google Cloud, add the trait to
    `Package.swift`.

    You need Swift 6.2 or later, and on Debian or Ubuntu `apt-get install libsqlite3-dev`.

    """
  }

  /// The recipe of an image.
  var dockerfile: String {
    """
    # docker build\(contextOption) -t \(name) . && docker run -v jobs:/data \(name)
    FROM swift:6.2-bookworm AS build
    # hadolint ignore=DL3008
    RUN apt-get update \\
      && apt-get install --yes --no-install-recommends libsqlite3-dev \\
      && rm -rf /var/lib/apt/lists/*
    \(contextCopy)WORKDIR /package
    COPY . .
    RUN swift build -c release --static-swift-stdlib --product \(name) \\
      && install -D --strip "$(swift build -c release --show-bin-path)/\(name)" /image/service \\
      && install -d /image/data

    FROM debian:bookworm-slim
    # hadolint ignore=DL3008
    RUN apt-get update \\
      && apt-get install --yes --no-install-recommends ca-certificates libsqlite3-0 tzdata \\
      && rm -rf /var/lib/apt/lists/* \\
      && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin service
    COPY --from=build /image/service /usr/local/bin/service
    COPY --from=build --chown=10001:10001 /image/data /data
    USER 10001:10001
    WORKDIR /data
    VOLUME ["/data"]
    # SIGTERM reaches the program itself, which ends without losses. `worker` executes jobs; `serve` listens too.
    ENTRYPOINT ["/usr/local/bin/service"]
    CMD ["worker"]

    """
  }

  /// The option that gives a build of the image the folder of a local dependency.
  private var contextOption: String { localPath.map { " --build-context swift-cloud-jobs=\($0)" } ?? "" }

  /// The line that puts it where the manifest looks for it.
  private var contextCopy: String {
    guard let localPath else { return "" }
    var path = localPath[...]
    // The folder of the package is directly below the root.
    while path == ".." || path.hasPrefix("../") { path = path.dropFirst(3) }
    return "# hadolint ignore=DL3022\nCOPY --from=swift-cloud-jobs . \(path.hasPrefix("/") ? path : "/\(path)")\n"
  }
}
