"""Workers that are killed, restarted and cut off from their database: nothing is lost, and no effect happens twice.

The checks read the tables in which the jobs of `worker-stress` record their effects, by sqlite3 and psql. The short
form runs with the other tests; `CLOUD_JOBS_ENDURANCE=full` kills 200 workers, crashes the server 20 times, cuts 3,000
connections, restarts 20 times, lets a million runs wait, and goes on for an hour, or for
`CLOUD_JOBS_ENDURANCE_SECONDS`.
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import time

import pytest

from cutting_proxy import CUTS, SILENCE, STALL, CuttingProxy
from postgres_server import PostgresServer
from stress_worker import LEASE, SECOND, Fleet, SQLiteDatabase, StressWorker, is_postgres

FULL = os.environ.get("CLOUD_JOBS_ENDURANCE") == "full"
KILLS = 200 if FULL else 8
CRASHES = 20 if FULL else 3
FAULTS = 3_000 if FULL else 60
RESTARTS = 20 if FULL else 3
WAITING = 1_000_000 if FULL else 20_000
SECONDS = int(os.environ.get("CLOUD_JOBS_ENDURANCE_SECONDS", "3600")) if FULL else 16
SEED = int(os.environ.get("CLOUD_JOBS_ENDURANCE_SEED", "1"))
STOP_LIMIT = 9.0
# What a busy machine may add to a span of time.
SLACK = 3.0
# The first number of the runs that workers enqueue which are then killed.
VICTIMS = 1_000_000


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return SQLiteDatabase(tmp_path / "jobs.db")
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def postgres_database(postgres):
    return postgres.database()


@pytest.fixture
def draw():
    return random.Random(SEED)


def wait_for(query, seconds=30):
    """Waits for a result that is not empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := query():
            return result
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


def attempts_of(database, number):
    """The attempts of a run of `hold`: their numbers, processes, and times in seconds."""
    query = f"SELECT attempt, process, time FROM attempts WHERE number = {number} ORDER BY time"
    return [(int(row[0]), int(row[1]), int(row[2]) / SECOND) for row in database.sql(query)]


# MARK: Crashes of workers and of the server


def test_killed_workers_lose_nothing_and_do_nothing_twice(bin_dir, database, tmp_path, draw):
    with Fleet(bin_dir, database, tmp_path, 3) as fleet:
        fleet.begin_load()
        for number in range(KILLS):
            place = draw.randrange(3)
            victim = fleet.workers[place]
            span = (VICTIMS + 20 * number, 20)
            time.sleep(draw.uniform(0, 0.5))
            victim.send(f"enqueue {span[0]} {span[1]}")
            time.sleep(draw.choice([0, draw.uniform(0, 0.02), draw.uniform(0, 0.3)]))
            victim.kill()
            fleet.load.repeats.put(span)
            fleet.workers[place] = fleet.start()
        fleet.end_load()
        taken_over = database.sql("SELECT count(*) FROM effects WHERE attempt > 1 AND number % 10 NOT IN (3, 7)")
        fleet.stop_all()
        ticks = fleet.check(fleet.load.numbers)
        print(f"\n{KILLS} kills, {len(fleet.load.numbers)} effects, {taken_over[0][0]} by others, {ticks} ticks")


def test_crashes_of_the_server_lose_nothing_and_workers_reconnect(bin_dir, tmp_path, draw):
    server = PostgresServer()
    with contextlib.closing(server), Fleet(bin_dir, server.database(), tmp_path, 3) as fleet:
        fleet.begin_load()
        spans = []
        for _ in range(CRASHES):
            time.sleep(draw.uniform(0.3, 1.5))
            server.stop("immediate")
            time.sleep(draw.choice([0, draw.uniform(0, 2)]))
            server.start()
            begin, before = time.monotonic(), count_effects(fleet.database)
            wait_for(lambda before=before: count_effects(fleet.database) > before)
            spans.append(time.monotonic() - begin)
        fleet.end_load()
        fleet.stop_all()
        ticks = fleet.check(fleet.load.numbers)
        print(
            f"\n{CRASHES} crashes of the server, {len(fleet.load.numbers)} effects, {ticks} ticks; the next effect "
            f"after {max(spans):.1f} s at the latest"
        )


def count_effects(database):
    return int(database.sql("SELECT count(*) FROM effects")[0][0])


# MARK: The network


def test_cut_connections_lose_nothing_and_do_nothing_twice(bin_dir, postgres_database, tmp_path):
    proxy = CuttingProxy(postgres_database.server.port, SEED, [*CUTS, *CUTS, STALL])
    cut_connections(bin_dir, postgres_database, tmp_path, proxy, FAULTS)


def test_silent_connections_lose_nothing_and_do_nothing_twice(bin_dir, postgres_database, tmp_path):
    # Each waits for the request timeout of 10 seconds.
    proxy = CuttingProxy(postgres_database.server.port, SEED + 1, [SILENCE, *CUTS], longest=3_000)
    cut_connections(bin_dir, postgres_database, tmp_path, proxy, FAULTS // 10, silences=FAULTS // 30)


def cut_connections(bin_dir, database, folder, proxy, count, silences=0):
    # The program creates its tables without faults.
    proxy.is_calm = True
    url = database.url(proxy.address)
    with contextlib.closing(proxy), Fleet(bin_dir, database, folder, 3, store=url) as fleet:
        fleet.begin_load()
        wait_for(lambda: count_effects(database) > 0 and database.sql("SELECT * FROM ticks"))
        proxy.is_calm = False
        wait_for(lambda: proxy.total >= count and proxy.counts[SILENCE] >= silences, seconds=3_600 if FULL else 90)
        proxy.is_calm = True
        fleet.end_load()
        fleet.stop_all()
        ticks = fleet.check(fleet.load.numbers)
        print(f"\n{dict(proxy.counts)}; {proxy.number} connections, {len(fleet.load.numbers)} effects, {ticks} ticks")


def test_lost_notifications_delay_runs_by_one_poll_at_most(bin_dir, postgres_database, tmp_path):
    kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
    kill += "AND datname = current_database()"
    with Fleet(bin_dir, postgres_database, tmp_path, 2) as fleet:
        wait_for(lambda: len(postgres_database.sql("SELECT * FROM ticks")) > 0)
        fleet.begin_load(rate=50)
        killed = 0
        for _ in range(200 if FULL else 12):
            killed += int(postgres_database.sql(kill)[0][0])
            time.sleep(0.2)
        fleet.end_load()
        fleet.stop_all()
        fleet.check(fleet.load.numbers)
        spans = latencies(postgres_database)
        print(f"\n{killed} listeners ended, {len(fleet.load.numbers)} effects, milliseconds to their start: {spans}")
        assert killed > 5
        # A poll takes place every second.
        assert spans["p99"] < 1_500 and spans["max"] < 1_000 + SLACK * 1_000


# MARK: Stops


def test_rolling_restarts_lose_no_run_and_no_due_time(bin_dir, database, tmp_path, draw):
    with Fleet(bin_dir, database, tmp_path, 3) as fleet:
        fleet.begin_load()
        spans = []
        for _ in range(RESTARTS):
            for place in range(3):
                time.sleep(draw.uniform(0, 0.5))
                spans.append(fleet.workers[place].stop())
                fleet.workers[place] = fleet.start()
        fleet.end_load()
        # What a stopped worker had under way is continued at once, and not after the lease.
        late = database.sql("SELECT count(*) FROM effects WHERE attempt = 1 AND started - enqueued > 2000000")[0][0]
        spans += fleet.stop_all()
        ticks = fleet.check(fleet.load.numbers)
        print(
            f"\n{len(spans)} stops, the slowest {max(spans):.2f} s; {len(fleet.load.numbers)} effects, {late} of them "
            f"late, {ticks} ticks"
        )
        assert max(spans) < STOP_LIMIT


# MARK: Takeovers


def test_a_run_whose_worker_died_is_taken_over_after_its_lease(bin_dir, database, tmp_path):
    with Fleet(bin_dir, database, tmp_path, 1) as fleet:
        spans = []
        for number in range(20 if FULL else 2):
            # Killed as soon as the run is claimed, or while the handler waits.
            fleet.client.ask(f"hold {number} 1")
            sign = claimed(database) if number % 2 else started(number)
            wait_for(lambda sign=sign: database.sql(sign))
            killed = time.time()
            fleet.workers[0].kill()
            dead = fleet.workers[0].pid
            fleet.workers[0] = fleet.start()
            wait_for(lambda number=number: database.sql(f"SELECT 1 FROM effects WHERE number = {number}"))
            attempts = attempts_of(database, number)
            assert attempts[-1][:2] == (2, fleet.workers[0].pid), attempts
            assert all(attempt[:2] == (1, dead) for attempt in attempts[:-1]) and len(attempts) <= 2, attempts
            spans.append(attempts[-1][2] - killed)
            if len(attempts) == 2:
                # The clock of the lease starts before the handler.
                assert attempts[1][2] - attempts[0][2] > LEASE - 1
        fleet.wait_until_done()
        fleet.stop_all()
        fleet.check(range(len(spans)))
        print(f"\ntaken over after {min(spans):.1f} to {max(spans):.1f} s; the lease is {LEASE} s")
        # The lease, the delay of a retry, and a poll.
        assert max(spans) < LEASE + 1.2 + SLACK


def claimed(database):
    return f"SELECT 1 FROM {database.runs} WHERE job = 'hold' AND status = 'running'"


def started(number):
    return f"SELECT 1 FROM attempts WHERE number = {number}"


def test_a_worker_that_hangs_and_wakes_after_a_takeover_has_no_effect(bin_dir, database, tmp_path):
    with Fleet(bin_dir, database, tmp_path, 1) as fleet:
        fleet.client.ask("hold 0 5")
        wait_for(lambda: len(database.sql("SELECT 1 FROM attempts")) == 5)
        fleet.workers[0].process.send_signal(signal.SIGSTOP)
        fleet.workers.append(fleet.start())
        wait_for(lambda: len(database.sql("SELECT 1 FROM effects")) == 5)
        fleet.workers[0].process.send_signal(signal.SIGCONT)
        time.sleep(1)
        fleet.wait_until_done()
        fleet.stop_all()
        assert {row[0] for row in database.sql("SELECT attempt FROM effects")} == {"2"}
        fleet.check(range(5))


@pytest.mark.parametrize("offset", [-3_600, 3_600])
def test_a_worker_whose_clock_is_wrong_starts_runs_neither_early_nor_twice(bin_dir, database, tmp_path, offset):
    with Fleet(bin_dir, database, tmp_path, 1) as fleet:
        fleet.workers.append(fleet.start(f"--clock-offset={offset}"))
        fleet.workers[1].wait_until_ready()
        fleet.begin_load()
        time.sleep(20 if FULL else 2)
        fleet.end_load()
        processes = database.sql("SELECT process, count(*) FROM effects GROUP BY process")
        assert {row[0] for row in processes} == {str(worker.pid) for worker in fleet.workers}, processes
        fleet.stop_all()
        fleet.check(fleet.load.numbers)
        assert database.sql("SELECT count(*) FROM effects WHERE started < enqueued") == [["0"]]
        # The retries too: their delay is 200 ms.
        query = "SELECT min(started - enqueued) FROM effects WHERE number % 10 = 7"
        assert int(database.sql(query)[0][0]) >= 200_000


def test_a_schedule_that_is_edited_while_workers_tick_serves_no_time_twice(bin_dir, database, tmp_path):
    with Fleet(bin_dir, database, tmp_path, 2) as fleet:
        for schedule in ["2s", "1s", "3s", "1s"] * (20 if FULL else 1):
            fleet.client.ask(f"schedule {schedule}")
            time.sleep(1.5)
        fleet.stop_all()
        ticks = fleet.check([], period=None)
        journal = [int(row[0]) // SECOND for row in database.sql("SELECT scheduled FROM ticks ORDER BY scheduled")]
        print(f"\n{ticks} ticks in {journal[-1] - journal[0]} s")
        # A second and a half of each schedule has one time of those of each second, and may have none of the others.
        assert ticks >= (40 if FULL else 2)


# MARK: Endurance


def latencies(database, condition="true"):
    """The milliseconds from the call of enqueue to the handler, of runs that did not have to be retried."""
    query = f"SELECT started - enqueued FROM effects WHERE attempt = 1 AND ({condition}) ORDER BY 1"
    spans = [int(row[0]) / 1_000 for row in database.sql(query)]
    if not spans:
        return {"count": 0}
    p50, p99 = (spans[int((len(spans) - 1) * share)] for share in (0.5, 0.99))
    return {"count": len(spans), "p50": p50, "p99": p99, "max": spans[-1]}


SIZES = """
SELECT sum(pg_total_relation_size(c.oid)) FILTER (WHERE relkind = 'r'),
  sum(pg_relation_size(c.oid)) FILTER (WHERE relname = 'runs'),
  sum(pg_relation_size(c.oid)) FILTER (WHERE relname = 'runs_waking'),
  (SELECT count(*) FROM cloud_jobs.runs WHERE status NOT IN ('succeeded', 'failed', 'cancelled')),
  (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'runs')
FROM pg_class AS c WHERE relnamespace = 'cloud_jobs'::regnamespace
"""


def test_endurance_while_a_transaction_holds_an_old_snapshot(bin_dir, tmp_path):
    # The short form does not wait for the usual interval of autovacuum, a minute.
    server = PostgresServer(*([] if FULL else ["autovacuum_naptime = 1s"]))
    rate, warm_up = 200, 2
    with contextlib.closing(server):
        database = server.database()
        retention = 60 if FULL else 4
        with Fleet(bin_dir, database, tmp_path, 2, "--retention", retention) as fleet:
            fleet.client.ask(f"load {10 * VICTIMS} 10 {warm_up}")
            fleet.client.send(f"load 0 {rate} {SECONDS}")
            begin = time.time()
            samples, holder, held = [], None, [0.0, 0.0]
            while (span := time.time() - begin) < SECONDS:
                if holder is None and span > SECONDS / 4:
                    holder, held[0] = database.session(), time.time()
                    holder.stdin.write(
                        "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT count(*) FROM cloud_jobs.runs;\n"
                    )
                    holder.stdin.flush()
                    assert holder.stdout.readline().strip().isdigit()
                if holder and holder.poll() is None and span > SECONDS * 3 / 4:
                    holder.communicate("COMMIT;\n", timeout=30)
                    assert holder.returncode == 0, "the transaction was ended by another party"
                    held[1] = time.time()
                samples.append([span, *(int(field) for field in database.sql(SIZES)[0])])
                time.sleep(SECONDS / 60)
            loaded = fleet.client.answer(timeout=120)
            fleet.wait_until_done()
            fleet.stop_all()
            ticks = fleet.check([*range(rate * SECONDS), *range(10 * VICTIMS, 10 * VICTIMS + 10 * warm_up)])
            start, end = (int(moment * SECOND) for moment in held)
            phases = {
                "before": f"number < {VICTIMS} AND enqueued < {start}",
                "first half held": f"enqueued BETWEEN {start} AND {(start + end) // 2}",
                "second half held": f"enqueued BETWEEN {(start + end) // 2} AND {end}",
                "after": f"enqueued > {end}",
            }
            spans = {name: latencies(database, condition) for name, condition in phases.items()}
            print(f"\n{loaded}; {ticks} ticks; {SECONDS} s")
            for name, figures in spans.items():
                print(f"  {name:18}", {key: round(value, 1) for key, value in figures.items()})
            print("  seconds, bytes of all tables, of runs, of runs_waking, runs not ended, dead rows")
            for sample in samples[:: max(1, len(samples) // 20)]:
                print("  " + "  ".join(f"{figure:,.0f}" for figure in sample))
            # A debug build on a machine that is busy with other tests says nothing about latency.
            assert max(figures["p99"] for figures in spans.values()) < (50 if FULL else 1_000)
            assert max(sample[4] for sample in samples) < rate * 2, "the backlog grows"
            # Once the snapshot is gone, the space of dead rows is used again.
            after = [sample for sample in samples if sample[0] > SECONDS * 0.8]
            assert after[-1][1] <= after[0][1] * 1.25, "the tables grow"


# MARK: Large queues

FILL = {
    False: """
INSERT INTO runs (id, version, created_at, wake_at, fence, status, job, document)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
SELECT printf('%064x', n), n, {now} - n, {now} + 86400000000 + n, 0, 'pending', 'effect', '{{}}' FROM numbers
""",
    True: """
INSERT INTO cloud_jobs.runs (id, version, created_at, wake_at, fence, amendments, status, job, document)
SELECT sha256(n::text::bytea), n, {now} - n, {now} + 86400000000 + n, 0, 0, 'pending', 'effect', '{{}}'
FROM generate_series(1, {count}) AS n
""",
}


def test_due_runs_among_very_many_that_wait_start_at_once_and_the_others_cost_nothing(bin_dir, database, tmp_path):
    with Fleet(bin_dir, database, tmp_path, 1) as fleet:
        now = time.time_ns() // 1_000
        database.sql(FILL[is_postgres(database)].format(count=WAITING, now=now))
        worker = fleet.workers[0]
        worker.wait_until_ready()
        for number in range(10):
            fleet.client.ask(f"enqueue {number} 1")
            time.sleep(0.05)
        wait_for(lambda: database.sql("SELECT count(*) FROM effects") == [["10"]])
        spans = latencies(database)
        used = processor_time(worker.pid)
        time.sleep(5)
        used = processor_time(worker.pid) - used
        left = database.sql(f"SELECT count(*) FROM {database.runs} WHERE status = 'pending' AND job = 'effect'")
        print(f"\n10 due among {WAITING:,}: {spans}; idle, {used:.2f} s of processor time in 5 s")
        assert left == [[str(WAITING)]]
        # On SQLite the worker learns of another process's runs by its poll, once a second.
        assert spans["max"] < (50 if FULL and is_postgres(database) else 2_000)
        # It ticks once a second.
        assert used < 0.5


def processor_time(process):
    """The seconds of processor time that a process has used."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# MARK: TLS


@pytest.fixture(scope="module")
def tls_server():
    server = PostgresServer()
    for name in ("server", "other"):
        certificate = ["-out", server.folder / f"{name}.crt", "-keyout", server.folder / f"{name}.key"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", *certificate],
            check=True, capture_output=True, **server.user,
        )  # fmt: skip
    database = server.database()
    for setting in [f"ssl_cert_file = '{server.folder}/server.crt'", f"ssl_key_file = '{server.folder}/server.key'"]:
        database.sql(f"ALTER SYSTEM SET {setting}")
    database.sql("ALTER SYSTEM SET ssl = on")
    database.sql("SELECT pg_reload_conf()")
    yield server
    server.close()


def test_a_verified_tls_connection_works(bin_dir, tls_server, tmp_path):
    database = tls_server.database()
    url = database.url(host="localhost", options=f"?sslmode=verify-full&sslrootcert={tls_server.folder}/server.crt")
    with Fleet(bin_dir, database, tmp_path, 1, store=url) as fleet:
        fleet.client.ask("enqueue 0 20")
        fleet.wait_until_done()
        rows = database.sql(
            "SELECT ssl, count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
            "WHERE application_name = 'swift-cloud-jobs' AND datname = current_database() GROUP BY ssl"
        )
        assert [row[0] for row in rows] == ["t"], rows
        fleet.stop_all()
        fleet.check(range(20), period=None)


@pytest.mark.parametrize(
    "options, words",
    [
        ("?sslmode=verify-full&sslrootcert={folder}/other.crt", "certificate verify failed"),
        ("?sslmode=verify-full&sslrootcert={folder}/none.crt", "root certificate file"),
    ],
)
def test_a_certificate_of_another_root_is_an_error_at_the_start(bin_dir, tls_server, tmp_path, options, words):
    url = tls_server.database().url(host="localhost", options=options.format(folder=tls_server.folder))
    refuses_to_start(bin_dir, url, tmp_path, words)


def test_another_name_than_that_of_the_certificate_is_an_error_at_the_start(bin_dir, tls_server, tmp_path):
    url = tls_server.database().url(options=f"?sslmode=verify-full&sslrootcert={tls_server.folder}/server.crt")
    refuses_to_start(bin_dir, url, tmp_path, "127.0.0.1")


def test_a_server_without_tls_is_an_error_where_it_is_required(bin_dir, postgres_database, tmp_path):
    refuses_to_start(bin_dir, postgres_database.url(options="?sslmode=require"), tmp_path, "does not support SSL")


def refuses_to_start(bin_dir, url, folder, words):
    begin = time.monotonic()
    worker = StressWorker(bin_dir, url, folder, works=False)
    status = worker.process.wait(timeout=30)
    seconds = time.monotonic() - begin
    lines = (folder / "log").read_text().splitlines()
    print(f"\n{seconds:.1f} s: {lines}")
    assert status == 1 and len(lines) == 1 and lines[0].startswith("error: "), lines
    assert re.search(words, lines[0]), lines
    assert seconds < 10
