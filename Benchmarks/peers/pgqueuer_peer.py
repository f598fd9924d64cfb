"""PgQueuer: enqueues and executes jobs that do nothing; prints figures as JSON."""

import argparse
import asyncio
import json
import time
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries


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
    spans: list[float] = []
    async with asyncpg.create_pool(options.store, min_size=4, max_size=20) as pool:
        driver = AsyncpgPoolDriver(pool)
        queries = Queries(driver)
        await queries.install()
        queuer = PgQueuer(driver)

        @queuer.entrypoint("job")
        async def job(job: Job) -> None:
            spans.append(time.monotonic() - float((job.payload or b"0").decode()))

        worker = asyncio.create_task(queuer.run(batch_size=options.concurrency, dequeue_timeout=timedelta(seconds=1)))
        await asyncio.sleep(0.5)
        start = time.monotonic()
        if options.measure == "throughput":
            count = options.runs
            for first in range(0, count, 1_000):
                size = min(1_000, count - first)
                await queries.enqueue(["job"] * size, [str(time.monotonic()).encode()] * size, [0] * size)
        else:
            count = options.rate * options.seconds
            for number in range(count):
                delay = start + number / options.rate - time.monotonic()
                if delay > 0:
                    await asyncio.sleep(delay)
                await queries.enqueue(["job"], [str(time.monotonic()).encode()], [0])
        while len(spans) < count:
            await asyncio.sleep(0.001)
        span = time.monotonic() - start
        queuer.shutdown.set()
        await worker
        await queries.uninstall()
    if options.measure == "throughput":
        print(json.dumps({"runsPerSecond": count / span}))
    else:
        ordered = sorted(spans)
        print(json.dumps({"p50": ordered[count // 2] * 1e3, "p99": ordered[int(count * 0.99)] * 1e3}))


asyncio.run(main())
