"""Procrastinate: enqueues and executes jobs that do nothing; prints figures as JSON."""

import argparse
import asyncio
import json
import time

import procrastinate


async def main() -> None:
    """Measures the throughput, or the latency at a rate."""
    parser = argparse.ArgumentParser()
    parser.add_argument("measure", choices=["throughput", "latency"])
    parser.add_argument("--store", required=True)
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=options.store, max_size=20))
    spans: list[float] = []

    @app.task(name="job")
    async def job(at: float) -> None:
        spans.append(time.monotonic() - at)

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(
            app.run_worker_async(concurrency=options.concurrency, install_signal_handlers=False)
        )
        await asyncio.sleep(0.5)
        start = time.monotonic()
        if options.measure == "throughput":
            count = options.runs
            for first in range(0, count, 1_000):
                size = min(1_000, count - first)
                await job.batch_defer_async(*[{"at": time.monotonic()} for _ in range(size)])
        else:
            count = options.rate * options.seconds
            for number in range(count):
                delay = start + number / options.rate - time.monotonic()
                if delay > 0:
                    await asyncio.sleep(delay)
                await job.defer_async(at=time.monotonic())
        while len(spans) < count:
            await asyncio.sleep(0.001)
        span = time.monotonic() - start
        worker.cancel()
    if options.measure == "throughput":
        print(json.dumps({"runsPerSecond": count / span}))
    else:
        ordered = sorted(spans)
        print(json.dumps({"p50": ordered[count // 2] * 1e3, "p99": ordered[int(count * 0.99)] * 1e3}))


asyncio.run(main())
