"""What runs and sets up jobs by the command line: enqueue, worker, serve, sync, doctor and init."""

import json
import os
import pty
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from command_line import CommandLine, fitting
from emulator_process import Emulator
from local_service import free_port
from repository import ROOT
from test_cloud_run import CALLER

ADA = ("--input", '{"name": "Ada"}')
EXAMPLE = ROOT / "Examples" / "starter"


def emulated(line, emulator):
    """Lets the program call the emulator's Cloud Tasks and Cloud Scheduler."""
    host = emulator.url.removeprefix("http://")
    line.environment |= {"CLOUD_TASKS_EMULATOR_HOST": host, "CLOUD_SCHEDULER_EMULATOR_HOST": host}


def test_runs_are_enqueued_with_and_without_code_and_a_worker_executes_them(line):
    line.json("migrate")
    refused = line.call("enqueue", "greet", *ADA, expect=2).stderr
    assert "no document and no run of greet" in refused and "JobCommand.main" in refused
    first = line.json("enqueue", "greet", *ADA, program="starter")
    assert (first["requested"], first["created"], first["status"]) == (1, 1, "pending")
    assert first["deliveredBy"] == ("sweep" if line.kind == "firestore" else "worker")
    # The store knows the job now, so that the tool without its code takes it.
    later = line.json("enqueue", "greet", *ADA, "--in", "1h", "--key", "ada")
    assert (later["created"], later["status"]) == (1, "scheduled")
    again = line.json("enqueue", "greet", *ADA, "--at", "2099-01-01T00:00:00Z", "--key", "ada")
    assert (again["created"], again["run"], again["status"]) == (0, later["run"], "scheduled")
    many = line.json("enqueue", "greet", *ADA, "--count", "30")
    assert (many["requested"], many["created"]) == (30, 30) and "run" not in many
    told = line.call("enqueue", "greet", *ADA).stdout
    assert "is pending" in told and ("sweep" in told) == (line.kind == "firestore")
    for words in (
        ("--input", "{"),
        ("--in", "soon"),
        ("--in", "-1s"),
        ("--at", "soon"),
        ("--count", "0"),
        ("--count", "2", "--key", "x"),
        ("--in", "1s", "--at", "2099-01-01T00:00:00Z"),
    ):
        assert words[0] in line.call("enqueue", "greet", *words, expect=64).stderr
    assert "expected" in line.call("enqueue", "greet", "--input", "7", expect=64, program="starter").stderr.lower()
    line.call("enqueue", "nobody", expect=2, program="starter")
    assert "JobCommand.main" in line.call("worker", expect=2).stderr
    if line.kind == "firestore":
        assert "Cloud Tasks" in line.call("worker", expect=64, program="starter").stderr
        return
    worker = line.start("worker", "--json", "--name", "W", "--concurrency", "5", program="starter")
    assert fitting("worker", worker.stdout.readline())["concurrency"] == 5
    line.wait_for(lambda: not line.json("runs", "list", "--status", "pending,running")["runs"])
    assert [entry["name"] for entry in line.json("workers")["workers"]] == ["W"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0 and fitting("worker", worker.stdout.read())["state"] == "stopped"
    assert {run["status"] for run in line.json("runs", "list")["runs"]} == {"succeeded", "scheduled"}


def test_a_program_serves_and_its_runs_are_seen_from_another_shell(line, emulator):
    emulated(line, emulator)
    port = free_port()
    google = ()
    if line.kind == "firestore":
        google = ("--location", "europe-west1", "--service-url", f"http://127.0.0.1:{port}", "--caller", CALLER)
        assert "--location" in line.call("serve", expect=64, program="starter").stderr
    server = line.start("serve", "--json", "--port", str(port), *google, program="starter")
    assert fitting("serve", server.stdout.readline())["port"] == port
    enqueued = line.json("enqueue", "greet", *ADA, *google, program="starter")
    run = enqueued["run"]
    assert enqueued["deliveredBy"] == ("queue" if google else "worker")
    if not google:
        # The health of the service tells a stranger nothing; this machine's programs are trusted.
        health = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/jobs/health", timeout=20))
        assert health["status"] == "ok"
    line.wait_for(lambda: line.json("runs", "show", run)["status"] == "succeeded", 90)
    assert "0 pending" in line.call("status").stdout
    if google:
        # The emulator's tokens are verified; without one, nobody is admitted.
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/jobs/jobs", timeout=20)
        assert refused.value.code == 401
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_sync_plans_then_applies(line, emulator):
    emulated(line, emulator)
    line.call("migrate")
    project = f"p{line.kind}"
    words = ("sync", "--project", project, "--location", "europe-west1", "--service-url", "https://jobs.example/")
    assert "JobCommand.main" in line.call(*words, expect=2).stderr

    def actions(*more):
        plan = line.json(*words, *more, program="starter")
        return {change["name"].rpartition("/")[2]: change["action"] for change in plan["changes"]}

    new = {"default": "create", "cloud-jobs-cloud_jobs_master": "create", "cloud-jobs-good_morning": "create"}
    assert actions() == new
    assert "Make them with --apply." in line.call(*words, program="starter").stdout
    assert actions("--apply") == new
    assert set(actions().values()) == {"unchanged"}
    assert "as they should be" in line.call(*words, program="starter").stdout
    line.call("jobs", "schedule", "good_morning", "0 10 * * *", program="starter")
    assert actions()["cloud-jobs-good_morning"] == "update"
    line.call("jobs", "set", "good_morning", "trigger=masterPass", program="starter")
    assert actions()["cloud-jobs-good_morning"] == "delete"
    assert "--yes" in line.call(*words, "--apply", expect=64, program="starter").stderr
    assert actions()["cloud-jobs-good_morning"] == "delete"
    answer = line.call(*words, "--apply", "--yes", program="starter")
    assert "delete scheduler job cloud-jobs-good_morning" in answer.stderr and "Made" in answer.stdout
    assert "cloud-jobs-good_morning" not in actions()
    for option, missing in (("--location", 3), ("--service-url", 5)):
        short = words[:missing] + words[missing + 2 :]
        assert option in line.call(*short, expect=64, program="starter").stderr


def verdicts(report):
    return {check["name"]: check["verdict"] for check in report["checks"]}


def test_doctor_finds_what_is_wrong(line, emulator):
    emulated(line, emulator)
    line.call("migrate")
    google = ("--project", f"d{line.kind}", "--location", "europe-west1")
    report = line.json("doctor", program="starter")
    assert report["healthy"] and verdicts(report)["permissions"] == "ok"
    report = line.json("doctor", *google, expect=1)
    found = verdicts(report)
    assert (found["queue"], found["scheduler"], found["store"], found["clock"]) == ("failed", "failed", "ok", "ok")
    assert all("remedy" in check for check in report["checks"] if check["verdict"] == "failed")
    line.call("sync", "--apply", *google, "--service-url", "https://jobs.example", program="starter")
    found = verdicts(line.json("doctor", *google))
    assert (found["queue"], found["scheduler"]) == ("ok", "ok")
    name = f"projects/d{line.kind}/locations/europe-west1/queues/default"
    assert emulator.call("POST", f"/v2/{name}:pause", {})[0] == 200
    assert f"queues resume default --location europe-west1 --project d{line.kind}" in (
        line.call("doctor", *google, expect=1).stdout
    )
    line.call("jobs", "schedule", "good_morning", "0 10 * * *", program="starter")
    line.call("jobs", "set", "good_morning", "group=mail", program="starter")
    if line.kind != "firestore":
        assert verdicts(line.json("doctor", expect=1))["workers"] == "failed"
        worker = line.start("worker", program="starter")
        line.wait_for(lambda: line.json("workers")["workers"])
        assert verdicts(line.json("doctor", program="starter"))["workers"] == "ok"
        worker.terminate()
        assert worker.wait(30) == 0


def test_doctor_tells_a_store_that_is_not_there(bin_dir, tmp_path):
    line = CommandLine(bin_dir, f"sqlite:{tmp_path / 'no.db'}")
    report = line.json("doctor", expect=1)
    assert verdicts(report)["store"] == "failed" and "migrate" in report["checks"][0]["fact"]
    assert not (tmp_path / "no.db").exists()


def test_doctor_tells_that_the_user_may_not_write(bin_dir, postgres):
    database = postgres.database()
    line = CommandLine(bin_dir, database.store)
    line.call("migrate")
    database.sql(
        """
        DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT USAGE ON SCHEMA cloud_jobs TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA cloud_jobs TO reader;
        """
    )
    line.environment["CLOUD_JOBS_STORE"] = database.store.replace("tests@", "reader@")
    line.json("status")
    found = verdicts(line.json("doctor", expect=1))
    assert (found["store"], found["permissions"], found["jobs"]) == ("ok", "failed", "ok")


def test_doctor_tells_missing_indexes(bin_dir, cloud_jobs, tmp_path):
    indexes = tmp_path / "indexes.json"
    indexes.write_text('{"indexes": [], "fieldOverrides": []}')
    emulator = Emulator(cloud_jobs, "--indexes", indexes)
    try:
        host = emulator.url.removeprefix("http://")
        line = CommandLine(bin_dir, "firestore://p", FIRESTORE_EMULATOR_HOST=host)
        report = line.json("doctor", expect=1)
    finally:
        emulator.stop()
    assert verdicts(report)["indexes"] == "failed"
    assert "runs by job, runs by status, runs by correlation id, decisions by job" in next(
        c["fact"] for c in report["checks"] if c["name"] == "indexes"
    )


def test_init_makes_the_example(bin_dir, tmp_path):
    line = CommandLine(bin_dir, "memory")
    made = line.json("init", str(tmp_path / "starter"), "--path", str(ROOT))
    for name in made["files"]:
        text = (tmp_path / "starter" / name).read_text()
        example = (EXAMPLE / name).read_text().replace('"../.."', f'"{ROOT}"')
        if name != "Dockerfile":
            assert text == example, name
    assert {"Package.swift", "README.md", ".gitignore"} <= set(made["files"])
    assert "has files" in line.call("init", str(tmp_path / "starter"), "--path", str(ROOT), expect=2).stderr
    assert "--url" in line.call("init", str(tmp_path / "other"), expect=64).stderr
    assert "name" in line.call("init", str(tmp_path / "other"), "--path", str(ROOT), "--name", "a/b", expect=64).stderr
    assert not (tmp_path / "other").exists()
    line.call("init", str(tmp_path / "my-jobs.2"), "--url", "https://git.example/x/swift-cloud-jobs.git")
    for folder in ("starter", "my-jobs.2"):
        dump = subprocess.run(
            ["swift", "package", "dump-package", "--package-path", tmp_path / folder, "--scratch-path", tmp_path / "b"],
            capture_output=True,
            text=True,
        )
        assert dump.returncode == 0, dump.stderr
        targets = [target["name"] for target in json.loads(dump.stdout)["targets"]]
        assert targets == (["starter", "starterTests"] if folder == "starter" else ["my-jobs_2", "my-jobs_2Tests"])


def test_init_asks_at_a_terminal_for_what_is_left_out(bin_dir, tmp_path):
    parent, child = pty.openpty()
    program = subprocess.Popen([bin_dir / "cloud-jobs", "init"], cwd=tmp_path, stdin=child, stdout=child, stderr=child)
    os.close(child)
    seen = b""
    answers = {b"Folder [.]: ": "asked", b"package [asked]: ": "my-jobs", b"repository: ": str(ROOT)}
    for question, answer in answers.items():
        while question not in seen:
            seen += os.read(parent, 1024)
        os.write(parent, f"{answer}\n".encode())
    while program.poll() is None:
        try:
            seen += os.read(parent, 1024)
        except OSError:
            break
    assert program.wait(30) == 0, seen
    assert "swift run my-jobs serve" in seen.decode()
    assert (tmp_path / "asked" / "Sources" / "my-jobs" / "Main.swift").exists()
    assert f'path: "{ROOT}"' in (tmp_path / "asked" / "Package.swift").read_text()


def test_infra_prints_a_script_with_the_programs_schedules(bin_dir):
    line = CommandLine(bin_dir, "memory")
    words = ("infra", "--project", "p", "--location", "europe-west1", "--image", "i")
    script = line.json(*words, program="starter")["script"]
    assert line.call(*words, program="starter").stdout == script
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    assert "cloud-jobs-good_morning" in script and "gcloud run deploy" in script
    assert "cloud-jobs-good_morning" not in line.json(*words)["script"]
    assert "--location" in line.call("infra", "--project", "p", expect=64).stderr
    assert "--service" in line.call(*words, "--service", "A b", expect=64).stderr


@pytest.mark.parametrize("command", ["worker", "serve", "trigger"])
def test_what_needs_code_is_refused_without(bin_dir, tmp_path, command):
    line = CommandLine(bin_dir, f"sqlite:{tmp_path / 'jobs.db'}")
    line.call("migrate")
    words = [command] + (["greet"] if command == "trigger" else [])
    assert "JobCommand.main(jobs)" in line.call(*words, expect=2).stderr
