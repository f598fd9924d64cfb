"""What the conformance tests share: executables, a running emulator, a recording service, Google's own clients."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid

import pytest
from local_service import LocalService

LOCATION = "projects/p/locations/europe-west1"
ROOT = pathlib.Path(__file__).parents[2]
# The indexes that the guides deploy.
INDEXES = ROOT / "infra" / "firestore.indexes.json"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Emulator:
    """The process `cloud-jobs emulator`, with its address taken from its first line."""

    def __init__(self, command, *arguments):
        self.process = subprocess.Popen(
            [command, "emulator", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
        )
        self.ready_line = self.process.stdout.readline()
        self.url = self.ready_line.split()[-1]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def wait_until_idle(self):
        assert self.call("GET", "/_emulator/idle?timeout=60s") == (200, {"idle": True})

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=15)

    def kill(self):
        """Ends the process as a crash would: with SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=15)
        self.process.stdout.close()


class Recorder(LocalService):
    """A service that keeps each request and answers as `answer` says: a status, or (status, headers)."""

    def __init__(self):
        self.requests = []
        self.answer = lambda request: 200
        self.lock = threading.Lock()
        super().__init__(self.respond)

    def respond(self, request, body):
        kept = {
            "method": request.command,
            "path": request.path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body,
            "time": time.time(),
        }
        with self.lock:
            self.requests.append(kept)
            answer = self.answer(kept)
        status, fields = answer if isinstance(answer, tuple) else (answer, {})
        return status, fields, b""

    def wait_for(self, count, seconds=20):
        deadline = time.time() + seconds
        while time.time() < deadline:
            with self.lock:
                if len(self.requests) >= count:
                    return list(self.requests)
            time.sleep(0.01)
        raise AssertionError(f"{len(self.requests)} of {count} deliveries came within {seconds} s")


@pytest.fixture(scope="session")
def bin_dir() -> pathlib.Path:
    """The folder with the built executables, as `swift build --show-bin-path` prints it."""
    folder = os.environ.get("CLOUD_JOBS_BIN_DIR")
    if not folder:
        pytest.fail("CLOUD_JOBS_BIN_DIR is not set: run `make conformance`, which builds the executables first.")
    return pathlib.Path(folder)


@pytest.fixture(scope="session")
def cloud_jobs(bin_dir: pathlib.Path) -> pathlib.Path:
    """The command-line tool."""
    tool = bin_dir / "cloud-jobs"
    assert tool.is_file(), f"{tool} is missing: run `make conformance`, which builds it."
    return tool


@pytest.fixture(scope="session")
def emulator(cloud_jobs):
    emulator = Emulator(cloud_jobs)
    yield emulator
    assert emulator.stop() == 0, "SIGTERM should end the emulator in good order"


@pytest.fixture
def recorder(emulator):
    recorder = Recorder()
    yield recorder
    emulator.call("POST", "/_emulator/reset")
    recorder.close()


def client_of(kind, emulator):
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials

    return kind(
        transport="rest", credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=emulator.url)
    )


@pytest.fixture(scope="session")
def tasks(emulator):
    from google.cloud import tasks_v2

    return client_of(tasks_v2.CloudTasksClient, emulator)


@pytest.fixture(scope="session")
def scheduler(emulator):
    from google.cloud import scheduler_v1

    return client_of(scheduler_v1.CloudSchedulerClient, emulator)


@pytest.fixture
def make_queue(tasks):
    from google.cloud import tasks_v2

    def make(**fields):
        name = f"{LOCATION}/queues/q-{uuid.uuid4().hex[:12]}"
        return tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=name, **fields))

    return make
