"""The raw limit of SQLite: jobs inserted, claimed and finished in grouped transactions; prints JSON."""

import sqlite3
import time

import figures


def main() -> None:
    """One connection inserts a batch, claims it and finishes it, each in one transaction that is on disk."""
    options = figures.raw_options()
    database = sqlite3.connect(options.store, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, status TEXT NOT NULL, payload TEXT)")
    database.execute("CREATE INDEX ready ON jobs (id) WHERE status = 'ready'")
    start = time.monotonic()
    for first in range(0, options.runs, 1_000):
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT INTO jobs (status, payload) VALUES ('ready', ?)", [["{}"]] * min(1_000, options.runs - first)
        )
        database.execute("COMMIT")
    done = 0
    while done < options.runs:
        database.execute("BEGIN IMMEDIATE")
        rows = database.execute(
            "SELECT id, payload FROM jobs WHERE status = 'ready' ORDER BY id LIMIT ?", [options.batch]
        ).fetchall()
        database.executemany("UPDATE jobs SET status = 'running' WHERE id = ?", [[row[0]] for row in rows])
        database.execute("COMMIT")
        database.execute("BEGIN IMMEDIATE")
        database.executemany("UPDATE jobs SET status = 'done' WHERE id = ?", [[row[0]] for row in rows])
        database.execute("COMMIT")
        done += len(rows)
    span = time.monotonic() - start
    figures.report_rate(options.runs, span)


main()
