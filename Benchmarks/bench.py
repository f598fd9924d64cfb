"""Measures a worker against what its users would take instead, in turn, and prints one table and JSON.

`make bench` builds the release and calls it. How each figure is made: README.md beside this file.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field

FOLDER = pathlib.Path(__file__).parent
PEERS = FOLDER / "peers"
# The place of the connection string in a command: a server is started only for comparisons that name it.
POSTGRES = "{postgres}"


@dataclass
class Contender:
    """One program that is measured."""

    name: str
    command: list[str]
    # The Python package that it needs, if any.
    package: str | None = None

    @property
    def absence(self) -> str | None:
        """Why it can't be measured here; None if it can."""
        if self.package and importlib.util.find_spec(self.package) is None:
            return f"The package {self.package} is not installed."
        if shutil.which(self.command[0]) is None:
            return f"There is no program {self.command[0]}."
        return None


@dataclass
class Comparison:
    """Programs that do the same work on the same kind of store."""

    title: str
    measure: str
    unit: str
    # The figure of the table.
    figure: str
    contenders: list[Contender]
    arguments: list[str] = field(default_factory=list)


def main() -> int:
    """Runs all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin-dir", type=pathlib.Path, required=True, help="the folder of the release products")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="one short round: checks that it runs, not the figures")
    parser.add_argument("--json", type=pathlib.Path, help="a file for the results")
    parser.add_argument("--only", metavar="TEXT", help="only the comparisons whose titles contain the text")
    parser.add_argument(
        "--memory-peer",
        type=memory_peer,
        action="append",
        default=[],
        metavar="NAME=PROGRAM",
        help="one more program to measure in memory; README.md tells what it takes and prints",
    )
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.runs = 1, 500
    comparisons = [
        each for each in plan(options.bin_dir, options) if options.only is None or options.only in each.title
    ]
    if not comparisons:
        parser.error(f"no title of a comparison contains '{options.only}'")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        needs_server = any(POSTGRES in contender.command for each in comparisons for contender in each.contenders)
        postgres = stack.enter_context(postgres_server(folder)) if needs_server else None
        results = [compare(comparison, folder, postgres, options.rounds) for comparison in comparisons]
    report = {"machine": machine(options.bin_dir), "rounds": options.rounds, "comparisons": results}
    print_table(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    # A peer may be absent, our own programs may not.
    failed = [row for result in results for row in result["rows"] if row["own"] and row["note"]]
    for row in failed:
        print(f"{row['name']} failed: {row['note']}", file=sys.stderr)
    return 1 if failed else 0


def memory_peer(text: str) -> tuple[str, str]:
    """Parses the name and the program of a peer."""
    name, equals, program = text.partition("=")
    if not (name and equals and program):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=PROGRAM")
    return name, program


def plan(bin_dir: pathlib.Path, options: argparse.Namespace) -> list[Comparison]:
    """Returns the comparisons."""
    worker = str(bin_dir / "worker-benchmark")
    python = sys.executable
    runs = ["--runs", str(options.runs)]
    latency = ["--seconds", "1" if options.quick else "10"]

    def peer(script: str, *arguments: str) -> list[str]:
        return [python, str(PEERS / script), *arguments]

    comparisons = [
        Comparison(
            "No-op jobs in memory, enqueued and executed",
            "throughput",
            "runs a second",
            "runsPerSecond",
            [
                Contender(name, [program, "throughput", "--store", "memory", *runs])
                for name, program in [("swift-cloud-jobs", worker), *options.memory_peer]
            ],
        ),
        Comparison(
            "No-op jobs on SQLite, enqueued and executed",
            "throughput",
            "runs a second",
            "runsPerSecond",
            [
                Contender("swift-cloud-jobs", [worker, "throughput", "--store", "sqlite:{file}", *runs]),
                Contender("huey, as it comes", peer("huey_peer.py", "throughput", "--store", "{file}", *runs), "huey"),
                Contender(
                    "huey, each commit on disk",
                    peer("huey_peer.py", "throughput", "--durable", "--store", "{file}", *runs),
                    "huey",
                ),
                Contender("raw grouped transactions", peer("raw_sqlite.py", "throughput", "--store", "{file}", *runs)),
            ],
        ),
        Comparison(
            "From enqueue to start on SQLite, 500 runs a second",
            "latency",
            "ms, p99",
            "p99",
            [
                Contender(
                    "swift-cloud-jobs", [worker, "latency", "--store", "sqlite:{file}", "--rate", "500", *latency]
                ),
                Contender(
                    "huey, each commit on disk",
                    peer("huey_peer.py", "latency", "--durable", "--store", "{file}", "--rate", "500", *latency),
                    "huey",
                ),
            ],
        ),
    ]
    if not (postgres_program("pg_ctl") and postgres_program("initdb")):
        print("PostgreSQL is not installed here: its comparisons are left out.", file=sys.stderr)
        return comparisons
    few = ["--runs", str(min(options.runs, 2_000))]
    comparisons += [
        Comparison(
            "No-op jobs on PostgreSQL, enqueued and executed",
            "throughput",
            "runs a second",
            "runsPerSecond",
            [
                Contender("swift-cloud-jobs", [worker, "throughput", "--store", POSTGRES, *runs]),
                Contender("pgqueuer", peer("pgqueuer_peer.py", "throughput", "--store", POSTGRES, *runs), "pgqueuer"),
                Contender(
                    "procrastinate",
                    peer("procrastinate_peer.py", "throughput", "--store", POSTGRES, *few),
                    "procrastinate",
                ),
                Contender(
                    "raw SKIP LOCKED batches",
                    peer("raw_postgres.py", "throughput", "--store", POSTGRES, *runs),
                    "psycopg",
                ),
            ],
        ),
        Comparison(
            "From enqueue to start on PostgreSQL, 200 runs a second",
            "latency",
            "ms, p99",
            "p99",
            [
                Contender("swift-cloud-jobs", [worker, "latency", "--store", POSTGRES, "--rate", "200", *latency]),
                Contender(
                    "pgqueuer",
                    peer("pgqueuer_peer.py", "latency", "--store", POSTGRES, "--rate", "200", *latency),
                    "pgqueuer",
                ),
                Contender(
                    "procrastinate",
                    peer("procrastinate_peer.py", "latency", "--store", POSTGRES, "--rate", "50", *latency),
                    "procrastinate",
                ),
            ],
        ),
        Comparison(
            "From enqueue to start on PostgreSQL, 1,000 runs a second",
            "latency",
            "ms, p99",
            "p99",
            [
                Contender("swift-cloud-jobs", [worker, "latency", "--store", POSTGRES, "--rate", "1000", *latency]),
            ],
        ),
    ]
    return comparisons


def compare(comparison: Comparison, folder: pathlib.Path, postgres: str | None, rounds: int) -> dict:
    """Measures the contenders of a comparison in turn."""
    figures: dict[str, list[float]] = {contender.name: [] for contender in comparison.contenders}
    notes: dict[str, str] = {}
    for number in range(rounds):
        order = comparison.contenders if number % 2 == 0 else comparison.contenders[::-1]
        for contender in order:
            note = contender.absence or notes.get(contender.name)
            if note:
                notes[contender.name] = note
                continue
            print(f"{comparison.title}: {contender.name}, round {number + 1} of {rounds}", file=sys.stderr)
            try:
                figures[contender.name].append(measure(contender, folder, postgres)[comparison.figure])
            except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
                notes[contender.name] = f"It failed: {error}"
    own = figures[comparison.contenders[0].name]
    rows = []
    for index, contender in enumerate(comparison.contenders):
        values = figures[contender.name]
        paired = [mine / theirs for mine, theirs in zip(own, values, strict=False) if theirs]
        rows.append(
            {
                "name": contender.name,
                "own": index == 0,
                "median": statistics.median(values) if values else None,
                "values": values,
                "ratio": statistics.median(paired) if paired else None,
                "note": notes.get(contender.name),
            }
        )
    return {"title": comparison.title, "unit": comparison.unit, "rows": rows}


def measure(contender: Contender, folder: pathlib.Path, postgres: str | None) -> dict[str, float]:
    """Runs a program once and returns its figures."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        command = [
            part.replace("{file}", f"{own}/jobs.db").replace(POSTGRES, postgres or "") for part in contender.command
        ]
        result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode != 0:
        raise ValueError((result.stderr.strip() or "no message").splitlines()[-1])
    return json.loads(result.stdout.strip().splitlines()[-1])


def machine(bin_dir: pathlib.Path) -> dict[str, str | int | None]:
    """Describes what was measured, and on what."""
    versions = {}
    for package in ["procrastinate", "pgqueuer", "huey"]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "cores": os.cpu_count(),
        "system": f"{os.uname().sysname} {os.uname().machine}",
        "revision": output("git", "-C", str(FOLDER), "describe", "--always", "--dirty"),
        "swift": (output("swift", "--version") or "").splitlines()[0] or None,
        "python": sys.version.split()[0],
        "postgres": output(str(postgres_program("postgres") or "postgres"), "--version"),
        **versions,
    }


def output(*command: str) -> str | None:
    """Returns what a program prints; None if there is no such program."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def print_table(report: dict) -> None:
    """Prints the results as a table in Markdown."""
    print(", ".join(f"{key}: {value}" for key, value in report["machine"].items()))
    print(f"Medians of {report['rounds']} rounds in turn; the ratio is ours to theirs, the median of the rounds'.\n")
    print("| work | program | median | unit | ratio |\n| --- | --- | --- | --- | --- |")
    for result in report["comparisons"]:
        for row in result["rows"]:
            median = row["note"] if row["median"] is None else f"{row['median']:,.2f}"
            ratio = "" if row["own"] or row["ratio"] is None else f"{row['ratio']:.2f}"
            print(f"| {result['title']} | {row['name']} | {median} | {result['unit']} | {ratio} |")


def postgres_program(name: str) -> pathlib.Path | None:
    """Finds a program of the newest PostgreSQL server that is installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: path.parts[-3])
    if found:
        return found[-1]
    path = shutil.which(name)
    return pathlib.Path(path) if path else None


@contextlib.contextmanager
def postgres_server(folder: pathlib.Path) -> Iterator[str]:
    """Starts a server of its own on a free port of loopback; yields its connection string."""
    control, initialize = postgres_program("pg_ctl"), postgres_program("initdb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "postgres"
    data.mkdir()
    # The server refuses to run as root.
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        folder.chmod(0o711)
        shutil.chown(data, "postgres")

    def call(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=data, **user)

    call(str(initialize), "-D", f"{data}/db", "-A", "trust", "-U", "bench", "-E", "UTF8", "--no-sync")
    settings = f"-p {port} -k {data} -c listen_addresses=127.0.0.1"
    call(str(control), "-D", f"{data}/db", "-o", settings, "-l", f"{data}/log", "-w", "start")
    try:
        yield f"postgres://bench@127.0.0.1:{port}/postgres"
    finally:
        call(str(control), "-D", f"{data}/db", "-m", "immediate", "-w", "stop")


if __name__ == "__main__":
    sys.exit(main())
