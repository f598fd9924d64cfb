"""Runs the services of a Compose file in a network of their own, each at an address with its name, and uses them.

`unshare --mount --net python compose_network.py BINARIES FILE FOLDER` prints what came of it as JSON.
"""

import fcntl
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time

import yaml

SET_ADDRESS, SET_FLAGS, UP_AND_RUNNING = 0x8916, 0x8914, 0x41
NETWORK = "10.87.0"


def make_network(names, folder):
    """Gives each name an address that is not loopback's, as far as programs can tell."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh14s", b"lo", UP_AND_RUNNING, b""))
        for number, _ in enumerate(names, 2):
            address = struct.pack("HH4s8s", socket.AF_INET, 0, socket.inet_aton(f"{NETWORK}.{number}"), b"")
            fcntl.ioctl(control, SET_ADDRESS, struct.pack("16s16s", f"lo:{number}".encode(), address))
    hosts = folder / "hosts"
    lines = [f"{NETWORK}.{number} {name}" for number, name in enumerate(names, 2)]
    hosts.write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


class Services:
    """The services of a file, as processes instead of containers."""

    def __init__(self, file, binaries, folder):
        self.services = yaml.safe_load(file.read_text())["services"]
        self.binaries, self.folder, self.processes = binaries, folder, {}

    def environment(self, name):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CLOUD_", "FIRESTORE_"))}
        return clean | self.services[name].get("environment", {})

    def program(self, name):
        return self.binaries / self.services[name]["build"]["args"]["PRODUCT"]

    def words(self, name, words):
        replaced = {"/usr/local/bin/service": self.program(name), "/data": self.folder}
        return [str(replaced.get(word, word)) for word in words]

    def start(self, name):
        log = open(self.folder / f"{name}.log", "w")
        self.processes[name] = subprocess.Popen(
            [self.program(name), *self.words(name, self.services[name]["command"])],
            env=self.environment(name),
            stdout=log,
            stderr=log,
        )
        test = self.services[name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        self.wait(lambda: self.run(name, self.words(name, test[1:])).returncode == 0, f"{name} is healthy")

    def run(self, name, words):
        return subprocess.run(words, env=self.environment(name), capture_output=True, text=True, timeout=30)

    def call(self, name, *words):
        answer = self.run(name, [self.program(name), *words, "--json"])
        assert answer.returncode == 0, (words, answer.stderr)
        return json.loads(answer.stdout)

    def wait(self, condition, what, seconds=40):
        deadline = time.time() + seconds
        while not condition():
            logs = {path.stem: path.read_text()[-2000:] for path in self.folder.glob("*.log")}
            assert time.time() < deadline, (what, logs)
            time.sleep(0.1)

    def stop(self):
        for process in reversed(self.processes.values()):
            process.terminate()
        return {name: process.wait(30) for name, process in self.processes.items()}


def main(binaries, file, folder):
    services = Services(file, binaries, folder)
    make_network(["emulator", "app"], folder)
    try:
        found = used(services)
    except BaseException:
        services.stop()
        raise
    print(json.dumps(found | {"ended": services.stop()}))


def used(services):
    """Starts the services in the order of their dependencies, has a task delivered, and returns what came of it."""
    services.start("emulator")
    services.start("app")
    options = services.services["app"]["command"][1:]
    run = services.call("app", "enqueue", "greet", "--input", '{"name": "Ada"}', *options)
    services.wait(lambda: services.call("app", "runs", "show", run["run"])["status"] == "succeeded", "the run succeeds")
    # A stranger has no token, wherever it calls from.
    request = "exec 3<>/dev/tcp/app/8080; printf 'GET /jobs/jobs HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3"
    stranger = services.run("app", ["bash", "-c", request]).stdout.split()[1]
    return {"deliveredBy": run["deliveredBy"], "stranger": stranger}


if __name__ == "__main__":
    main(*(pathlib.Path(word) for word in sys.argv[1:]))
