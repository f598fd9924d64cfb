"""The raw limit of PostgreSQL: jobs inserted, claimed with SKIP LOCKED and finished in batches; prints JSON."""

import threading
import time

import figures
import psycopg

CLAIM = """
    UPDATE raw_jobs SET status = 'running' WHERE id IN (
        SELECT id FROM raw_jobs WHERE status = 'ready' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id, payload
"""


def main() -> None:
    """One connection inserts, another one claims and finishes, at the same time."""
    options = figures.raw_options()
    with psycopg.connect(options.store, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_jobs")
        connection.execute("CREATE TABLE raw_jobs (id bigserial PRIMARY KEY, status text NOT NULL, payload text)")
        connection.execute("CREATE INDEX ON raw_jobs (id) WHERE status = 'ready'")
        start = time.monotonic()

        def insert() -> None:
            with psycopg.connect(options.store, autocommit=True) as other:
                for first in range(0, options.runs, 1_000):
                    size = min(1_000, options.runs - first)
                    other.execute(
                        "INSERT INTO raw_jobs (status, payload) SELECT 'ready', unnest(%s::text[])", [["{}"] * size]
                    )

        inserter = threading.Thread(target=insert)
        inserter.start()
        done = 0
        while done < options.runs:
            ids = [row[0] for row in connection.execute(CLAIM, [options.batch])]
            if ids:
                connection.execute("UPDATE raw_jobs SET status = 'done' WHERE id = ANY(%s)", [ids])
            done += len(ids)
        span = time.monotonic() - start
        inserter.join()
        connection.execute("DROP TABLE raw_jobs")
    figures.report_rate(options.runs, span)


main()
