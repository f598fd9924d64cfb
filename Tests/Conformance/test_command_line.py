"""The command line against every kind of store, as an operator uses it."""

import json
import signal
import subprocess
import time
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest

from command_line import SCHEMA, CommandLine, fitting
from repository import ROOT


def test_an_operators_day(line):
    """Jobs are changed, runs are listed, cancelled, made due and repeated, over one store."""
    line.json("migrate")
    assert line.json("jobs", "list")["jobs"] == []
    assert "no job" in line.call("jobs", "list").stdout
    line.call("enqueue", "--count", "3", program="worker-demo")
    runs = line.json("runs", "list")["runs"]
    assert [run["status"] for run in runs] == ["pending"] * 3
    assert "greet" in line.call("runs", "list", "--job", "greet", "--status", "pending").stdout
    page = line.json("runs", "list", "--limit", "2")
    rest = line.json("runs", "list", "--limit", "2", "--cursor", page["next"])
    assert [run["id"] for run in page["runs"] + rest["runs"]] == [run["id"] for run in runs]
    one, two, three = (run["id"] for run in runs)
    assert line.json("runs", "show", one[:8])["id"] == one
    assert "8" in line.call("runs", "show", one[:7], expect=64).stderr
    assert "no run" in line.call("runs", "show", "0" * 9, expect=2).stderr
    assert line.json("runs", "cancel", one, "--reason", "not today") == {"done": [one], "unchanged": []}
    shown = line.json("runs", "show", one)
    assert (shown["status"], shown["reason"]) == ("cancelled", "not today")
    again = line.json("runs", "redrive", one)
    assert again["done"] == [one]
    assert line.json("runs", "redrive", one, expect=2)["unchanged"][0]["run"] == one
    assert line.json("runs", "cancel", one, expect=2)["unchanged"] == [{"run": one, "reason": "has been cancelled"}]
    assert line.json("runs", "retry", two, three, expect=2)["done"] == []
    assert line.json("runs", "redrive", "--job", "greet", "--yes") == {"done": [], "unchanged": []}
    assert line.call("runs", "cancel", "--job", "greet", expect=64).stderr.count("--yes") == 1
    assert len(line.json("runs", "cancel", "--job", "greet", "--yes")["done"]) == 3
    assert line.json("dead-letters")["runs"] == []
    status = line.json("status")
    assert status["runs"]["pending"]["count"] == 0 and status["workers"] == []


def test_jobs_are_changed_while_a_worker_runs(line):
    line.json("migrate")
    worker = line.start("work", "--name", "A")
    deadline = time.time() + 60
    # Firestore's runs come by Cloud Tasks, so that no worker tells of itself there.
    has_workers = not line.store.startswith("firestore")
    while not line.json("jobs", "list")["jobs"] or (has_workers and not line.json("workers")["workers"]):
        assert time.time() < deadline
        time.sleep(0.2)
    try:
        if has_workers:
            assert line.json("workers")["workers"][0]["name"] == "A"
            assert "A" in line.call("workers").stdout and "running" in line.call("status").stdout
        else:
            assert "No worker" in line.call("workers").stdout
        job = line.json("jobs", "schedule", "tick", "0 3 * * *", "--zone", "Europe/Berlin")
        assert job["schedule"] == "0 3 * * *" and job["timeZone"] == "Europe/Berlin"
        assert job["state"]["nextRun"][11:19] in ("02:00:00", "01:00:00")
        assert line.json("jobs", "disable", "tick")["enabled"] is False
        assert "no" in line.call("jobs", "show", "tick").stdout
        assert line.json("jobs", "enable", "tick")["enabled"] is True
        assert line.json("jobs", "pause", "tick")["paused"] is True
        assert "paused" not in line.json("jobs", "resume", "tick")
        job = line.json("jobs", "set", "tick", "maxConcurrent=3", "group=mail", "timeout=90s")
        assert job["configuration"]["maxConcurrent"] == 3 and job["group"] == "mail"
        assert "group" not in line.json("jobs", "set", "tick", "group=null")["configuration"]
        line.json("jobs", "set", "tick", "endAt=2099-01-01", "group=\x1b[31mred")
        shown = line.call("jobs", "show", "tick").stdout
        assert "2099-01-01\n" in shown and "\x1b" not in shown
        assert "cron" in line.call("jobs", "schedule", "tick", "61 * * * *", expect=64).stderr
        assert "maxConcurent" in line.call("jobs", "set", "tick", "maxConcurent=3", expect=64).stderr
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
    assert line.call("jobs", "unregister", "tick", expect=64).stderr.count("--yes") == 1
    assert line.json("jobs", "unregister", "tick", "--yes") == {"removed": "tick"}
    line.call("jobs", "show", "tick", expect=2)


def test_status_is_shown_again_until_it_is_interrupted(bin_dir, tmp_path):
    line = CommandLine(bin_dir, f"sqlite:{tmp_path / 'jobs.db'}")
    line.json("migrate")
    watching = line.start("status", "--watch", "--json", program="cloud-jobs")
    first = fitting("status", watching.stdout.readline())
    line.call("enqueue", "--count", "2", program="worker-demo")
    counts = [first["runs"]["pending"]["count"]]
    while counts[-1] < 2:
        counts.append(fitting("status", watching.stdout.readline())["runs"]["pending"]["count"])
    assert counts[0] == 0 and watching.poll() is None
    watching.send_signal(signal.SIGINT)
    assert watching.wait(10) != 0


def test_what_does_not_exist_and_what_is_wrong(line, tmp_path):
    if line.store.startswith("sqlite"):
        assert "There is no store" in line.call("status", expect=2).stderr
        assert not (tmp_path / "jobs.db").exists()
    line.call("migrate")
    assert "no run" in line.call("runs", "show", "0" * 64, expect=2).stderr
    assert "no job" in line.call("jobs", "enable", "nobody", expect=2).stderr
    assert "is no status" in line.call("runs", "list", "--status", "gone", expect=64).stderr
    assert "is no cursor" in line.call("runs", "list", "--cursor", "x", expect=64).stderr
    assert "is no time" in line.call("runs", "list", "--from", "now", expect=64).stderr
    assert "--limit" in line.call("runs", "list", "--limit", "0", expect=64).stderr
    assert "JobCommand.main" in line.call("trigger", "greet", expect=2).stderr
    for store in ("memory", "mysql://h", ""):
        assert "store" in line.call("status", "--store", store, expect=64).stderr.lower()
    line.environment.pop("CLOUD_JOBS_STORE")
    assert "--store" in line.call("status", expect=64).stderr
    line.call("migrate", "--store", f"sqlite:{tmp_path / 'no' / 'jobs.db'}", expect=1)
    assert line.call("status", "--store", "postgres://127.0.0.1:1/x", expect=1).stderr.startswith("Error: ")


MARCH = ("--from", "2026-03-01T00:00:00Z", "--days", "31")


@pytest.fixture
def with_jobs(line):
    """A store with the documents of a worker's jobs, and three recorded runs."""
    line.call("migrate")
    line.call("enqueue", "--count", "3", program="worker-demo")
    worker = line.start("work", "--name", "A")
    deadline = time.time() + 60
    # On Firestore, runs are delivered by Cloud Tasks, which has no service here: the job gets its document by hand.
    wanted = {"tick"} if line.store.startswith("firestore") else {"greet", "tick"}
    while not wanted <= {job["id"] for job in line.json("jobs", "list")["jobs"]}:
        assert time.time() < deadline
        time.sleep(0.2)
    worker.terminate()
    worker.wait(30)
    if line.store.startswith("firestore"):
        host, project = line.environment["FIRESTORE_EMULATOR_HOST"], line.store.removeprefix("firestore://")
        url = f"http://{host}/v1/projects/{project}/databases/(default)/documents/jobs?documentId=greet"
        request = urllib.request.Request(url, b'{"fields": {}}', {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).close()
    line.call("jobs", "schedule", "tick", "0 2 * * *", "--zone", "Europe/Berlin")
    return line


def test_forecast_of_a_store(with_jobs):
    """The figures of a month over each kind of store, with rates, changes and a budget."""
    line = with_jobs
    found = line.json("forecast", *MARCH, "--rate", "greet=1000/day")
    assert found["from"] == "2026-03-01T00:00:00Z" and found["to"] == "2026-04-01T00:00:00Z"
    is_cloud = line.store.startswith("firestore")
    assert found["deployment"] == ("cloudTasks" if is_cloud else "worker") and "before" not in found
    jobs = {job["name"]: job for job in found["jobs"]}
    # The clock change skips two o'clock of one night, whose run takes place all the same.
    assert jobs["tick"]["runs"] == 31 and jobs["tick"]["schedule"] == "0 2 * * *"
    assert jobs["greet"]["runs"] == pytest.approx(31_000) and jobs["greet"]["profile"]["enqueuedPerDay"] == 1000
    assert sum(found["hours"]) == pytest.approx(31_031) and len(found["hours"]) == 31 * 24
    lines = found["jobs"] + found["shared"]
    for name in ("runs", "requests", "taskOperations", "storeReads", "storeWrites", "vCPUSeconds"):
        assert found["total"][name] == pytest.approx(sum(part[name] for part in lines))
    assert sum(part["netCost"]["sum"] for part in lines) == pytest.approx(found["total"]["netCost"]["sum"])
    if is_cloud:
        assert jobs["greet"]["taskOperations"] >= 62_000 and found["total"]["cost"]["store"] > 0
        assert found["total"]["requests"] >= 31 * 1_440 + 31_000
    else:
        assert found["total"]["taskOperations"] == 0 and found["total"]["cost"]["store"] == 0
        assert found["total"]["vCPUSeconds"] == 31 * 86_400
    text = line.call("forecast", *MARCH, "--calendar", "--heat-map").stdout
    assert "tick" in text and "A month costs" in text and "March 2026, runs a day" in text and "Runs an hour" in text


def test_forecast_tries_changes_and_keeps_to_a_budget(with_jobs):
    line = with_jobs
    words = ("forecast", *MARCH, "--deployment", "cloud-tasks", "--rate", "greet=100000/day")
    found = line.json(*words, "--interval", "tick=5m", "--batch", "greet=10")
    before = {job["name"]: job for job in found["before"]["jobs"]}
    after = {job["name"]: job for job in found["jobs"]}
    assert (before["tick"]["runs"], after["tick"]["runs"]) == (31, 31 * 288)
    assert after["greet"]["runs"] == pytest.approx(before["greet"]["runs"] / 10)
    assert found["monthlyCost"] < found["before"]["monthlyCost"]
    assert "Before and after the change" in line.call(*words, "--interval", "tick=5m").stdout
    over = line.json(*words, "--budget", "0.01", expect=3)
    assert over["budget"] == {"amount": 0.01, "isExceeded": True} and over["monthlyCost"] > 0.01
    assert "is above the budget" in line.call(*words, "--budget", "0.01", expect=3).stdout
    assert line.json(*words, "--budget", "100000")["budget"]["isExceeded"] is False


def test_forecast_draws_names_herds_and_takes_prices(with_jobs, tmp_path):
    line = with_jobs
    picture = tmp_path / "month.svg"
    line.call("forecast", *MARCH, "--svg", str(picture), "--utc")
    root = ElementTree.parse(picture).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    cells = [rect for rect in root.iter("{http://www.w3.org/2000/svg}rect") if len(rect)]
    assert len(cells) == 31 + 31 * 24
    assert "2026-03-01" in ElementTree.tostring(root, encoding="unicode")
    line.call("forecast", "--svg", str(tmp_path / "no" / "month.svg"), expect=1)
    line.call("jobs", "set", "greet", "type=periodic", "cron=0 2 * * *", "timeZone=Europe/Berlin")
    herds = line.json("forecast", *MARCH)["collisions"]
    assert herds[0]["jobs"] == ["greet", "tick"] and herds[0]["count"] == 31 and herds[0]["isHerd"] is False
    move = herds[0]["spread"][0]
    assert move["suggested"] == f"{move['minutes']} 2 * * *"
    assert "Collision: 2 jobs" in line.call("forecast", *MARCH).stdout
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"currency": "EUR", "run": {"perVCPUSecond": 1, "freeVCPUSeconds": 0}}))
    dear = line.json("forecast", *MARCH, "--prices", str(prices))
    assert dear["prices"]["currency"] == "EUR" and dear["monthlyCost"] > 1_000
    own = line.json("forecast", *MARCH)["prices"]
    prices.write_text(json.dumps(own))
    assert line.json("forecast", *MARCH, "--prices", str(prices))["prices"] == own


def test_forecast_of_bad_inputs(with_jobs, tmp_path):
    line = with_jobs
    assert "no job nobody" in line.call("forecast", "--interval", "nobody=5m", expect=2).stderr
    assert "no job nobody" in line.call("forecast", "--rate", "nobody=5/day", expect=2).stderr
    for words in (
        ("--interval", "tick"),
        ("--interval", "tick=soon"),
        ("--interval", "tick=0s"),
        ("--interval", "greet=5m"),
        ("--batch", "greet=0"),
        ("--batch", "greet=many"),
        ("--rate", "greet=10/week"),
        ("--rate", "greet=-1/day"),
        ("--days", "0"),
        ("--days", "367"),
        ("--from", "today"),
        ("--budget", "-1"),
        ("--budget", "nan"),
        ("--deployment", "cloud"),
        ("--measure", "501"),
    ):
        assert line.call("forecast", *words, expect=64).stderr, words
    prices = tmp_path / "prices.json"
    assert "can't be read" in line.call("forecast", "--prices", str(prices), expect=2).stderr
    for text, field in (
        ("{", ""),
        ("[]", "prices"),
        ('{"tasks": {"perMilion": 1}}', "tasks.perMilion"),
        ('{"run": {"perVCPUSecond": "1"}}', "run.perVCPUSecond"),
        ('{"scheduler": {"perJob": -1}}', "scheduler.perJob"),
    ):
        prices.write_text(text)
        assert field in line.call("forecast", "--prices", str(prices), expect=64).stderr


def test_cron_is_explained(bin_dir):
    line = CommandLine(bin_dir, "memory")
    words = (
        "cron",
        "explain",
        "30 2 * * *",
        "--zone",
        "Europe/Berlin",
        "--after",
        "2026-03-27T00:00:00Z",
        "--next",
        "3",
    )
    found = line.json(*words)
    assert found["summary"] == "at 02:30, Europe/Berlin"
    assert [item["time"] for item in found["next"]] == [
        "2026-03-27T01:30:00Z",
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z",
    ]
    assert "note" in found["next"][2] and "note" not in found["next"][0]
    assert [change[:10] for change in found["clockChanges"]][0] == "2026-03-29"
    text = line.call(*words).stdout
    assert "2026-03-27 02:30:00 +01:00" in text and "Clock changes within a year:" in text
    assert line.call("cron", "explain", "61 * * * *", expect=64).stderr.startswith("Error: ")
    assert line.call("cron", "explain", "* * * * *", "--zone", "Mars/Base", expect=64).stderr.startswith("Error: ")
    assert line.json("cron", "explain", "5m", "--next", "1")["timeZone"] is None


def test_every_command_is_documented(bin_dir):
    """The page and the schema name each command that the program has."""
    page = (ROOT / "Documentation" / "command-line.md").read_text()
    for name in CommandLine(bin_dir, "memory").leaves():
        assert f"`{name.split()[0]}" in page, name
        assert name == "emulator" or name in SCHEMA["$defs"], name


def test_output_that_cannot_be_written_is_a_failure(bin_dir):
    line = CommandLine(bin_dir, "memory")
    command = [bin_dir / "cloud-jobs", "cron", "explain", "5m"]
    with open("/dev/full", "w") as full:
        answer = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, env=line.environment)
    assert answer.returncode == 1 and b"can't be written" in answer.stderr


def test_completions_and_colours(bin_dir):
    line = CommandLine(bin_dir, "memory")
    for shell in ("bash", "zsh", "fish"):
        script = line.call("--generate-completion-script", shell).stdout
        assert "dead-letters" in script and "succeeded" in script and "zoneinfo" in script
    assert "\x1b" not in line.call("cron", "explain", "5m").stdout
    # A program's completions and help have its own name.
    assert "_starter" in line.call("--generate-completion-script", "bash", program="starter").stdout
    assert "USAGE: starter doctor" in line.call("help", "doctor", program="starter").stdout


def test_lists_are_quick_and_paged_with_100_000_runs(line):
    """Firestore's emulator is left out: its time is not the store's."""
    if line.store.startswith("firestore"):
        pytest.skip("the time of Google's service can't be measured here")
    line.call("enqueue", "--count", "100000", program="worker-demo")
    for words in (
        ("runs", "list"),
        ("runs", "list", "--job", "greet", "--status", "pending"),
        ("dead-letters",),
        ("why", "greet"),
    ):
        spans = []
        for _ in range(5):
            begin = time.perf_counter()
            line.json(*words)
            spans.append(time.perf_counter() - begin)
        # The start of a debug build's process is in it.
        assert sorted(spans)[2] < 0.5, (words, spans)
    seen, cursor = set(), []
    for _ in range(4):
        page = line.json("runs", "list", "--limit", "500", *cursor)
        seen |= {run["id"] for run in page["runs"]}
        cursor = ["--cursor", page["next"]]
    assert len(seen) == 2_000
