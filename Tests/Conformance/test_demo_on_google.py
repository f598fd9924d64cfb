"""The demo on Firestore, Cloud Tasks and Cloud Scheduler, emulated by another process: the same end as on SQLite."""

import socket
import subprocess
import time

import pytest
from test_inbox_demo import LIMIT, demo, expected, facts_of, make_inbox, report_of  # noqa: F401


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cloud:
    """An emulator at one port for all its lives, over a data folder."""

    def __init__(self, command, folder):
        self.command, self.folder, self.port = command, folder, free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.command, "emulator", "--port", str(self.port), "--data", str(self.folder)],
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


def command(demo, inbox, data, cloud):  # noqa: F811
    return [
        str(demo), "--store", "firestore", "--queue", "cloud-tasks", "--emulator", f"127.0.0.1:{cloud.port}",
        "--inbox", str(inbox), "--data", str(data),
    ]  # fmt: skip


def test_the_same_end_as_on_sqlite(demo, cloud, tmp_path):  # noqa: F811
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


def test_the_emulator_killed_and_started_again_in_the_middle(demo, cloud, tmp_path):  # noqa: F811
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
