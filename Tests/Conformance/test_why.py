"""`cloud-jobs why` over every kind of store, and over HTTP."""

import time


def test_a_job_is_explained_past_present_and_future(line):
    line.json("migrate")
    worker = line.start("work", "--name", "A")
    deadline = time.time() + 60
    while not (jobs := line.json("jobs", "list")["jobs"]) or "nextRun" not in jobs[-1]["state"]:
        assert time.time() < deadline
        time.sleep(0.2)
    worker.terminate()
    assert worker.wait(30) == 0
    line.json("jobs", "schedule", "tick", "0 3 * * *")
    due = line.json("why", "tick", "--at", "2099-01-01T03:00:00Z")
    assert (due["verdict"], due["cause"]) == ("willRun", "due")
    assert [gate["isOpen"] for gate in due["gates"]] == [True] * 7
    line.json("jobs", "disable", "tick")
    disabled = line.json("why", "tick", "--at", "2099-01-01T03:00:00Z")
    assert (disabled["verdict"], disabled["cause"]) == ("willNotRun", "skippedDisabled")
    assert disabled["gates"][0] == {
        "name": "enabled",
        "value": "false",
        "isOpen": False,
        "reason": "The job is disabled.",
    }
    assert "nextRun" not in disabled and disabled["remedies"] == ["Enable the job."]
    assert line.json("why", "tick", "--at", "2099-01-01T04:00:00Z")["cause"] == "notScheduled"
    text = line.call("why", "tick", "--at", "2099-01-01T03:00:00Z").stdout
    assert text.startswith("As things stand it will not run. The job is disabled.\n")
    assert "CLOSED" in text and "not before" not in text and "What would change it: Enable the job." in text


def test_a_run_is_explained(line):
    line.json("migrate")
    line.call("enqueue", "--count", "1", program="worker-demo")
    (run,) = line.json("runs", "list")["runs"]
    waiting = line.json("why", "--run", run["id"])
    is_queued = line.store.startswith("firestore")
    assert waiting["cause"] == ("waitingForDelivery" if is_queued else "waitingForWorker")
    line.json("runs", "cancel", run["id"], "--reason", "not today")
    cancelled = line.json("why", "--run", run["id"])
    assert (cancelled["verdict"], cancelled["cause"]) == ("cancelled", "cancelledByRequest")
    assert "not today" in cancelled["summary"]


def test_what_is_wrong(line):
    line.json("migrate")
    assert "no job" in line.call("why", "nobody", expect=2).stderr
    assert "no run" in line.call("why", "--run", "0" * 64, expect=2).stderr
    assert "is no time" in line.call("why", "tick", "--at", "now", expect=64).stderr
    assert "either a job or a run" in line.call("why", expect=64).stderr
    assert "--at" in line.call("why", "--run", "0" * 64, "--at", "2026-01-01T00:00:00Z", expect=64).stderr
