"""What the programs beside this file have in common: their options, and the figures that they print as JSON."""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable


def parser(concurrency: int) -> argparse.ArgumentParser:
    """Returns the options of a job system."""
    result = argparse.ArgumentParser()
    result.add_argument("measure", choices=["throughput", "latency"])
    result.add_argument("--store", required=True)
    result.add_argument("--runs", type=int, default=5_000)
    result.add_argument("--rate", type=int, default=200)
    result.add_argument("--seconds", type=int, default=10)
    result.add_argument("--concurrency", type=int, default=concurrency)
    return result


def raw_options() -> argparse.Namespace:
    """Returns the options of a database's raw limit."""
    result = argparse.ArgumentParser()
    result.add_argument("measure", choices=["throughput"])
    result.add_argument("--store", required=True)
    result.add_argument("--runs", type=int, default=20_000)
    result.add_argument("--batch", type=int, default=64)
    return result.parse_args()


def count(options: argparse.Namespace) -> int:
    """Returns the number of jobs to enqueue."""
    return options.runs if options.measure == "throughput" else options.rate * options.seconds


async def enqueue(options: argparse.Namespace, spans: list[float], some: Callable[[int], Awaitable[object]]) -> float:
    """Enqueues jobs by a thousand, or one by one at a rate, and waits until all have begun; returns the seconds.

    `some` enqueues so many jobs in one call; `spans` gets a value from each.
    """
    start = time.monotonic()
    total = count(options)
    if options.measure == "throughput":
        for first in range(0, total, 1_000):
            await some(min(1_000, total - first))
    else:
        for number in range(total):
            delay = start + number / options.rate - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            await some(1)
    while len(spans) < total:
        await asyncio.sleep(0.001)
    return time.monotonic() - start


def report(options: argparse.Namespace, spans: list[float], span: float) -> None:
    """Prints the figures of all jobs, which took a span together, and each a span from its enqueue to its start."""
    if options.measure == "throughput":
        report_rate(options.runs, span)
    else:
        ordered = sorted(spans)
        total = len(ordered)
        print(json.dumps({"p50": ordered[total // 2] * 1e3, "p99": ordered[int(total * 0.99)] * 1e3}))


def report_rate(runs: int, span: float) -> None:
    """Prints a throughput."""
    print(json.dumps({"runsPerSecond": runs / span}))
