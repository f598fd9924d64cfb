"""The demo on emulated Firestore, Cloud Tasks and Cloud Scheduler: the same result as on SQLite."""

import subprocess
import time
import types
import urllib.parse

import pytest

from discovery import answered, faults_of
from inbox import LIMIT, expected, facts_of, make_inbox, report_of
from local_service import free_port
from recording_proxy import RecordingProxy
from repository import INDEXES


class Cloud:
    """An emulator over a data folder, on the same port after each restart, with the deployed Firestore indexes."""

    def __init__(self, command, folder):
        self.command, self.folder, self.port = command, folder, free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.command, "emulator", "--port", str(self.port), "--data", str(self.folder), "--indexes", str(INDEXES)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "ready" in self.process.stdout.readline()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def cloud(cloud_jobs, tmp_path):
    cloud = Cloud(cloud_jobs, tmp_path / "cloud")
    yield cloud
    cloud.kill()


def command(demo, inbox, data, cloud):
    return [
        str(demo), "--store", "firestore", "--queue", "cloud-tasks", "--emulator", f"127.0.0.1:{cloud.port}",
        "--inbox", str(inbox), "--data", str(data),
    ]  # fmt: skip


def test_the_same_end_as_on_sqlite(demo, cloud, tmp_path):
    inbox, on_google, on_sqlite = tmp_path / "in", tmp_path / "google", tmp_path / "sqlite"
    make_inbox(inbox, 300, seed=11)
    (inbox / "dangling").symlink_to("nowhere")
    subprocess.run(command(demo, inbox, on_google, cloud), check=True, capture_output=True, timeout=LIMIT)
    subprocess.run(
        [str(demo), "--inbox", str(inbox), "--data", str(on_sqlite)], check=True, capture_output=True, timeout=LIMIT
    )
    first, second = report_of(on_google), report_of(on_sqlite)
    assert first["files"] == second["files"] and first["deadLetters"] == second["deadLetters"]
    assert first["newRuns"] == second["newRuns"] == 301
    subprocess.run(command(demo, inbox, on_google, cloud), check=True, capture_output=True, timeout=LIMIT)
    assert report_of(on_google)["newRuns"] == 0


def test_the_emulator_killed_and_started_again_in_the_middle(demo, cloud, tmp_path):
    inbox, data = tmp_path / "in", tmp_path / "data"
    make_inbox(inbox, 500, seed=12)
    process = subprocess.Popen(command(demo, inbox, data, cloud), stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "ingest_file" in line:
            break
    cloud.kill()
    time.sleep(1)
    cloud.start()
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output[-2_000:]
    report = report_of(data)
    assert facts_of(report) == expected(inbox) and report["deadLetters"] == []


def test_what_our_own_clients_send_and_get(demo, cloud, tmp_path):
    """Every exchange of the runtime with the three services matches Google's discovery documents."""
    inbox, data = tmp_path / "in", tmp_path / "data"
    make_inbox(inbox, 60, seed=13)
    (inbox / "dangling").symlink_to("nowhere")
    proxy = RecordingProxy(f"http://127.0.0.1:{cloud.port}")
    try:
        through = types.SimpleNamespace(port=urllib.parse.urlsplit(proxy.url).port)
        for _ in range(2):
            subprocess.run(command(demo, inbox, data, through), check=True, capture_output=True, timeout=LIMIT)
    finally:
        proxy.close()
    assert report_of(data)["newRuns"] == 0
    exchanges = [exchange for exchange in proxy.exchanges if not exchange.path.startswith("/_emulator/")]
    assert [fault for exchange in exchanges for fault in faults_of(exchange, checks_request=True)] == []
    assert [exchange for exchange in exchanges if exchange.path.endswith(":runQuery") and exchange.status != 200] == []
    assert answered(exchanges) == {
        "cloudscheduler.projects.locations.jobs.create",
        "cloudscheduler.projects.locations.jobs.list",
        "cloudscheduler.projects.locations.jobs.patch",
        "cloudscheduler.projects.locations.jobs.run",
        "cloudtasks.projects.locations.queues.create",
        "cloudtasks.projects.locations.queues.list",
        "cloudtasks.projects.locations.queues.tasks.create",
        "firestore.projects.databases.documents.batchGet",
        "firestore.projects.databases.documents.commit",
        "firestore.projects.databases.documents.runQuery",
    }
