"""Every subcommand over stores that can't be used, a closed pipe and a narrow terminal: an error, and no trace."""

import fcntl
import os
import pty
import re
import sqlite3
import struct
import subprocess
import termios

import pytest

from command_line import CommandLine

# Commands without a store; `emulator` and `init` have tests of their own.
WITHOUT_STORE = {"cron explain", "init", "infra", "emulator"}
# They bring an older schema to this version.
MIGRATING = {"migrate", "worker", "serve"}
# They go on until a signal.
ENDLESS = {"worker", "serve", "dashboard"}
GOOGLE = ("--project", "p", "--location", "europe-west1", "--service-url", "https://jobs.example")
TRACES = re.compile(r"Fatal error|Thread \d+ crashed|stack|Swift/|0x[0-9a-f]{8}|StoreError|JobError\(")
CODES = {0, 1, 2, 64}


@pytest.fixture(scope="session")
def commands(bin_dir):
    """The words of each command that has a store, in the order of the program's help."""
    leaves = CommandLine(bin_dir, "memory").leaves()
    samples = {"job": "greet", "run": "0" * 64, "runs": "0" * 64, "schedule": "5m", "fields": "group=mail"}
    found = {}
    for name, command in leaves.items():
        if name in WITHOUT_STORE:
            continue
        values = [
            samples[argument["valueName"]]
            for argument in command.get("arguments", [])
            if argument["kind"] == "positional"
        ]
        if name.startswith("jobs "):
            values = ["good_morning" if value == "greet" else value for value in values]
        found[name] = (*name.split(), *values)
    assert WITHOUT_STORE <= set(leaves) and MIGRATING | ENDLESS <= set(found)
    found["sync"] += GOOGLE
    found["serve"] += ("--port", "0")
    found["dashboard"] += ("--port", "0")
    for name in ("enqueue", "trigger"):
        found[name] += ("--input", '{"name": "Ada"}')
    found["jobs unregister"] += ("--yes",)
    return found


def refused(line, name, words, code):
    """Checks that a command tells one error in a line, without a trace."""
    answer = line.call(*words, expect=code, program="starter")
    assert not TRACES.search(answer.stderr + answer.stdout), (name, answer.stderr)
    if name == "doctor" and code == 1:
        # It tells what it found as any other result.
        assert answer.stdout.startswith("failed   store") and answer.stderr == ""
        return answer.stdout
    lines = answer.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: ") and answer.stdout == "", (name, answer)
    return lines[0]


def test_a_wrong_address_of_a_store(bin_dir, commands):
    for address in ("mysql://h/d", "sqlite://jobs.db", "memory", "postgres:x"):
        line = CommandLine(bin_dir, address)
        for name, words in commands.items():
            assert "store" in refused(line, name, words, 64), name


@pytest.mark.parametrize("schema", [1, 99])
def test_a_file_of_another_schema(bin_dir, commands, tmp_path, schema):
    line = CommandLine(bin_dir, f"sqlite:{tmp_path / 'jobs.db'}")
    line.call("migrate")
    with sqlite3.connect(tmp_path / "jobs.db") as database:
        database.execute("UPDATE store SET schema = ?", [schema])
    remedy = "cloud-jobs migrate" if schema == 1 else "Update the program"
    for name, words in commands.items():
        if schema == 99 or name not in MIGRATING:
            assert remedy in " ".join(refused(line, name, words, 1).split()), name
    with sqlite3.connect(tmp_path / "jobs.db") as database:
        assert database.execute("SELECT schema FROM store").fetchone() == (schema,)


def test_a_file_that_is_no_store(bin_dir, commands, tmp_path):
    (tmp_path / "text").write_text("This is no database, although it is long enough to be one." * 100)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)")
    for file, more in (("text", set()), ("other.db", MIGRATING)):
        line = CommandLine(bin_dir, f"sqlite:{tmp_path / file}")
        for name, words in commands.items():
            if name not in more:
                refused(line, name, words, 1)


def test_a_file_that_is_not_there_or_may_not_be_read(bin_dir, commands, tmp_path):
    for name, words in commands.items():
        line = CommandLine(bin_dir, f"sqlite:{tmp_path / 'no' / 'jobs.db'}")
        code = 1 if name in MIGRATING | {"doctor"} else 2
        refused(line, name, words, code)
        # A folder can't be opened, whoever the user is.
        (tmp_path / "folder").mkdir(exist_ok=True)
        refused(CommandLine(bin_dir, f"sqlite:{tmp_path / 'folder'}"), name, words, 1)


def test_a_database_without_permission_or_a_server(bin_dir, commands, postgres):
    database = postgres.database()
    CommandLine(bin_dir, database.store).call("migrate")
    create = "DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    database.sql(create + "REVOKE ALL ON SCHEMA cloud_jobs FROM PUBLIC")
    addresses = (database.store.replace("tests@", "stranger@"), "postgres://127.0.0.1:1/x")
    for address in addresses:
        line = CommandLine(bin_dir, address)
        for name, words in commands.items():
            refused(line, name, words, 1)


def test_a_service_of_google_that_is_not_there(bin_dir, commands):
    line = CommandLine(bin_dir, "firestore://p", FIRESTORE_EMULATOR_HOST="127.0.0.1:1")
    for name, words in commands.items():
        if name == "worker":
            refused(line, name, words, 64)
        elif name == "serve":
            refused(line, name, words + GOOGLE + ("--caller", "c@p.iam"), 1)
        else:
            refused(line, name, words, 1)


@pytest.fixture
def busy(bin_dir, emulator, tmp_path, commands):
    """A store with jobs and runs of all statuses, and the words with a run that is there."""
    host = emulator.url.removeprefix("http://")
    line = CommandLine(
        bin_dir,
        f"sqlite:{tmp_path / 'jobs.db'}",
        CLOUD_TASKS_EMULATOR_HOST=host,
        CLOUD_SCHEDULER_EMULATOR_HOST=host,
    )
    line.call("migrate")
    line.call("jobs", "set", "good_morning", "group=mail", program="starter")
    for key in "abc":
        line.call("enqueue", "greet", "--input", '{"name": "Ada"}', "--key", key, program="starter")
    one, *_ = (run["id"] for run in line.json("runs", "list")["runs"])
    line.call("runs", "cancel", one)
    return line, {
        name: tuple(one[:8] if word == "0" * 64 else word for word in words) for name, words in commands.items()
    }


def test_a_closed_pipe(busy):
    line, commands = busy
    for name, words in commands.items():
        reader, writer = os.pipe()
        os.close(reader)
        command = [line.bin_dir / "starter", *words]
        process = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, env=line.environment, text=True)
        os.close(writer)
        if name == "serve":
            # A service goes on without a reader, and tells at its end.
            while "listening" not in process.stderr.readline():
                assert process.poll() is None
            process.terminate()
        errors = process.communicate(timeout=60)[1]
        # The run has logged nothing, so that nothing is written.
        assert process.returncode == (0 if name == "runs logs" else 1), (name, process.returncode, errors)
        if name != "runs logs":
            assert "can't be written" in errors, (name, errors)
        assert not TRACES.search(errors), errors


def shown(line, words, columns, **environment):
    """Returns the exit code and what a command writes to a terminal."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [line.bin_dir / "starter", *words],
        stdout=follower,
        stderr=follower,
        stdin=follower,
        env={**line.environment, "TERM": "xterm", **environment},
    )
    os.close(follower)
    text = b""
    while True:
        try:
            part = os.read(leader, 65_536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(leader)
    return process.wait(60), text.decode().replace("\r\n", "\n")


def test_a_terminal_of_40_columns(busy):
    line, commands = busy
    tables = {"runs list", "jobs list", "dead-letters", "workers", "doctor", "status"}
    for name, words in commands.items():
        if name in ENDLESS:
            continue
        for columns, environment in ((40, {}), (0, {"COLUMNS": "40"})):
            code, text = shown(line, words, columns, **environment)
            assert code in CODES and not TRACES.search(text), (name, code, text)
            if name in tables:
                plain = re.sub("\x1b\\[[0-9]+m", "", text)
                # The address of the store is shown whole.
                lines = [found for found in plain.splitlines() if line.store not in found]
                assert max(map(len, lines)) <= 40, text


def test_colours_only_on_a_terminal_and_times_of_day_on_a_narrow_one(busy):
    line, _ = busy
    _, text = shown(line, ("runs", "list"), 60)
    assert "\x1b[33mcancelled\x1b[0m" in text
    assert re.search(r"\d\d-\d\d \d\d:\d\d:\d\d\b", text) and "ATTEMPT" not in text
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in shown(line, ("runs", "list"), 60, **environment)[1]
    assert "\x1b" not in line.call("runs", "list").stdout
