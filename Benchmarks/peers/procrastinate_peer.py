"""Procrastinate: enqueues and executes jobs that do nothing; prints figures as JSON."""

import asyncio
import time

import figures
import procrastinate


async def main() -> None:
    """Measures the throughput, or the latency at a rate."""
    options = figures.parser(concurrency=64).parse_args()
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=options.store, max_size=20))
    spans: list[float] = []

    @app.task(name="job")
    async def job(at: float) -> None:
        spans.append(time.monotonic() - at)

    async with app.open_async():
        # The schema can't be applied twice, and another measurement may have done so on this server.
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        worker = asyncio.create_task(
            app.run_worker_async(concurrency=options.concurrency, install_signal_handlers=False)
        )
        await asyncio.sleep(0.5)

        async def some(size: int) -> None:
            if size == 1:
                await job.defer_async(at=time.monotonic())
            else:
                await job.batch_defer_async(*[{"at": time.monotonic()} for _ in range(size)])

        span = await figures.enqueue(options, spans, some)
        worker.cancel()
    figures.report(options, spans, span)


asyncio.run(main())
