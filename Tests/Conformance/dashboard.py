"""The shop's service with its dashboard, and requests to it without a browser."""

import base64
import contextlib
import html.parser
import http.client
import json
import re
import subprocess
import time
import urllib.parse
import urllib.request

FORM = "application/x-www-form-urlencoded"


class Dashboard:
    """A process of `dashboard-service`; `store` is sqlite:FILE or a connection string."""

    def __init__(self, bin_dir, store, *options, seed=None):
        command = [bin_dir / "dashboard-service", store, *options]
        if seed is not None:
            command += ["--seed", str(seed)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening at (\d+)\n", line)
        assert found, f"{command} did not start: {line}"
        self.port = int(found.group(1))
        self.origin = f"http://127.0.0.1:{self.port}"
        self.path = options[options.index("--path") + 1] if "--path" in options else "/dashboard"
        self.url = self.origin + self.path

    def close(self):
        self.process.terminate()
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def request(self, method, path, body=None, fields=None):
        """Sends a request as a browser's navigation does; returns the status, the header fields and the text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, fields or {})
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read().decode()

    def get(self, path="", user=None):
        """Returns the text of a page, which must be there."""
        status, _, text = self.request("GET", self.path + path, fields=credentials(user))
        assert status == 200, (path, status, text[:500])
        return text

    def post(self, path, user=None, **fields):
        """Sends a form as the dashboard's own pages do; returns the status and the place that it leads to."""
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": FORM, "Origin": self.origin, **credentials(user)}
        body = urllib.parse.urlencode(fields, doseq=True)
        status, answer, text = self.request("POST", self.path + path, body, headers)
        return status, answer.get("Location") or answer.get("location"), text

    def call(self, method, path, body=None):
        """Calls a route of the handler as a program does."""
        data = None if body is None else json.dumps(body)
        status, _, text = self.request(method, "/jobs/" + path, data, {"Content-Type": "application/json"})
        assert status < 300, (path, status, text)
        return json.loads(text)

    def enqueue(self, job, payload=None, **members):
        """Enqueues a run that is due now and executed by the worker; returns its id."""
        body = {"jobId": job, "payload": payload, "delay": "1s", **members}
        return self.call("POST", "trigger", body)["runId"]

    def wait_for(self, run, statuses=("succeeded", "failed", "cancelled"), seconds=30):
        """Waits until a run has a status; returns it."""
        deadline = time.time() + seconds
        while (found := self.call("GET", f"runs/{run}"))["status"] not in statuses:
            assert time.time() < deadline, found
            time.sleep(0.05)
        return found


def credentials(user):
    """The header fields of a user with the name and the password; none without a user."""
    return {} if user is None else {"Authorization": "Basic " + base64.b64encode(":".join(user).encode()).decode()}


class Links(html.parser.HTMLParser):
    """The addresses of a page's links."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "a" and (address := dict(attributes).get("href")):
            self.found.append(address)


def kind_of(address):
    """Returns what pages of one kind have in common: the path without ids, and the names of parameters."""
    place = urllib.parse.urlsplit(address)
    path = re.sub(r"/[0-9a-f]{64}", "/RUN", place.path)
    path = re.sub(r"/jobs/[^/]+", "/jobs/JOB", path)
    return path, tuple(sorted({name for name, _ in urllib.parse.parse_qsl(place.query)}))


def pages_of(dashboard, limit=200, seconds=None):
    """Returns the paths of the dashboard's pages, one of each kind, in the order in which links lead there.

    `seconds` gets the time that each took.
    """
    found = {kind_of(dashboard.path): dashboard.path}
    waiting = [dashboard.path]
    while waiting and len(found) < limit:
        path, begin = waiting.pop(0), time.perf_counter()
        status, fields, text = dashboard.request("GET", path)
        if seconds is not None:
            seconds[path] = time.perf_counter() - begin
        assert status == 200, (status, text[:300])
        for address in Links(text).found:
            place = urllib.parse.urlsplit(address)
            if place.netloc or not place.path.startswith(dashboard.path) or address.startswith("#"):
                continue
            kind = kind_of(address)
            if kind not in found:
                found[kind] = address.partition("#")[0]
                waiting.append(found[kind])
    return list(found.values())
