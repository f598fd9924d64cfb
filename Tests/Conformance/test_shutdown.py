"""SIGTERM and SIGINT: every program ends within nine seconds and loses nothing, whatever is in progress."""

import concurrent.futures
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.request

import pytest

from emulator_process import Emulator
from local_service import free_port

LIMIT = 9.0
SIGNALS = [signal.SIGTERM, signal.SIGINT]
# Work in progress when the signal arrives. A service has handlers, an emulator has deliveries and long polls.
ALWAYS = ["idle", "keep-alive", "partial head", "partial body"]
SITUATIONS = {
    "inbox-demo": [*ALWAYS, "slow handler", "long poll", "hanging delivery"],
    "emulator": [*ALWAYS, "long poll", "hanging delivery"],
    "emulator --data": ["long poll", "hanging delivery"],
    "slow-service": [*ALWAYS, "slow handler", "stubborn handler", "three stubborn handlers"],
    "cloud-run-service": ALWAYS,
}
SHUT_DOWN = "The instance shut down during attempt 1."


def connect(port, data=b""):
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(data)
    return connection


def request(method, path, body=b"", length=None):
    length = len(body) if length is None else length
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + body


def silent_target():
    """A port that accepts connections and never responds."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def is_open(port):
    try:
        connect(port).close()
        return True
    except OSError:
        return False


class Program:
    """A process of a program, its port, and its database if it has one."""

    def __init__(self, name, bin_dir, folder, situation):
        self.database, self.emulator, self.emulator_port = None, None, None
        self.port = free_port()
        environment = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(self.port)}
        if name == "inbox-demo":
            self.emulator_port = free_port()
            inbox = folder / "inbox"
            inbox.mkdir()
            with open(inbox / "file", "wb") as file:
                file.truncate(6 << 30 if situation == "slow handler" else 1)
            self.database = folder / "data" / "jobs.db"
            command = ["--data", folder / "data", "--inbox", inbox, "--stay"]
            command += ["--emulator-port", str(self.emulator_port)]
        elif name.startswith("emulator"):
            self.emulator_port = self.port
            command = ["emulator", "--port", str(self.port)]
            command += ["--data", folder / "state"] if name.endswith("--data") else []
            name = "cloud-jobs"
        elif name == "slow-service":
            self.database = folder / "jobs.db"
            command = [self.database]
        else:
            self.emulator = Emulator(bin_dir / "cloud-jobs")
            address = self.emulator.url.removeprefix("http://")
            services = ["FIRESTORE", "CLOUD_TASKS", "CLOUD_SCHEDULER"]
            environment |= {f"{service}_EMULATOR_HOST": address for service in services}
            environment |= {"SERVICE_URL": f"http://127.0.0.1:{self.port}", "CALLER": "c@p.iam.gserviceaccount.com"}
            environment |= {"REGION": "europe-west1", "GOOGLE_CLOUD_PROJECT": "my-project"}
            command = []
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([bin_dir / name, *command], env=environment, stdout=self.log, stderr=self.log)
        wait_for(lambda: is_open(self.emulator_port or self.port) and is_open(self.port))

    def runs(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20) as database:
            return [json.loads(row[0]) for row in database.execute("SELECT document FROM runs")]

    def running(self, job, count=1):
        return wait_for(lambda: sum(run["job"] == job and run["status"] == "running" for run in self.runs()) >= count)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        if self.emulator:
            self.emulator.stop()


def post(port, path, body):
    data = json.dumps(body).encode()
    call = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(call, timeout=20) as response:
        return json.load(response)


def hang_a_delivery(port):
    """Creates a task whose target accepts the connection and never responds; advancing the time waits for it."""
    listener, target = silent_target()
    queue = "projects/p/locations/europe-west1/queues/hanging"
    post(port, "/v2/projects/p/locations/europe-west1/queues", {"name": queue})
    url = f"http://127.0.0.1:{target}/"
    post(port, f"/v2/{queue}/tasks", {"task": {"httpRequest": {"url": url}, "dispatchDeadline": "600s"}})
    listener.settimeout(20)
    delivery, _ = listener.accept()
    return [listener, delivery, connect(port, request("POST", "/_emulator/advance?by=3600s"))]


def bring_about(situation, program):
    """Starts the work that must be in progress, and returns it."""
    port = program.port
    jobs = {"slow handler": ["slow"], "stubborn handler": ["stubborn"], "three stubborn handlers": ["stubborn"] * 3}
    if situation == "idle":
        return []
    if situation == "keep-alive":
        connection = connect(port, request("GET", "/jobs/health"))
        assert connection.recv(65_536)
        return [connection]
    if situation == "partial head":
        return [connect(port, b"POST /jobs/trigger HTTP/1.1\r\nHo")]
    if situation == "partial body":
        return [connect(port, request("POST", "/jobs/trigger", b"{", length=1_000))]
    if situation == "long poll":
        return [*hang_a_delivery(program.emulator_port)][:2] + [
            connect(program.emulator_port, request("GET", "/_emulator/idle?timeout=3600s"))
        ]
    if situation == "hanging delivery":
        return hang_a_delivery(program.emulator_port)
    if program.emulator_port:
        program.running("ingest_file")
        return []
    names = jobs[situation]
    body = [json.dumps({"jobId": name}).encode() for name in names]
    connections = [connect(port, request("POST", "/jobs/trigger", text)) for text in body]
    # With fewer threads than handlers, the last handlers never start.
    program.running(names[0])
    time.sleep(0.5)
    return connections


def what_became(program, situation):
    """Describes the runs that were in progress, by their documents."""
    if not program.database or "handler" not in situation:
        return "-"
    runs = [run for run in program.runs() if run["job"] in ("slow", "stubborn", "ingest_file")]
    for run in runs:
        assert run["status"] == "scheduled" and "lease" not in run, run
        assert run["reason"] == SHUT_DOWN and run["attempt"] == 1 and run["failures"] == 0, run
    return f"{len(runs)} handed back: {SHUT_DOWN}"


def measure(name, situation, number, bin_dir, folder):
    folder.mkdir()
    program = Program(name, bin_dir, folder, situation)
    try:
        opened = bring_about(situation, program)
        time.sleep(0.3)
        begin = time.monotonic()
        program.process.send_signal(number)
        try:
            status = program.process.wait(timeout=LIMIT + 6)
        except subprocess.TimeoutExpired:
            status = "lives"
        span = time.monotonic() - begin
        for each in opened:
            each.close()
        run = what_became(program, situation)
        return name, situation, number.name, status, span, run
    except Exception as error:
        return name, situation, number.name, "fault", 99.0, repr(error)
    finally:
        program.close()


def test_every_program_ends_in_time_whatever_is_open(bin_dir, tmp_path):
    rows = [(name, what, number) for name, list_ in SITUATIONS.items() for what in list_ for number in SIGNALS]
    with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
        results = list(pool.map(lambda row: measure(*row[1], bin_dir, tmp_path / str(row[0])), enumerate(rows)))
    print(f"\n{'program':18} {'open':24} {'signal':8} {'status':6} {'seconds':>7}  run")
    for name, situation, number, status, span, run in results:
        print(f"{name:18} {situation:24} {number:8} {status!s:6} {span:7.2f}  {run}")
    bad = [row for row in results if row[3] != 0 or row[4] > LIMIT]
    assert not bad, bad
    given_back = [row[5] for row in results if "handler" in row[1]]
    assert all("handed back" in run and not run.startswith("0") for run in given_back), given_back


@pytest.mark.parametrize("name, situation", [("slow-service", "stubborn handler"), ("emulator", "long poll")])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_a_program_at_once(bin_dir, tmp_path, name, situation, number):
    program = Program(name, bin_dir, tmp_path, situation)
    try:
        opened = bring_about(situation, program)
        # The program must know of the work in progress when the first signal arrives.
        time.sleep(0.3)
        # The emulator would end within a second, so the second signal follows at once.
        pause = 0.4 if name == "emulator" else 1.0
        program.process.send_signal(signal.SIGTERM)
        time.sleep(pause)
        begin = time.monotonic()
        program.process.send_signal(number)
        assert program.process.wait(timeout=5) == 128 + number
        assert time.monotonic() - begin < 1
        for each in opened:
            each.close()
    finally:
        program.close()


def test_the_same_signal_twice_in_one_moment_is_one(bin_dir, tmp_path):
    # GNU timeout sends the signal both to the process and to its group.
    program = Program("emulator", bin_dir, tmp_path, "idle")
    try:
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.002)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(timeout=LIMIT) == 0
    finally:
        program.close()


def test_while_it_drains_a_service_answers_503_and_health_says_so(bin_dir, tmp_path):
    program = Program("slow-service", bin_dir, tmp_path, "slow handler")
    try:
        opened = bring_about("slow handler", program)
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with connect(program.port, request("POST", "/jobs/trigger", b'{"jobId":"greet"}')) as connection:
            answer = connection.recv(65_536)
        assert b" 503 " in answer.split(b"\r\n")[0] and b"shuttingDown" in answer
        with connect(program.port, request("GET", "/jobs/health")) as connection:
            assert b"draining" in connection.recv(65_536)
        assert program.process.wait(timeout=LIMIT) == 0
        # The caller of the interrupted attempt learns that the run continues.
        assert SHUT_DOWN.encode() in opened[0].recv(65_536)
    finally:
        program.close()


@pytest.mark.parametrize(
    "environment, words",
    [
        ({"PORT": "{taken}"}, "Port {taken} is in use. Stop the other program, or set PORT to another."),
        ({"PORT": "http"}, "PORT must be a number from 0 to 65535."),
        ({"HOST": "0.0.0.0"}, "Binding 0.0.0.0 needs an authentication"),
        ({"HOST": "127.0.0.1", "DATABASE": "/nowhere/jobs.db"}, "/nowhere"),
    ],
)
def test_an_error_at_the_start_is_one_line_with_its_remedy(bin_dir, tmp_path, environment, words):
    listener, taken = silent_target()
    environment = {name: value.format(taken=taken) for name, value in environment.items()}
    database = environment.pop("DATABASE", str(tmp_path / "jobs.db"))
    command = [bin_dir / "slow-service", database]
    environment = {"PORT": "0"} | environment
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    listener.close()
    lines = [line for line in result.stderr.splitlines() if line]
    assert result.returncode == 1 and len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ") and words.format(taken=taken) in lines[0], lines


def test_the_emulator_names_a_port_that_is_in_use(bin_dir):
    listener, taken = silent_target()
    result = subprocess.run(
        [bin_dir / "cloud-jobs", "emulator", "--port", str(taken)], capture_output=True, text=True, timeout=30
    )
    listener.close()
    assert result.returncode == 1
    assert f"Port {taken} is in use. Stop the other program, or choose another with --port." in result.stderr


def test_acknowledged_changes_outlive_the_shutdown_of_an_emulator_with_data(bin_dir, tmp_path):
    stop = threading.Event()
    program = Program("emulator --data", bin_dir, tmp_path, "idle")
    acknowledged = []

    def write():
        for number in range(10_000):
            if stop.is_set():
                return
            queue = f"projects/p/locations/europe-west1/queues/q{number}"
            try:
                post(program.port, "/v2/projects/p/locations/europe-west1/queues", {"name": queue})
            except Exception:
                return
            acknowledged.append(queue)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(lambda: len(acknowledged) > 20)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(timeout=LIMIT) == 0
    finally:
        stop.set()
        writer.join()
        program.close()
    (tmp_path / "again").mkdir()
    second = Emulator(bin_dir / "cloud-jobs", "--data", str(tmp_path / "state"))
    try:
        for queue in acknowledged:
            assert second.call("GET", f"/v2/{queue}")[0] == 200, queue
    finally:
        assert second.stop() == 0
