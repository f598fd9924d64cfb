"""Huey on SQLite: enqueues and executes jobs that do nothing; prints figures as JSON."""

import logging
import time

import figures
from huey import SqliteHuey


def main() -> None:
    """Measures the throughput: as huey is set up by default, and with a write to disk for each commit, as here."""
    parser = figures.parser(concurrency=8)
    parser.add_argument("--durable", action="store_true")
    options = parser.parse_args()
    logging.getLogger("huey").setLevel(logging.ERROR)
    huey = SqliteHuey(filename=options.store, results=False, fsync=options.durable)
    spans: list[float] = []

    @huey.task()
    def job(at: float) -> None:
        spans.append(time.monotonic() - at)

    consumer = huey.create_consumer(
        workers=options.concurrency, periodic=False, initial_delay=0.01, backoff=1.05, max_delay=0.02
    )
    consumer.start()
    time.sleep(0.5)
    start = time.monotonic()
    count = figures.count(options)
    for number in range(count):
        if options.measure == "latency":
            time.sleep(max(0.0, start + number / options.rate - time.monotonic()))
        job(time.monotonic())
    while len(spans) < count:
        time.sleep(0.001)
    span = time.monotonic() - start
    consumer.stop()
    figures.report(options, spans, span)


main()
