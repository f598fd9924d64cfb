"""Processes of the program `worker-stress`, the load on them, and the checks of what they have recorded."""

import collections
import queue
import random
import signal
import sqlite3
import subprocess
import threading
import time

from postgres_server import PostgresDatabase

TABLES = """
CREATE TABLE effects (number bigint, attempt bigint, process bigint, enqueued bigint, started bigint);
CREATE TABLE attempts (number bigint, attempt bigint, process bigint, time bigint);
CREATE TABLE ticks (scheduled bigint, process bigint);
"""
SECOND = 1_000_000
# The time limit of the attempts and the margin of a lease.
LEASE = 3.0


class SQLiteDatabase:
    """The file of an SQLite store."""

    runs = "runs"

    def __init__(self, path):
        self.path = path

    @property
    def store(self):
        """The store as the test programs take it."""
        return f"sqlite:{self.path}"

    def sql(self, statements):
        """Executes statements; returns the rows of texts of a single query."""
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            if statements.count(";") > 1:
                database.executescript(statements)
                return []
            return [[str(field) for field in row] for row in database.execute(statements)]
        finally:
            database.close()

    def check_integrity(self):
        """Checks the pages, the indexes and the foreign keys."""
        assert self.sql("PRAGMA integrity_check") == [["ok"]]
        assert self.sql("PRAGMA foreign_key_check") == []


class StressWorker:
    """A process; its standard error goes to a file."""

    def __init__(self, bin_dir, store, folder, *options, works=True):
        store = store if isinstance(store, str) else store.store
        self.log = open(folder / "log", "ab")
        self.process = subprocess.Popen(
            [bin_dir / "worker-stress", "--store", store, *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1,
        )  # fmt: skip
        self.answers = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.is_ready = not works
        if works:
            self.send("work")

    @property
    def pid(self):
        return self.process.pid

    def read(self):
        for line in self.process.stdout:
            self.answers.put(line.strip())
        self.answers.put(None)

    def send(self, command):
        self.process.stdin.write(command + "\n")

    def answer(self, timeout=120):
        """Returns the next answer."""
        line = self.answers.get(timeout=timeout)
        assert line and not line.startswith("failed"), line or "the process ended"
        return line

    def ask(self, command, timeout=120):
        """Sends a command and returns its answer."""
        self.send(command)
        return self.answer(timeout)

    def wait_until_ready(self):
        """Waits until the worker has started: before, a signal ends the process in the system's own way."""
        if not self.is_ready:
            assert self.answer() == "done"
            self.is_ready = True

    def kill(self):
        """Ends the process like a crash."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        """Stops the process by SIGTERM; returns the seconds until its end."""
        self.wait_until_ready()
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.log.close()
        assert status == 0, f"SIGTERM ends a worker with status {status}"
        return time.monotonic() - begin


class Fleet:
    """Workers over one store, and a process without a worker that enqueues."""

    def __init__(self, bin_dir, database, folder, count, *options, store=None):
        self.bin_dir, self.database, self.folder, self.options = bin_dir, database, folder, options
        self.store = store or database.store
        self.client = self.start(works=False)
        # The tables of the store exist before those of the test.
        self.client.ask("left")
        database.sql(TABLES)
        self.workers = [self.start() for _ in range(count)]
        self.load = None

    def start(self, *options, works=True):
        return StressWorker(self.bin_dir, self.store, self.folder, *self.options, *options, works=works)

    def close(self):
        """Kills all processes."""
        if self.load:
            self.load.is_over.set()
        for process in [self.client, *self.workers]:
            process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.close()

    def begin_load(self, rate=200):
        self.load = Load(self.client, rate)

    def end_load(self, timeout=120):
        """Ends the load, and waits until all that was enqueued has ended."""
        self.load.is_over.set()
        self.load.thread.join(timeout)
        assert not self.load.thread.is_alive() and not self.load.error, self.load.error or "the load has not ended"
        self.wait_until_done(timeout)

    def wait_until_done(self, timeout=120):
        """Waits until no run but those of the latest ticks has yet to end."""
        deadline = time.monotonic() + timeout
        while True:
            now = time.time_ns() // 1_000
            query = f"SELECT job, status, count(*) FROM {self.database.runs} WHERE status <> 'succeeded' AND "
            rows = self.database.sql(query + f"(job <> 'tick' OR created_at < {now - SECOND}) GROUP BY job, status")
            if not rows:
                return
            assert not any(row[1] in ("failed", "cancelled") for row in rows), f"runs were given up: {rows}"
            assert time.monotonic() < deadline, f"runs have not ended: {rows}"
            time.sleep(0.2)

    def stop_all(self):
        """Stops the workers; returns the seconds that each took."""
        seconds = [worker.stop() for worker in self.workers]
        self.workers = []
        return seconds

    def check(self, numbers, period=1):
        """Checks that each number has one effect, each due time of `tick` too, and that the database is sound.

        Returns the number of ticks.
        """
        counts = collections.Counter(int(row[0]) for row in self.database.sql("SELECT number FROM effects"))
        lost = sorted(set(numbers) - set(counts))
        assert not lost, f"{len(lost)} of {len(numbers)} effects are lost: {lost[:10]}"
        twice = [number for number, count in counts.items() if count > 1]
        assert not twice, f"{len(twice)} effects took place twice: {twice[:10]}"
        assert set(counts) == set(numbers)
        ticks = sorted(int(row[0]) for row in self.database.sql("SELECT scheduled FROM ticks"))
        assert len(ticks) == len(set(ticks)), "a due time of tick was served twice"
        if period:
            expected = range(ticks[0], ticks[-1] + 1, period * SECOND)
            missing = sorted(set(expected) - set(ticks))
            assert not missing and ticks == list(expected), f"of {len(expected)} due times {len(missing)} are missing"
        running = self.database.sql(
            f"SELECT job, count(*) FROM {self.database.runs} WHERE status = 'running' GROUP BY 1"
        )
        assert not running, f"runs are left running: {running}"
        self.database.check_integrity()
        return len(ticks)


class Load:
    """Enqueues batches of ten runs at a rate through a process that is never killed, until `is_over` is set."""

    def __init__(self, client, rate):
        self.client, self.pause = client, 10 / rate
        self.is_over, self.error, self.count = threading.Event(), None, 0
        # Ranges that other processes may not have enqueued before their end.
        self.repeats, self.repeated = queue.Queue(), []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @property
    def numbers(self):
        """All numbers that were enqueued."""
        return [*range(self.count), *(number for span in self.repeated for number in range(span[0], sum(span)))]

    def run(self):
        try:
            while not self.is_over.is_set():
                self.client.ask(f"enqueue {self.count} 10")
                self.count += 10
                self.repeat()
                self.is_over.wait(self.pause * random.uniform(0.5, 1.5))
            self.repeat()
        except Exception as error:
            self.error = error

    def repeat(self):
        while not self.repeats.empty():
            span = self.repeats.get()
            self.client.ask(f"enqueue {span[0]} {span[1]}")
            self.repeated.append(span)


def is_postgres(database):
    return isinstance(database, PostgresDatabase)
