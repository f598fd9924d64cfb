"""The emulator as a separate process."""

import json
import subprocess
import urllib.error
import urllib.request


class Emulator:
    """A process `cloud-jobs emulator`; its first output line contains its address."""

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
        """Kills the process with SIGKILL, like a crash."""
        self.process.kill()
        self.process.wait(timeout=15)
        self.process.stdout.close()
