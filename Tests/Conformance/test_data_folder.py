"""The data folder: the emulator is killed at random points, and every acknowledged change survives."""

import collections
import http.client
import json
import random
import subprocess
import threading
import time

import pytest
from google.cloud import scheduler_v1, tasks_v2

from emulator_process import Emulator
from google_clients import LOCATION, client_of
from local_service import Recorder

QUEUE = f"{LOCATION}/queues/kept"
KILLS = 10
TASKS = 500


@pytest.fixture
def service():
    recorder = Recorder()
    yield recorder
    recorder.close()


class Process:
    """An emulator over a data folder that is killed and restarted, each time on another port."""

    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        self.start()

    def start(self):
        self.emulator = Emulator(self.command, "--data", str(self.folder))

    def crash(self):
        self.emulator.kill()
        self.start()

    def call(self, method, path, body=None, expect=200):
        status, answer = self.emulator.call(method, path, body)
        assert status == expect, (status, answer)
        return answer


@pytest.fixture
def process(cloud_jobs, tmp_path):
    process = Process(cloud_jobs, tmp_path / "data")
    yield process
    process.emulator.kill()


def task(url, name="", **fields):
    request = {"httpRequest": {"url": url, "body": "eA=="}, **fields}
    return {"task": {"name": f"{QUEUE}/tasks/{name}", **request} if name else request}


def test_no_acknowledged_task_is_lost_over_ten_kills(process, service):
    """A client creates 500 tasks and retries each until it is acknowledged, while the emulator is killed ten times."""
    draw = random.Random(7)
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE, "retryConfig": {"minBackoff": "0.05s"}})
    crashes = sorted(draw.sample(range(5, TASKS), KILLS))
    service.answer = lambda request: 500 if draw.random() < 0.1 else 200
    acknowledged = []
    for index in range(TASKS):
        if crashes and index == crashes[0]:
            crashes.pop(0)
            # The point of the kill depends on the machine: between requests, or during deliveries.
            time.sleep(draw.random() * 0.03)
            process.crash()
        name = f"t{index}"
        status, answer = process.emulator.call("POST", f"/v2/{QUEUE}/tasks", task(f"{service.url}/{name}", name))
        assert status in (200, 409), answer
        acknowledged.append(name)
    assert not crashes
    process.emulator.wait_until_idle()
    delivered = collections.Counter(request["path"][1:] for request in service.requests)
    lost = [name for name in acknowledged if not delivered[name]]
    assert lost == [], f"{len(lost)} acknowledged tasks were never delivered"
    assert process.call("GET", f"/v2/{QUEUE}/tasks") == {}


def test_a_kill_amid_a_request_loses_at_most_what_was_not_acknowledged(process, service):
    """Ten kills while another thread creates tasks; the test compares the state, not the deliveries."""
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE})
    process.call("POST", f"/v2/{QUEUE}:pause")
    draw = random.Random(11)
    acknowledged, total = set(), 0
    for crash in range(KILLS):
        stop = threading.Event()

        def create(stop=stop, crash=crash):
            connection = http.client.HTTPConnection(process.emulator.url.removeprefix("http://"), timeout=20)
            number = 0
            while not stop.is_set():
                name = f"c{crash}-{number}"
                try:
                    connection.request("POST", f"/v2/{QUEUE}/tasks", json.dumps(task(service.url, name)))
                    response = connection.getresponse()
                    response.read()
                except (OSError, http.client.HTTPException):
                    return
                if response.status == 200:
                    acknowledged.add(name)
                number += 1

        thread = threading.Thread(target=create)
        thread.start()
        time.sleep(0.05 + draw.random() * 0.1)
        process.crash()
        stop.set()
        thread.join()
        names, token = set(), ""
        while True:
            page = process.call("GET", f"/v2/{QUEUE}/tasks?pageSize=1000&pageToken={token}")
            names |= {listed["name"].split("/")[-1] for listed in page.get("tasks", [])}
            token = page.get("nextPageToken", "")
            if not token:
                break
        assert acknowledged <= names
        assert len(names) - len(acknowledged) <= crash + 1, "at most one unacknowledged request per crash"
        total = len(names)
    assert total > 50


def test_attempts_schedules_and_tombstones_survive(process, service):
    service.answer = lambda request: 503 if request["path"] == "/failing" else 200
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE, "retryConfig": {"minBackoff": "3000s"}})
    process.call("POST", f"/v2/{QUEUE}/tasks", task(f"{service.url}/failing", "failing"))
    process.call("POST", f"/v2/{QUEUE}/tasks", task(f"{service.url}/done", "done"))
    process.call("POST", f"/v2/{QUEUE}/tasks", task(service.url, "later", scheduleTime="2026-12-01T10:00:00.25Z"))
    service.wait_for(2)
    deadline = time.time() + 20
    failing = f"/v2/{QUEUE}/tasks/failing?responseView=FULL"
    while process.call("GET", failing).get("responseCount", 0) < 1 and time.time() < deadline:
        time.sleep(0.02)
    job = {"name": f"{LOCATION}/jobs/kept", "schedule": "0 0 1 1 *", "httpTarget": {"uri": service.url}}
    process.call("POST", f"/v1/{LOCATION}/jobs", job)
    process.call("POST", f"/v1/{LOCATION}/jobs/kept:pause")
    calls = [failing, f"/v2/{QUEUE}/tasks", f"/v2/{LOCATION}/queues", f"/v1/{LOCATION}/jobs"]
    before = [process.call("GET", call) for call in calls]
    assert before[0]["dispatchCount"] == 1
    process.crash()
    process.crash()
    assert [process.call("GET", call) for call in calls] == before
    process.call("POST", f"/v2/{QUEUE}/tasks", task(service.url, "done"), expect=409)
    assert len(service.requests) == 2, "completed tasks are not delivered again"


def test_documents_survive(process):
    documents = "projects/p/databases/(default)/documents"
    created = process.call("POST", f"/v1/{documents}/jobs?documentId=a", {"fields": {"n": {"integerValue": "1"}}})
    generated = process.call("POST", f"/v1/{documents}/jobs", {"fields": {}})
    write = {"update": {"name": f"{documents}/jobs/a", "fields": {"n": {"integerValue": "2"}}}}
    process.call("POST", f"/v1/{documents}:commit", {"writes": [write]})
    before = process.call("GET", f"/v1/{documents}/jobs")
    process.crash()
    assert process.call("GET", f"/v1/{documents}/jobs") == before
    after = process.call("GET", f"/v1/{documents}/jobs/a")
    assert after["fields"]["n"] == {"integerValue": "2"} and after["createTime"] == created["createTime"]
    assert generated["name"] in [document["name"] for document in before["documents"]]


def test_a_delivery_in_flight_is_made_again(process, service):
    gate = []
    service.answer = lambda request: 200 if gate else (time.sleep(3), 200)[1]
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE, "retryConfig": {"maxAttempts": 1}})
    process.call("POST", f"/v2/{QUEUE}/tasks", task(f"{service.url}/slow", "slow"))
    # The service holds its lock while it answers, so this reads without the lock.
    deadline = time.time() + 20
    while not service.requests and time.time() < deadline:
        time.sleep(0.01)
    gate.append(True)
    process.crash()
    service.wait_for(2, seconds=30)
    process.emulator.wait_until_idle()
    assert [request["headers"]["x-cloudtasks-taskretrycount"] for request in service.requests] == ["0", "0"]
    assert process.call("GET", f"/v2/{QUEUE}/tasks") == {}


def test_a_moved_clock_and_a_reset_survive(process, service):
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE})
    moved = process.call("POST", "/_emulator/advance?by=864000s")["now"]
    process.crash()
    assert process.call("POST", "/_emulator/advance?by=0s")["now"] >= moved
    process.call("POST", "/_emulator/reset")
    process.crash()
    assert process.call("GET", f"/v2/{LOCATION}/queues") == {}
    assert process.call("POST", "/_emulator/advance?by=0s")["now"] < moved


def test_a_torn_line_is_dropped_and_a_damaged_one_is_named(process, service):
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE})
    process.emulator.kill()
    journal = process.folder / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"at":17950')
    process.start()
    assert process.call("GET", f"/v2/{QUEUE}")["name"] == QUEUE
    process.emulator.kill()
    whole = journal.read_bytes()
    journal.write_bytes(whole + b"nonsense\n" + whole.splitlines(True)[-1])
    answer = run(process)
    assert answer.returncode != 0
    assert (
        f"Line {len(whole.splitlines()) + 1} of journal.jsonl is not record {len(whole.splitlines())} of the log"
        in answer.stderr
    )
    for damaged in (b"", whole.splitlines(True)[0], whole[:-2]):
        journal.write_bytes(damaged)
        answer = run(process)
        assert (
            answer.returncode != 0 and "journal.jsonl" in answer.stderr and "remove it to begin anew" in answer.stderr
        )
        assert journal.read_bytes() == damaged
    journal.write_bytes(whole)
    process.start()


def test_a_folder_belongs_to_one_process_and_one_set_of_options(process):
    answer = run(process)
    assert answer.returncode != 0 and "Another emulator uses" in answer.stderr
    process.emulator.kill()
    answer = run(process, "--task-tombstone", "5")
    assert answer.returncode != 0 and "taskTombstone" in answer.stderr
    process.start()


def test_the_folder_stays_small_however_much_happens(process, service):
    """Official clients send more than 30 MB, while the emulator is killed between and during compactions."""
    draw = random.Random(5)
    documents = "projects/p/databases/(default)/documents"
    largest, snapshots = 0, set()
    for part in range(3):
        tasks = client_of(tasks_v2.CloudTasksClient, process.emulator)
        if part == 0:
            tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE))
            tasks.pause_queue(name=QUEUE)
            job = scheduler_v1.Job(name=f"{LOCATION}/jobs/kept", schedule="0 0 1 1 *", http_target={"uri": service.url})
            client_of(scheduler_v1.CloudSchedulerClient, process.emulator).create_job(parent=LOCATION, job=job)
        for number in range(120):
            name = f"{QUEUE}/tasks/t{part}-{number}"
            body = draw.randbytes(50_000)
            request = tasks_v2.HttpRequest(url=f"{service.url}/{part}-{number}", body=body)
            tasks.create_task(parent=QUEUE, task=tasks_v2.Task(name=name, http_request=request))
            fields = {"n": {"integerValue": str(number)}, "x": {"stringValue": "x" * 500}}
            process.call("PATCH", f"/v1/{documents}/jobs/d{number % 20}", {"fields": fields})
            if number % 30:
                tasks.delete_task(name=name)
            files = sizes(process)
            largest = max(largest, sum(files.values()))
            snapshots |= {name for name in files if name.startswith("snapshot-") and name.endswith(".jsonl")}
        before = picture(process)
        process.crash()
        assert picture(process) == before
    assert len(before[1]["tasks"]) == 12 and len(before[3]["documents"]) == 20
    assert len(snapshots) >= 4, "too few measurements of the folder"
    assert largest < 20_000_000, f"the folder had {largest} bytes"
    tasks = client_of(tasks_v2.CloudTasksClient, process.emulator)
    tasks.resume_queue(name=QUEUE)
    process.emulator.wait_until_idle()
    assert sorted(request["path"] for request in service.requests) == sorted(
        f"/{part}-{number}" for part in range(3) for number in range(0, 120, 30)
    )


def sizes(process):
    """Returns the sizes of the files in the data folder, without files that disappear meanwhile."""
    sizes = {}
    for file in process.folder.iterdir():
        try:
            sizes[file.name] = file.stat().st_size
        except FileNotFoundError:
            pass
    return sizes


def picture(process):
    documents = "projects/p/databases/(default)/documents"
    calls = [
        f"/v2/{LOCATION}/queues",
        f"/v2/{QUEUE}/tasks?responseView=FULL&pageSize=1000",
        f"/v1/{LOCATION}/jobs",
        f"/v1/{documents}/jobs?pageSize=300",
    ]
    return [process.call("GET", call) for call in calls]


def test_a_reset_leaves_nothing_of_before_in_the_folder(process):
    process.call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE})
    process.call("POST", f"/v2/{QUEUE}:pause")
    for number in range(20):
        body = {"task": {"name": f"{QUEUE}/tasks/t{number}", "httpRequest": {"url": "http://h/", "body": "A" * 40_000}}}
        process.call("POST", f"/v2/{QUEUE}/tasks", body)
    process.call("POST", "/_emulator/reset")
    deadline = time.time() + 20
    while (process.folder / "journal.jsonl").exists() and time.time() < deadline:
        time.sleep(0.01)
    files = sizes(process)
    assert {"snapshot-1.jsonl", "journal-1.jsonl"} <= set(files) and sum(files.values()) < 10_000, files
    process.crash()
    assert process.call("GET", f"/v2/{LOCATION}/queues") == {}


def run(process, *options):
    command = [process.command, "emulator", "--port", "0", "--data", str(process.folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)
