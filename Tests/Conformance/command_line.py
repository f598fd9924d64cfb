"""The command line over one store, as an operator uses it, and the stores that it is tested over."""

import json
import os
import subprocess
import time

import jsonschema

from emulator_process import Emulator
from repository import ROOT

SCHEMA = json.loads((ROOT / "Documentation" / "command-line.schema.json").read_text())
KINDS = ["sqlite", "postgres", "firestore"]
GROUPS = ("jobs", "runs", "cron")


class CommandLine:
    """The program over one store."""

    def __init__(self, bin_dir, store, **environment):
        self.bin_dir, self.store = bin_dir, store
        self.environment = {**os.environ, "TZ": "UTC", "CLOUD_JOBS_STORE": store, **environment}

    @property
    def kind(self):
        return self.store.partition(":")[0]

    def call(self, *words, expect=0, program="cloud-jobs"):
        command = [self.bin_dir / program, *words]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, env=self.environment)
        assert answer.returncode == expect, (words, answer.returncode, answer.stdout, answer.stderr)
        return answer

    def json(self, *words, expect=0, program="cloud-jobs"):
        """Returns what a command prints with --json, which must fit its schema."""
        name = " ".join(words[:2]) if words[0] in GROUPS else words[0]
        lines = self.call(*words, "--json", expect=expect, program=program).stdout.splitlines()
        found = [fitting(name, line) for line in lines]
        return found if name == "runs logs" else found[0]

    def start(self, *words, program="worker-demo"):
        return subprocess.Popen(
            [self.bin_dir / program, *words], env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def leaves(self):
        """Returns the commands without subcommands, as the program tells them, each with its description."""
        dump = json.loads(self.call("--experimental-dump-help").stdout)["command"]
        found = {}
        for command in dump["subcommands"]:
            for inner in command.get("subcommands", [command]):
                if inner["commandName"] != "help":
                    name = command["commandName"] + ("" if inner is command else f" {inner['commandName']}")
                    found[name] = inner
        found.pop("help", None)
        return found

    def wait_for(self, condition, seconds=60):
        deadline = time.time() + seconds
        while not condition():
            assert time.time() < deadline, self.call("runs", "list").stdout
            time.sleep(0.2)


def fitting(name, line):
    """Returns a value that a command prints as JSON, after a look at its schema."""
    value = json.loads(line)
    jsonschema.validate(value, {**SCHEMA, "$ref": f"#/$defs/{name}"})
    return value


def lines_over_stores(request, bin_dir, cloud_jobs, tmp_path):
    """Yields the command line over a store of the kind that a fixture asks for."""
    if request.param == "sqlite":
        yield CommandLine(bin_dir, f"sqlite:{tmp_path / 'jobs.db'}")
    elif request.param == "postgres":
        server = request.getfixturevalue("postgres")
        yield CommandLine(bin_dir, f"postgres://tests@127.0.0.1:{server.port}/postgres?schema=s{time.time_ns()}")
    else:
        emulator = Emulator(cloud_jobs)
        host = emulator.url.removeprefix("http://")
        yield CommandLine(bin_dir, f"firestore://p{time.time_ns()}", FIRESTORE_EMULATOR_HOST=host)
        emulator.stop()
