"""The programs under bad conditions: wrong options, a closed console, a full disk, damaged files."""

import json
import os
import pathlib
import resource
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

LIMIT = 60


def run(command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=LIMIT, **more)


def make_inbox(folder: pathlib.Path, count: int) -> pathlib.Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"file-{number}.txt").write_text(f"{number}\n" * number)
    return folder


WRONG_EMULATOR_OPTIONS = [
    ("--port", "70000"),
    ("--port", "-1"),
    ("--port", "http"),
    ("--host", "http://127.0.0.1"),
    ("--host", "127.0.0.256"),
    ("--host", ""),
    ("--host", "a b"),
    ("--push", "bad=ftp://x"),
    ("--push", "projects/p/topics/t=ftp://x"),
    ("--push", "projects/p/topics/t=http://"),
    ("--push", "projects/p/topics/t=127.0.0.1:80"),
    ("--push", "projects/p/topics=http://127.0.0.1"),
    ("--push", "projects/p/topics/t"),
    ("--app-engine-origin", "nonsense"),
    ("--app-engine-origin", "ftp://127.0.0.1"),
    ("--app-engine-origin", "http://127.0.0.1/path"),
    ("--app-engine-origin", ""),
    ("--issuer", ""),
    ("--issuer", "two words"),
    ("--resolve", "worker.test=127.0.0.1"),
    ("--resolve", "worker.test:80=worker"),
    ("--resolve", "worker.test:80="),
    ("--resolve", "worker.test:0=127.0.0.1"),
    ("--resolve", "=127.0.0.1"),
    ("--resolve", "nonsense"),
    ("--allow-host", "http://worker.test"),
    ("--allow-host", "worker.test:80"),
    ("--allow-host", ""),
    ("--allow-host", "*.test"),
    ("--task-tombstone", "-1"),
    ("--task-tombstone", "9223372036854775807"),
    ("--queue-tombstone", "9223372036854775807"),
    ("--queues-location", "nonsense"),
    ("--seed", "-1"),
]


@pytest.mark.parametrize("option, value", WRONG_EMULATOR_OPTIONS)
def test_the_emulator_refuses_a_wrong_option_by_name(cloud_jobs, option, value):
    result = run([cloud_jobs, "emulator", "--port=0", f"{option}={value}"])
    assert result.returncode == 64, result.stderr
    assert option in result.stderr.splitlines()[0] and result.stdout == ""
    assert "Fatal error" not in result.stderr


def test_the_emulator_takes_good_options(cloud_jobs):
    options = {
        "--host": "localhost",
        "--push": "projects/p/topics/t=https://push.test:8443/a?b=c",
        "--app-engine-origin": "http://127.0.0.1:8080",
        "--issuer": "https://accounts.google.com",
        "--resolve": "worker.test:80=::1",
        "--allow-host": "worker.test",
        "--task-tombstone": "0",
    }
    command = [str(cloud_jobs), "emulator", "--port=0", "--allow-host=*", "--allow-host=192.0.2.1"]
    command += [f"{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert "is ready at" in process.stdout.readline()
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize(
    "option, text, place",
    [
        ("--indexes", '{"indexes":\n[\n}', ":3"),
        ("--indexes", '{"indexes": 7}', ""),
        ("--indexes", None, ""),
        ("--queues", '[\n{"name": "a"},\n{"name" "b"}]', ":3"),
        ("--queues", "queue:\n- name: mail\n  rate: often\n", "3"),
        ("--queues", None, ""),
    ],
)
def test_an_error_in_a_file_names_the_file(cloud_jobs, tmp_path, option, text, place):
    file = tmp_path / "some file"
    if text is not None:
        file.write_text(text)
    result = run([cloud_jobs, "emulator", "--port", "0", option, file])
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert str(file) + (place if place.startswith(":") else "") in result.stderr and option in result.stderr
    assert place in result.stderr


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--port", "70000"], "--port"),
        (["--port", "-1"], "--port"),
        (["--emulator-port", "70000"], "--emulator-port"),
        (["--emulator", "nonsense:port"], "--emulator"),
        (["--emulator", "http://127.0.0.1:80/path"], "--emulator"),
        (["--store", "firestore"], "--emulator"),
        (["--store", "nonsense"], "--store"),
        (["--emulator", "127.0.0.1:1", "--emulator-port", "8123"], "--emulator-port"),
    ],
)
def test_the_demo_refuses_a_wrong_option_by_name(demo, tmp_path, arguments, word):
    result = run([demo, "--data", tmp_path / "data", *arguments])
    assert result.returncode == 64, result.stderr
    assert word in result.stderr.splitlines()[0] and result.stdout == ""


@pytest.mark.parametrize("port", ["70000", "-1", "http", "80 "])
def test_the_demo_refuses_a_wrong_port_of_the_environment(demo, tmp_path, port):
    result = run([demo, "--data", tmp_path / "data"], env={**os.environ, "PORT": port})
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1 and "PORT" in result.stderr


def closed(number):
    return lambda: os.close(number)


@pytest.mark.parametrize("console", ["reader gone", "full", "closed", "all closed"])
def test_the_demo_works_on_without_a_console(demo, tmp_path, console):
    inbox = make_inbox(tmp_path / "in", 20)
    command = [str(demo), "--inbox", str(inbox), "--data", str(tmp_path / "data")]
    if console == "reader gone":
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
    elif console == "full":
        with open("/dev/full", "wb") as full:
            process = subprocess.Popen(command, stdout=full)
    else:
        redirections = ">&-" if console == "closed" else "<&- >&- 2>&-"
        process = subprocess.Popen(["sh", "-c", f'exec "$@" {redirections}', "sh", *command])
    assert process.wait(timeout=LIMIT) == 0
    report = json.loads((tmp_path / "data" / "report.json").read_text())
    assert len(report["files"]) == 20
    # No log line was written to a file that reused the descriptor of a closed stream.
    assert (tmp_path / "data" / "lock").read_bytes() == b""


def test_the_emulator_works_on_without_a_console(cloud_jobs, tmp_path):
    command = [str(cloud_jobs), "emulator", "--port", "0", "--data", str(tmp_path / "data")]
    process = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command])
    deadline = time.time() + 20
    while not (tmp_path / "data" / "lock").exists() and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.terminate()
    assert process.wait(timeout=20) == 0
    assert all(b"emulator is ready" not in file.read_bytes() for file in (tmp_path / "data").iterdir())


def test_files_that_hold_inputs_are_their_owners_alone(demo, tmp_path):
    data = tmp_path / "data"
    command = ["sh", "-c", 'umask 022; exec "$@"', "sh", demo, "--data", data, "--stay"]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "Serving until" in line:
            break
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in data.iterdir() if file.is_file()}
    process.terminate()
    process.communicate(timeout=30)
    assert modes == {name: 0o600 for name in ("jobs.db", "jobs.db-wal", "jobs.db-shm", "lock", "report.json")}


def test_a_full_disk_is_told_once_and_again_when_it_is_over(demo, tmp_path):
    inbox, data = make_inbox(tmp_path / "in", 10), tmp_path / "data"
    process = subprocess.Popen(
        [str(demo), "--inbox", str(inbox), "--data", str(data), "--stay"], stdout=subprocess.PIPE, text=True
    )
    os.set_blocking(process.stdout.fileno(), False)
    lines = []

    def wait_for(word, seconds):
        deadline = time.time() + seconds
        while time.time() < deadline:
            lines.extend(process.stdout.readlines())
            if any(word in line for line in lines):
                return
            time.sleep(0.05)
        raise AssertionError(f"no line with {word!r} within {seconds} s: {''.join(lines)[-2_000:]}")

    wait_for("Serving until", 60)
    # A limit on the size of files stands for a full disk.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    (inbox / "late.txt").write_text("late\n")
    wait_for("The store can't be written", 15)
    time.sleep(4)
    lines.extend(process.stdout.readlines())
    assert sum("The store can't be written" in line for line in lines) == 1
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for("The store can be written again", 15)
    wait_for("late.txt", 30)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_runs_that_cannot_be_read_are_counted(demo, tmp_path):
    inbox, data = make_inbox(tmp_path / "in", 30), tmp_path / "data"
    assert run([demo, "--inbox", inbox, "--data", data]).returncode == 0
    with sqlite3.connect(data / "jobs.db") as database:
        database.execute(
            "UPDATE runs SET document = '{' WHERE id IN (SELECT id FROM runs WHERE job = 'ingest_file' LIMIT 7)"
        )
        # A run that was still waiting when its document was damaged: the demo must not wait for it.
        database.execute(
            "UPDATE runs SET status = 'pending' WHERE id IN "
            "(SELECT id FROM runs WHERE job = 'ingest_file' AND document = '{' LIMIT 1)"
        )
    result = run([demo, "--inbox", inbox, "--data", data])
    assert result.returncode == 1, result.stdout
    assert "7 stored runs can't be read" in result.stdout and "Files ingested in all: 23." in result.stdout
    assert json.loads((data / "report.json").read_text())["unreadableRuns"] == 7


def start_up_failures(tmp_path, bin_dir):
    """Returns commands that fail at start-up, after the HTTP client's library was loaded."""
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "jobs.db").write_bytes(b"SQLite format 3\0" + b"\x10" * 40)
    locked = tmp_path / "journal"
    locked.mkdir()
    (locked / "lock").mkdir()
    return {
        "damaged database": [bin_dir / "inbox-demo", "--data", damaged],
        "unusable folder": [bin_dir / "cloud-jobs", "emulator", "--port", "0", "--data", locked],
        "unknown project": [bin_dir / "cloud-run-service"],
    }


@pytest.mark.parametrize("what", ["damaged database", "unusable folder", "unknown project"])
def test_a_failed_start_ends_in_order_every_time(bin_dir, tmp_path, what):
    command = [str(part) for part in start_up_failures(tmp_path, bin_dir)[what]]
    environment = {"PATH": os.environ["PATH"], "SERVICE_URL": "https://jobs.example", "CALLER": "a@b.example"}
    if what == "unknown project":
        environment |= {f"{name}_EMULATOR_HOST": "nonsense:" for name in ("FIRESTORE", "CLOUD_TASKS")}
    times = int(os.environ.get("CLOUD_JOBS_STARTS", "60"))
    codes = {}
    for _ in range(times):
        result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
        codes[result.returncode] = codes.get(result.returncode, 0) + 1
    if what == "unknown project":
        # An error that escapes an entry point traps; a crash of the library would be one of these two signals.
        assert 0 not in codes and -signal.SIGSEGV not in codes and -signal.SIGABRT not in codes, codes
    else:
        assert codes == {1: times}, result.stderr
        assert len(result.stderr.splitlines()) == 1, result.stderr
