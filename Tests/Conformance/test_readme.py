"""The README's example: the service runs every job by itself, and two copies share the work."""

import collections
import concurrent.futures
import contextlib
import itertools
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from local_service import free_port
from repository import ROOT

MICROSECONDS = 1_000_000


class Service:
    """A process of the README's example, in a folder that other copies may share."""

    def __init__(self, bin_dir, folder):
        self.port = free_port()
        self.folder = folder
        self.log = open(folder / f"{self.port}.log", "w+")
        self.process = subprocess.Popen(
            [bin_dir / "quick-start"],
            cwd=folder,
            env={**os.environ, "PORT": str(self.port)},
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.time() + 30
        while time.time() < deadline:
            try:
                self.call("GET", "health")
                return
            except urllib.error.URLError:
                time.sleep(0.05)
        raise AssertionError("The service does not listen at PORT.")

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        # The content type that `curl -d` sends.
        headers = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        request = urllib.request.Request(
            f"http://localhost:{self.port}/jobs/{path}", data=data, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def mail(self, user, **members):
        body = {"jobId": "send_welcome_email", "payload": {"userID": user}, **members}
        status, answer = self.call("POST", "trigger", body)
        assert status == 200, answer
        return answer

    def run(self, answer):
        return self.call("GET", f"runs/{answer['runId']}")[1]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=10)
        self.log.close()
        return status


def moment(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))) - time.timezone
    return seconds + float(f"0.{fraction or 0}")


@pytest.fixture
def two_copies(bin_dir, tmp_path):
    copies = [Service(bin_dir, tmp_path), Service(bin_dir, tmp_path)]
    yield copies
    for copy in copies:
        if copy.process.poll() is None:
            assert copy.stop() == 0


def test_the_service_runs_every_job_by_itself_and_copies_share_the_work(two_copies, tmp_path):
    one, two = two_copies
    begin = time.time()
    assert one.mail("7")["status"] == "succeeded"

    delayed = one.mail("8", key="welcome-8", delay="5s")
    assert delayed["status"] == "scheduled"
    assert two.mail("8", key="welcome-8", delay="5s")["status"] == "duplicate"

    flaky = two.mail("flaky")
    assert flaky["status"] == "retrying"

    time.sleep(6)
    run = one.run(delayed)
    assert run["status"] == "succeeded" and run["attempt"] == 1
    assert 5 <= moment(run["startedAt"]) - moment(run["createdAt"]) < 6

    run = one.run(flaky)
    assert run["status"] == "succeeded" and run["attempt"] == 3
    # Two delays of 2 s, each at most one second late.
    assert 4 <= moment(run["finishedAt"]) - moment(run["startedAt"]) < 6

    status, answer = one.call("GET", "runs?status=succeeded&job=send_welcome_email&payload=true")
    assert status == 200
    assert {"7", "8", "flaky"} <= {run["input"]["userID"] for run in answer["runs"]}

    # The schedule changes while both copies run.
    assert one.call("PATCH", "jobs/cleanup", {"interval": "5s"})[0] == 200
    changed = time.time()

    # The job that runs every minute ran in two minutes, wherever in a minute the test began.
    time.sleep(max(0, begin + 125 - time.time()))
    runs = one.call("GET", "runs?job=report&limit=100")[1]["runs"]
    assert len(runs) >= 2
    slots = [run["scheduledFor"] for run in runs]
    assert len(set(slots)) == len(slots), "each occurrence is one run"
    assert all(run["status"] == "succeeded" and run["attempt"] == 1 for run in runs)
    late = [moment(run["startedAt"]) - moment(run["scheduledFor"]) for run in runs]
    assert max(late) < 1, late

    cleanups = one.call("GET", "runs?job=cleanup&limit=500")[1]["runs"]
    times = sorted(moment(run["scheduledFor"]) for run in cleanups)
    assert len(set(times)) == len(times)
    assert len([at for at in times if at > changed + 5]) >= 20, "every 5 s for more than 100 s"

    mails = one.call("GET", "runs?job=send_welcome_email&limit=500")[1]["runs"]
    keys = collections.Counter(run.get("uniqueKey") for run in mails)
    assert keys["welcome-42"] == 1 and keys["welcome-8"] == 1

    for copy in two_copies:
        health = copy.call("GET", "health")[1]
        assert health["status"] == "ok" and health["problems"] == [], health
        assert copy.stop() == 0


def test_late_starts_stay_under_a_second_for_many_delayed_runs(bin_dir, tmp_path):
    service = Service(bin_dir, tmp_path)

    def enqueue(number):
        return service.mail(f"user {number}", key=f"k{number}", delay=3 + number % 10)["status"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(enqueue, range(1000))) == {"scheduled"}
    database = sqlite3.connect(tmp_path / "jobs.db")
    deadline = time.time() + 60
    while time.time() < deadline:
        (waiting,) = database.execute("SELECT count(*) FROM runs WHERE status = 'scheduled'").fetchone()
        if waiting == 0:
            break
        time.sleep(0.5)
    documents = [json.loads(text) for (text,) in database.execute("SELECT document FROM runs")]
    late = sorted(
        moment(run["startedAt"]) - moment(run["notBefore"])
        for run in documents
        if run.get("uniqueKey", "").startswith("k") and run["status"] == "succeeded"
    )
    print(f"lateness of {len(late)} delayed runs: p50 {late[500]:.4f} s, p99 {late[990]:.4f} s, max {late[-1]:.4f} s")
    assert len(late) == 1000
    assert late[990] < 1
    assert service.stop() == 0


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "seventy"}, "PORT must be a number from 0 to 65535"),
        ({"PORT": "70000"}, "PORT must be a number from 0 to 65535"),
        ({"HOST": "0.0.0.0"}, "needs an authentication other than trustLoopback"),
        ({"HOST": "127.evil.example"}, "needs an authentication other than trustLoopback"),
    ],
)
def test_an_error_at_start_is_one_line_with_a_remedy(bin_dir, tmp_path, variables, words):
    done = subprocess.run(
        [bin_dir / "quick-start"], cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0], done.stderr
    assert "Fatal error" not in done.stderr and len(done.stderr) < 2000


def test_a_port_in_use_is_told_and_nothing_was_enqueued(bin_dir, tmp_path):
    first = Service(bin_dir, tmp_path)
    done = subprocess.run(
        [bin_dir / "quick-start"],
        cwd=tmp_path,
        env={**os.environ, "PORT": str(first.port)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"Port {first.port}" in done.stderr and "PORT" in done.stderr and "bind(" not in done.stderr, done.stderr
    assert first.stop() == 0


def test_the_manifest_of_the_example_is_one(tmp_path):
    example = ROOT / "Examples" / "QuickStart"
    done = subprocess.run(
        ["swift", "package", "dump-package", "--package-path", example, "--scratch-path", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    assert [target["name"] for target in manifest["targets"]] == ["QuickStart"]


def test_kill_9_loses_nothing(bin_dir, tmp_path):
    service = Service(bin_dir, tmp_path)
    waiting = [service.mail(f"user {number}", delay=2) for number in range(20)]
    service.process.kill()
    service.process.wait()
    time.sleep(2)
    service = Service(bin_dir, tmp_path)
    deadline = time.time() + 10
    while time.time() < deadline and {service.run(run)["status"] for run in waiting} != {"succeeded"}:
        time.sleep(0.1)
    runs = [service.run(run) for run in waiting]
    assert {run["status"] for run in runs} == {"succeeded"} and {run["attempt"] for run in runs} == {1}
    assert service.stop() == 0


def documented_statements():
    """Returns the SQL of each line `sqlite3 jobs.db "…"` of the page on documents, in their order."""
    lines = (ROOT / "Documentation" / "job-documents.md").read_text().splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("sqlite3 ")]
    assert {tuple(command[:2]) for command in commands} == {("sqlite3", "jobs.db")}
    return [command[2] for command in commands]


def test_a_document_is_changed_and_runs_are_read_by_sql_while_the_service_runs(bin_dir, tmp_path):
    service = Service(bin_dir, tmp_path)
    # Each statement by a connection of its own, as the command-line tool would.
    update, documents, runs = documented_statements()

    def execute(statement):
        with contextlib.closing(sqlite3.connect(tmp_path / "jobs.db", timeout=10)) as database, database:
            return database.execute(statement).fetchall()

    before = {job: (json.loads(configuration), json.loads(state)) for job, configuration, state in execute(documents)}
    assert set(before) == {"cleanup", "report"} and before["cleanup"][0] == {}
    execute(update)
    changed = time.time()
    after = {job: (json.loads(configuration), json.loads(state)) for job, configuration, state in execute(documents)}
    assert after["cleanup"][0] == {"interval": "10s"} and after["report"][0] == {}

    flaky = service.mail("flaky")
    rows = {row[0]: row[1:] for row in execute(runs)}
    job, status, error, _ = rows[flaky["runId"]]
    assert (job, status, error) == ("send_welcome_email", "scheduled", "The mail service is busy.")

    # Within ten seconds the new schedule counts, and then it holds.
    while service.call("GET", "jobs/cleanup")[1]["schedule"] != "10s":
        assert time.time() < changed + 15
        time.sleep(0.1)
    counts = changed + 11
    time.sleep(max(0, counts + 21 - time.time()))
    answered = service.call("GET", "runs?job=cleanup&limit=100")[1]["runs"]
    times = sorted(at for at in (moment(run["scheduledFor"]) for run in answered) if at > counts)
    assert len(times) >= 2 and {late - early for early, late in itertools.pairwise(times)} == {10}, times
    rows = {row[0]: row[1:] for row in execute(runs)}
    assert {rows[run["id"]][:2] for run in answered} == {("cleanup", "succeeded")}
    assert rows[flaky["runId"]][1] == "succeeded"
    assert json.loads(dict((job, state) for job, _, state in execute(documents))["cleanup"])["status"] == "success"
    assert service.stop() == 0
