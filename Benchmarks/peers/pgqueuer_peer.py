"""PgQueuer: enqueues and executes jobs that do nothing; prints figures as JSON."""

import asyncio
import time
from datetime import timedelta

import asyncpg
import figures
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries


async def main() -> None:
    """Measures the throughput, or the latency at a rate."""
    options = figures.parser(concurrency=64).parse_args()
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

        async def some(size: int) -> None:
            await queries.enqueue(["job"] * size, [str(time.monotonic()).encode()] * size, [0] * size)

        span = await figures.enqueue(options, spans, some)
        queuer.shutdown.set()
        await worker
        await queries.uninstall()
    figures.report(options, spans, span)


asyncio.run(main())
