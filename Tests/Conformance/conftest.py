"""The fixtures of the conformance tests."""

import os
import pathlib
import signal
import sys
import uuid

import pytest
from google.cloud import scheduler_v1, tasks_v2

from browser import Browser
from command_line import KINDS, lines_over_stores
from emulator_process import Emulator
from google_clients import LOCATION, TRANSPORTS, client_of
from local_service import Recorder
from postgres_server import PostgresServer
from repository import ROOT

# What a shell starts in the background ignores SIGINT, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The builder of the documentation, parts of which the tests use.
sys.path.insert(0, str(ROOT / "infra" / "documentation"))


@pytest.fixture(scope="session")
def bin_dir() -> pathlib.Path:
    """The folder with the built executables: the output of `swift build --show-bin-path`."""
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
    assert emulator.stop() == 0, "SIGTERM ends the emulator with status 0"


@pytest.fixture
def recorder(emulator):
    recorder = Recorder()
    yield recorder
    emulator.call("POST", "/_emulator/reset")
    recorder.close()


@pytest.fixture(scope="session", params=TRANSPORTS)
def transport(request):
    """How the official clients speak to the emulator."""
    return request.param


@pytest.fixture(scope="session")
def tasks(emulator, transport):
    return client_of(tasks_v2.CloudTasksClient, emulator, transport)


@pytest.fixture(scope="session")
def scheduler(emulator, transport):
    return client_of(scheduler_v1.CloudSchedulerClient, emulator, transport)


@pytest.fixture
def make_queue(tasks):
    def make(**fields):
        name = f"{LOCATION}/queues/q-{uuid.uuid4().hex[:12]}"
        return tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=name, **fields))

    return make


@pytest.fixture
def demo(bin_dir):
    """The path of `inbox-demo`."""
    tool = bin_dir / "inbox-demo"
    assert tool.is_file(), f"{tool} is missing: run `make conformance`, which builds it."
    return tool


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=KINDS)
def line(request, bin_dir, cloud_jobs, tmp_path):
    """The command line over a store of each kind."""
    yield from lines_over_stores(request, bin_dir, cloud_jobs, tmp_path)


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; a second one at a time, or a test's own event loop beside it, is refused."""
    browser = Browser()
    yield browser
    browser.close()
