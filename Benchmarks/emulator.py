"""Measures `cloud-jobs emulator` over REST and gRPC, an older build beside the current one, in turn, in one run.

README.md beside this file tells what is measured.
"""

import argparse
import asyncio
import collections
import gc
import itertools
import json
import os
import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from emulator_wire import QUEUES, Calls, Server, Sink, connect, emulator, request, run
from google.cloud.firestore_v1.types import firestore

DATABASE = "projects/p/databases/(default)"
DOCUMENTS = f"{DATABASE}/documents"
# The change of a target that tells that a listener knows all there is.
CURRENT = 3


class Sizes(NamedTuple):
    """How much is done."""

    tasks: int = 5_000
    commits: int = 5_000
    listeners: int = 100
    told: int = 1_000
    stored: int = 100_000
    due: int = 10_000
    streams: int = 1_000
    documents: int = 20_000
    late: int = 1_000


QUICK = Sizes(200, 200, 5, 50, 500, 200, 20, 500, 100)


class Way(NamedTuple):
    """A build of the emulator, and how it is called."""

    name: str
    binary: pathlib.Path
    transport: str


# MARK: What is measured


async def tasks(way: Way, sizes: Sizes, sink: Sink, faults: list[str]) -> dict[str, float]:
    """Creates tasks as fast as it goes, and waits for their deliveries."""
    requests = [sink.task(way.transport, number) for number in range(sizes.tasks)]
    with emulator(way.binary) as server:
        server.make_queues()
        before, own = server.cpu(), time.process_time()
        calls = await run(server, way.transport, requests)
        own = time.process_time() - own
        arrivals = await sink.take(server, sizes.tasks, faults)
        check(calls, faults)
        last = max(arrived for _, _, arrived in arrivals)
        return {
            "created, tasks a second": calls.per_second,
            "created and delivered, tasks a second": len(arrivals) / (last - calls.begin),
            "processor time of the emulator, µs a task": (server.cpu() - before) / sizes.tasks * 1e6,
            "processor time of the client, µs a task": own / sizes.tasks * 1e6,
        }


async def commits(way: Way, sizes: Sizes, sink: Sink, faults: list[str]) -> dict[str, float]:
    """Commits one document at a time as fast as it goes, and reads all of them."""
    requests = [commit(way.transport, ("c", f"d{number}", number)) for number in range(sizes.commits)]
    with emulator(way.binary) as server:
        before, own = server.cpu(), time.process_time()
        calls = await run(server, way.transport, requests)
        own, after = time.process_time() - own, server.cpu()
        check(calls, faults)
        answers = server.post(f"/v1/{DOCUMENTS}:runQuery", {"structuredQuery": {"from": [{"collectionId": "c"}]}})
        found = {answer["document"]["name"]: answer["document"]["fields"] for answer in answers}
        if found != {f"{DOCUMENTS}/c/d{number}": fields_of(number) for number in range(sizes.commits)}:
            faults.append(f"of {sizes.commits} documents {len(found)} were read, or with other contents")
    return {
        "commits a second": calls.per_second,
        "a commit, ms, p99": quantile(calls.seconds, 99) * 1e3,
        "processor time of the emulator, µs a commit": (after - before) / sizes.commits * 1e6,
        "processor time of the client, µs a commit": own / sizes.commits * 1e6,
    }


async def listen(way: Way, sizes: Sizes, sink: Sink, faults: list[str]) -> dict[str, float]:
    """Has many listeners to one collection, and takes the time from a commit's call until each of them knows."""
    with emulator(way.binary) as server:
        listeners = Listeners()
        query = {"parent": DOCUMENTS, "structuredQuery": {"from": [{"collectionId": "wanted"}]}}
        await listeners.open(server, [{"query": query}] * sizes.listeners, 10)
        before, starts = server.cpu(), []

        def requests() -> Iterator:
            for number in range(sizes.told):
                each = commit("grpc", ("wanted", "x", number), ("other", "x", sizes.told + number))
                starts.append(time.time())
                yield each

        check(await run(server, "grpc", requests(), lanes=1, rate=50), faults)
        await listeners.until(lambda: all(len(found) >= sizes.told for found in listeners.found))
        listeners.check([list(range(sizes.told))] * sizes.listeners, faults)
        waits = [at - starts[number] for found in listeners.found for number, at in found if number < sizes.told]
        cpu = server.cpu() - before
    return {
        "from a commit's call to a listener, ms, p50": quantile(waits, 50) * 1e3,
        "from a commit's call to a listener, ms, p99": quantile(waits, 99) * 1e3,
        "from a commit's call to a listener, ms, max": max(waits) * 1e3,
        "processor time of the emulator, µs a listener and commit": cpu / sizes.told / sizes.listeners * 1e6,
    }


async def load(way: Way, sizes: Sizes, sink: Sink, faults: list[str]) -> dict[str, float]:
    """Stores many tasks, has others due at once and reads one meanwhile; over gRPC, opens many streams."""
    tomorrow = time.time() + 86_400
    stored = [sink.task(way.transport, number, tomorrow, "stored") for number in range(sizes.stored)]
    with emulator(way.binary) as server:
        server.make_queues()
        empty = server.memory()
        calls = await run(server, way.transport, stored)
        check(calls, faults)
        figures = {
            "stored, tasks a second": calls.per_second,
            "memory of a stored task, KiB": (server.memory() - empty) / sizes.stored * 1_024,
        }
        due = time.time() + 5 + sizes.due / 500
        requests = [sink.task(way.transport, number, due) for number in range(sizes.due)]
        check(await run(server, way.transport, requests), faults)
        if time.time() > due:
            faults.append("tasks were created after they were due")
        read = request(way.transport, "GetTask", {"name": f"{QUEUES[0]}/tasks/stored0"})
        figures |= reading("nothing due", await run(server, way.transport, [read] * 400, 1, 200))
        await asyncio.sleep(max(0, due - time.time()))

        delivered = asyncio.create_task(sink.until(sizes.due))
        reads = itertools.takewhile(lambda _: not delivered.done(), itertools.repeat(read))
        calls = await run(server, way.transport, reads, 1, 200)
        check(calls, faults)
        arrivals = await sink.take(server, sizes.due, faults)
        figures |= reading("many due", calls)
        figures["until all that was due is delivered, s"] = max(arrived for _, _, arrived in arrivals) - due
        figures["memory then, MiB"] = server.memory()
    if way.transport == "grpc":
        with emulator(way.binary) as server:
            figures |= await streams(server, sizes.streams, faults)
    return figures


def reading(when: str, calls: Calls) -> dict[str, float]:
    """Returns the figures of reads of a task."""
    milliseconds = [each * 1e3 for each in calls.seconds]
    return {f"GetTask with {when}, ms, p{part}": quantile(milliseconds, part) for part in (50, 99)}


async def streams(server: Server, count: int, faults: list[str]) -> dict[str, float]:
    """Opens streams to a document each, and commits to each document."""
    listeners, memory, begin = Listeners(), server.memory(), time.time()
    await listeners.open(server, [{"documents": {"documents": [f"{DOCUMENTS}/s/d{i}"]}} for i in range(count)], 10)
    opened = time.time()
    figures = {
        "until all streams are open, s": opened - begin,
        "memory of a stream, KiB": (server.memory() - memory) / count * 1_024,
    }
    requests = [commit("grpc", ("s", f"d{number}", number)) for number in range(count)]
    begin, before = time.time(), server.cpu()
    check(await run(server, "grpc", requests), faults)
    await listeners.until(lambda: all(listeners.found))
    figures["until a commit to each is known, s"] = max(at for found in listeners.found for _, at in found) - begin
    figures["processor time of the emulator, µs a commit with streams"] = (server.cpu() - before) / count * 1e6
    await asyncio.sleep(0.5)
    listeners.check([[number] for number in range(count)], faults)
    return figures


async def slow(way: Way, sizes: Sizes, sink: Sink, faults: list[str]) -> dict[str, float]:
    """Has tasks due at a rate, without and with a heavy query that runs again and again."""
    query = {
        "from": [{"collectionId": "c"}],
        "where": {"fieldFilter": {"field": {"fieldPath": "even"}, "op": "EQUAL", "value": {"booleanValue": True}}},
        "orderBy": [{"field": {"fieldPath": "n"}, "direction": "DESCENDING"}],
    }
    with emulator(way.binary) as server:
        server.make_queues()
        names = [("c", f"d{number}", number) for number in range(sizes.documents)]
        writes = [commit("rest", *names[place : place + 500]) for place in range(0, len(names), 500)]
        check(await run(server, "rest", writes, 1), faults)
        figures, queries = {}, []
        heavy = request(way.transport, "RunQuery", {"parent": DOCUMENTS, "structuredQuery": query})

        async def repeat() -> None:
            while True:
                calls = await run(server, way.transport, [heavy], 1)
                check(calls, faults)
                queries.extend(calls.seconds)

        for when in ("without", "with"):
            background = asyncio.create_task(repeat()) if when == "with" else None
            requests = (sink.task(way.transport, number, time.time() + 1, when) for number in range(sizes.late))
            calls = await run(server, way.transport, requests, rate=100)
            arrivals = await sink.take(server, sizes.late, faults, when)
            if background:
                background.cancel()
            check(calls, faults)
            late = [(arrived - due) * 1e3 for _, due, arrived in arrivals]
            for part in (50, 99):
                figures[f"late {when} queries, ms, p{part}"] = quantile(late, part)
            figures[f"late {when} queries, ms, max"] = max(late)
            figures[f"CreateTask {when} queries, ms, p99"] = quantile(calls.seconds, 99) * 1e3
        return figures | {"a query, ms, p50": quantile(queries, 50) * 1e3}


class Listeners:
    """Streams of Listen, and what they were told."""

    def __init__(self) -> None:
        self.found: list[list[tuple[int, float]]] = []
        self.current = self.ended = 0
        self.strange: list[bytes] = []

    async def open(self, server: Server, targets: list[dict], connections: int) -> None:
        """Opens a stream for each target and waits until all are current."""
        lines = await connect(server, "grpc", connections)
        for number, target in enumerate(targets):
            fields = {"database": DATABASE, "addTarget": {**target, "targetId": 1}}
            self.found.append([])
            lines[number % connections].open(request("grpc", "Listen", fields), self.receiver(self.found[-1]), self.end)
        await self.until(lambda: self.current == len(targets))

    def receiver(self, found: list) -> Callable[[bytes], None]:
        def receive(message: bytes) -> None:
            # The first byte tells the kind: 0x12 a target's change, 0x1A a document's. Parsing it all takes longer.
            if message[0] == 0x1A and (place := message.find(b"number ")) > 0:
                found.append((int(message[place + 7 : place + 14]), time.time()))
            elif message[0] == 0x12:
                change = not found and firestore.ListenResponse.pb().FromString(message).target_change
                self.current += bool(change) and change.target_change_type == CURRENT
            elif message[0] != 0x22 or found:
                self.strange.append(message)

        return receive

    def end(self, last: bytes | None) -> None:
        self.ended += 1

    async def until(self, isDone: Callable[[], bool], limit: float = 60) -> None:
        """Waits for a condition; what comes of it is checked later."""
        limit += time.time()
        while not isDone() and not self.ended and time.time() < limit:
            await asyncio.sleep(0.005)

    def check(self, wanted: list[list[int]], faults: list[str]) -> None:
        wrong = sum([number for number, _ in found] != each for found, each in zip(self.found, wanted, strict=True))
        if wrong or self.strange or self.ended:
            strange = f"{len(self.strange)} other messages, such as {self.strange[:1]}"
            faults.append(f"{wrong} listeners saw others than each commit in order; {self.ended} ended; {strange}")


def fields_of(number: int) -> dict:
    """Returns the fields of a document."""
    return {
        "n": {"integerValue": str(number * 7_919 % 1_000_003)},
        "even": {"booleanValue": number % 2 == 0},
        "text": {"stringValue": f"number {number:07} {'x' * 100}"},
    }


def commit(transport: str, *documents: tuple[str, str, int]) -> Any:
    """Returns the request that writes documents, each of a collection, a name and a number."""
    writes = [{"update": {"name": f"{DOCUMENTS}/{c}/{name}", "fields": fields_of(n)}} for c, name, n in documents]
    return request(transport, "Commit", {"database": DATABASE, "writes": writes})


def check(calls: Calls, faults: list[str]) -> None:
    if calls.failures:
        faults.append(f"{calls.failures} of {len(calls.seconds)} calls failed")


def quantile(values: list[float], part: int) -> float:
    """Returns the value below which a part of a hundred lies."""
    return sorted(values)[min(len(values) - 1, len(values) * part // 100)]


SECTIONS = {"tasks": tasks, "commits": commits, "listen": listen, "load": load, "slow": slow}


def main() -> int:
    """Measures all sections in turn and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=pathlib.Path, help="an older cloud-jobs, which is called over REST")
    parser.add_argument("--after", type=pathlib.Path, required=True, help="the current cloud-jobs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, by commas: " + ", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="small sizes: checks that it runs, not the figures")
    parser.add_argument("--json", type=pathlib.Path, help="a file for the results")
    options = parser.parse_args()
    if unknown := set(options.only.split(",")) - SECTIONS.keys():
        parser.error(f"there is no section {min(unknown)}")
    ways = [Way("REST", options.after, "rest"), Way("gRPC", options.after, "grpc")]
    if options.before:
        ways.insert(0, Way("REST before", options.before, "rest"))
    sizes, sink = QUICK if options.quick else Sizes(), Sink()
    # A collection of garbage would look like a slow answer.
    gc.disable()
    figures: dict = collections.defaultdict(lambda: collections.defaultdict(list))
    faults: list[str] = []
    for number, name in itertools.product(range(options.rounds), options.only.split(",")):
        for way in ways if number % 2 == 0 else ways[::-1]:
            if name == "listen" and way.transport == "rest":
                continue
            print(f"{name}: {way.name}, round {number + 1} of {options.rounds}", file=sys.stderr)
            found: list[str] = []
            try:
                for figure, value in asyncio.run(SECTIONS[name](way, sizes, sink, found)).items():
                    figures[name, figure][way.name].append(value)
            except (OSError, ValueError, LookupError) as error:
                found.append(f"it broke off: {error!r}")
            faults += [f"{name}, {way.name}, round {number + 1}: {each}" for each in found]
            gc.collect()
    print_table(figures, [way.name for way in ways], options.rounds)
    print(*faults, sep="\n", file=sys.stderr)
    if options.json:
        rows = [{"section": key[0], "figure": key[1], "values": values} for key, values in figures.items()]
        report = {"cores": os.cpu_count(), "rounds": options.rounds, "figures": rows, "faults": faults}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if faults else 0


def print_table(figures: dict, ways: list[str], rounds: int) -> None:
    """Prints medians as a table in Markdown, and their ratios to the first column."""
    first, *others = ways
    print(f"Medians of {rounds} rounds in turn, on {os.cpu_count()} cores; a ratio is to {first}.\n")
    print("|", " | ".join(["section", "figure", *ways, *(f"ratio of {way}" for way in others)]), "|")
    print("| --- " * (1 + len(ways) + len(ways)) + "|")
    for (section, figure), values in figures.items():
        cells = [f"{statistics.median(values[way]):,.2f}" if values[way] else "" for way in ways]
        for way in others:
            pairs = zip(values[way], values[first], strict=False)
            ratios = [mine / theirs for mine, theirs in pairs if theirs]
            cells.append(f"{statistics.median(ratios):.2f}" if ratios else "")
        print("|", " | ".join([section, figure, *cells]), "|")


if __name__ == "__main__":
    sys.exit(main())
