"""`cloud-jobs dashboard`: the dashboard of any store, beside the programs that work on it."""

import base64
import html
import http.client
import json
import re
import signal
import urllib.parse

import pytest

from browser import needs_browser
from command_line import KINDS, fitting, lines_over_stores
from dashboard import FORM


@pytest.fixture(params=KINDS)
def line(request, bin_dir, cloud_jobs, tmp_path):
    for line in lines_over_stores(request, bin_dir, cloud_jobs, tmp_path):
        line.call("migrate")
        yield line


class Served:
    """The dashboard that a command serves."""

    def __init__(self, line, *words, program="cloud-jobs"):
        self.process = line.start("dashboard", "--port", "0", *words, program=program)
        self.first = self.process.stdout.readline()
        self.url = re.search(r"http://\S+?/dashboard", self.first).group()
        self.place = urllib.parse.urlsplit(self.url)

    def request(self, method, path="", body=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=30)
        connection.request(method, self.place.path + path, body, fields)
        response = connection.getresponse()
        text = html.unescape(response.read().decode())
        connection.close()
        return response.status, text

    def post(self, path, **fields):
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": FORM}
        return self.request("POST", path, urllib.parse.urlencode(fields), **headers)[0]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        output = self.process.communicate(timeout=30)[0]
        return self.process.returncode, output


def test_it_shows_and_changes_a_store_and_executes_nothing(line):
    program = "starter"
    line.call("jobs", "set", "good_morning", "group=mail", program=program)
    line.call("enqueue", "greet", "--input", '{"name": "Ada"}', program=program)
    run = line.json("runs", "list")["runs"][0]["id"]
    served = Served(line)
    assert served.first == f"The dashboard is at {served.url}\n"
    for path in ("", "/jobs", "/jobs/good_morning", "/runs", f"/runs/{run}", "/dead-letters", "/workers", "/actions"):
        status, text = served.request("GET", path)
        assert status == 200, (path, text)
    assert run[:8] in served.request("GET", "/runs")[1]
    # The title tells which store it is, without a password.
    assert "<title>" in text and line.store.partition("?")[0] in text
    assert served.post(f"/runs/{run}/cancel", because="By the dashboard.") == 303
    found = line.json("runs", "show", run)
    assert found["status"] == "cancelled" and "By the dashboard." in found["reason"]
    other = line.json("enqueue", "greet", "--input", '{"name": "Eve"}', program=program)
    status, output = served.stop()
    assert status == 0 and output.splitlines()[-1] == "Stopped."
    assert line.json("runs", "show", other["run"])["status"] in ("pending", "scheduled")


def test_a_program_has_it_with_its_jobs(line):
    served = Served(line, program="starter")
    status, text = served.request("GET", "/jobs")
    # Jobs that no document names.
    assert status == 200 and "good_morning" in text and "greet" in text and "0 9 * * *" in text
    assert served.stop()[0] == 0
    assert line.json("jobs", "list")["jobs"] == []


def test_looking_only(line):
    line.call("jobs", "pause", "greet", program="starter")
    served = Served(line, "--read-only", "--title", "Shop <1>", "--json")
    state = fitting("dashboard", served.first)
    assert state["readOnly"] is True and state["url"] == served.url
    status, text = served.request("GET", "/jobs/greet")
    assert status == 200 and "Shop <1>" in text and "read only" in text and 'method="post"' not in text
    for path in ("/jobs/greet/resume", "/runs/bulk"):
        assert served.post(path) == 403
    status, output = served.stop()
    assert status == 0 and fitting("dashboard", output)["state"] == "stopped"


def test_another_address_needs_a_password(bin_dir, tmp_path):
    line = next(lines_over_stores(SQLite, bin_dir, None, tmp_path))
    line.call("migrate")
    error = line.call("dashboard", "--host", "0.0.0.0", "--port", "0", expect=1).stderr
    assert "CLOUD_JOBS_DASHBOARD_PASSWORD" in error
    file = tmp_path / "password"
    for content, code in ((None, 64), ("short\n", 64), ("x" * 5_000, 64)):
        if content is not None:
            file.write_text(content)
        error = line.call("dashboard", "--host", "0.0.0.0", "--password-file", file, expect=code).stderr
        assert error.startswith("Error: --password-file: ") and "short" not in error.replace("too short", "")
    assert line.call("dashboard", "--host", "http://a", expect=64).stderr.startswith("Error: --host: ")
    assert line.call("dashboard", "--port", "65536", expect=64)
    file.write_text("correct horse battery\nignored\n")
    served = Served(line, "--host", "0.0.0.0", "--password-file", file)
    assert served.request("GET")[0] == 401
    for password, status in (("correct horse battery", 200), ("correct horse battery\nignored", 401), ("", 401)):
        credentials = base64.b64encode(f"admin:{password}".encode()).decode()
        assert served.request("GET", Authorization=f"Basic {credentials}")[0] == status
    assert served.stop()[0] == 0
    # The variables do the same, and an error never repeats one.
    line.environment["CLOUD_JOBS_DASHBOARD_READ_ONLY_PASSWORD"] = "another horse"
    served = Served(line, "--host", "::")
    credentials = base64.b64encode(b"viewer:another horse").decode()
    assert served.request("GET", Authorization=f"Basic {credentials}")[0] == 200
    assert served.stop()[0] == 0
    line.environment["CLOUD_JOBS_DASHBOARD_PASSWORD"] = "s3cret"
    error = line.call("dashboard", expect=64).stderr
    assert "CLOUD_JOBS_DASHBOARD_PASSWORD" in error and "s3cret" not in error


class SQLite:
    """What a fixture asks for."""

    param = "sqlite"


@needs_browser
def test_a_browser_shows_it(browser, bin_dir, tmp_path):
    line = next(lines_over_stores(SQLite, bin_dir, None, tmp_path))
    line.call("migrate")
    served = Served(line)
    with browser.page("phone") as page:
        page.open(served.url.removesuffix("/dashboard") + "/")
        assert page.url == served.url
        page.check_faults()
        page.check_width()
        page.check_access()
    assert served.stop()[0] == 0


def test_a_store_that_is_not_there(bin_dir, tmp_path):
    line = next(lines_over_stores(SQLite, bin_dir, None, tmp_path))
    error = line.call("dashboard", "--port", "0", expect=2).stderr
    assert "cloud-jobs migrate" in error
    assert json.loads(line.call("--experimental-dump-help").stdout)
