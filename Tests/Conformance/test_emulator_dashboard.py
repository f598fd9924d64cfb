"""The emulator's dashboard in a real browser: why each task waits, the clock by clicks, and every page's safety."""

import http.client
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

import pytest
from google.cloud import firestore

from browser import SCHEMES, SIZES, needs_browser
from emulator_process import Emulator
from local_service import LocalService, Recorder

LOCATION = "projects/p/locations/europe-west1"
BASE = "/_emulator/dashboard"
# What would show in a page if any text got into it as markup, and what would run.
HOSTILE = "\"><img src=x onerror=alert(1)><script>alert(2)</script>{{page}}'`\u202e\x07"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def emulator(cloud_jobs):
    emulator = Emulator(cloud_jobs)
    yield emulator
    assert emulator.stop() == 0


@pytest.fixture
def target(emulator):
    target = Recorder()
    yield target
    assert emulator.call("POST", "/_emulator/reset") == (200, {})
    target.close()


def make_queue(emulator, name, **fields):
    queue = {"name": f"{LOCATION}/queues/{name}", **fields}
    assert emulator.call("POST", f"/v2/{LOCATION}/queues", queue)[0] == 200


def make_task(emulator, queue, task, url, **fields):
    body = {"task": {"name": f"{LOCATION}/queues/{queue}/tasks/{task}", "httpRequest": {"url": url}, **fields}}
    status, answer = emulator.call("POST", f"/v2/{LOCATION}/queues/{queue}/tasks", body)
    assert status == 200, answer


def make_job(emulator, name, url, **fields):
    job = {"name": f"{LOCATION}/jobs/{name}", "schedule": "30 2 * * *", "timeZone": "Europe/Berlin"}
    job |= {"httpTarget": {"uri": url, "headers": {"X-Job": "a,b"}, "body": "eyJhIjoxfQ=="}, **fields}
    status, answer = emulator.call("POST", f"/v1/{LOCATION}/jobs", job)
    assert status == 200, answer


def clock(emulator):
    return emulator.call("GET", "/_emulator/clock")[1]


def later(emulator, seconds):
    now = clock(emulator)["now"]
    whole = time.strptime(now[:19], "%Y-%m-%dT%H:%M:%S")
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(__import__("calendar").timegm(whole) + seconds))


def raw(emulator, method, path, body=None, **headers):
    """Sends a request exactly as given; returns the response and its body."""
    place = urllib.parse.urlsplit(emulator.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def documents(emulator):
    host = emulator.url.removeprefix("http://")
    import os

    os.environ["FIRESTORE_EMULATOR_HOST"] = host
    try:
        return firestore.Client(project="p")
    finally:
        del os.environ["FIRESTORE_EMULATOR_HOST"]


def pages_of(emulator, url):
    """Makes one of everything; returns the paths of the pages that show it."""
    make_queue(emulator, "mail", rateLimits={"maxDispatchesPerSecond": 5}, retryConfig={"minBackoff": "100s"})
    make_queue(emulator, "stopped")
    assert emulator.call("POST", f"/v2/{LOCATION}/queues/stopped:pause", {})[0] == 200
    make_task(emulator, "stopped", "held", url)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer very-secret-token"}
    token = {"oidcToken": {"serviceAccountEmail": "a@b.iam.gserviceaccount.com"}}
    request = {"url": f"{url}/fail", "headers": headers, "body": "eyJhIjpbMSwyXX0="}
    make_task(emulator, "mail", "failing", url, httpRequest=request)
    make_task(emulator, "mail", "signed", url, httpRequest={"url": f"{url}/ok", **token})
    make_task(emulator, "mail", "tomorrow", url, scheduleTime=later(emulator, 86_400))
    make_job(emulator, "nightly", f"{url}/nightly")
    db = documents(emulator)
    db.collection("users").document("ada").set({"name": "Ada", "tags": ["a", "b"], "address": {"zip": 1}, "x": None})
    db.collection("users").document("ada").collection("orders").document("o1").set({"n": 1})
    queue, job = f"{BASE}/queues/p/europe-west1/mail", f"{BASE}/jobs/p/europe-west1/nightly"
    return {
        "overview": BASE, "queues": f"{BASE}/queues", "queue": queue, "queue-names": f"{queue}?show=names",
        "queue-new": f"{BASE}/queues/new", "queue-edit": f"{queue}/edit", "queue-purge": f"{queue}/purge",
        "queue-copy": f"{queue}/copy?as=gcloud", "task": f"{queue}/tasks/failing", "task-new": f"{queue}/new-task",
        "task-copy": f"{queue}/tasks/failing/copy?as=python", "task-ended": f"{queue}/tasks/signed",
        "task-paused": f"{BASE}/queues/p/europe-west1/stopped/tasks/held", "jobs": f"{BASE}/jobs", "job": job,
        "job-edit": f"{job}/edit", "job-new": f"{BASE}/jobs/new", "deliveries": f"{BASE}/deliveries",
        "documents": f"{BASE}/documents", "collection": f"{BASE}/documents/p/%28default%29/users",
        "document": f"{BASE}/documents/p/%28default%29/users/ada", "tokens": f"{BASE}/tokens",
        "reset": f"{BASE}/clock/reset",
    }  # fmt: skip


def wait_until(condition, seconds=15):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, "the condition did not come true"
        time.sleep(0.02)


@needs_browser
def test_each_reason_is_shown_and_a_few_clicks_bring_each_task_to_delivery(emulator, target, browser):
    failing = {"on": True}
    target.answer = lambda request: 500 if request["path"] == "/backoff" and failing["on"] else 200
    make_queue(emulator, "slow", rateLimits={"maxDispatchesPerSecond": 0.01})
    make_queue(emulator, "retry", retryConfig={"minBackoff": "600s"})
    make_queue(emulator, "held")
    make_queue(emulator, "plan")
    assert emulator.call("POST", f"/v2/{LOCATION}/queues/held:pause", {})[0] == 200
    for number in range(10):
        make_task(emulator, "slow", f"first-{number}", f"{target.url}/first")
    target.wait_for(10)
    make_task(emulator, "slow", "limited", f"{target.url}/limited")
    make_task(emulator, "retry", "again", f"{target.url}/backoff")
    make_task(emulator, "held", "paused", f"{target.url}/paused")
    make_task(emulator, "plan", "future", f"{target.url}/future", scheduleTime=later(emulator, 7_200))
    target.wait_for(11)
    wait_until(lambda: clock(emulator)["inFlight"] == 0)
    failing["on"] = False

    def paths():
        return [request["path"] for request in target.requests]

    with browser.page() as page:
        page.open(emulator.url + BASE)
        waiting = page.locator("#waiting")
        for name, reason, sentence in [
            ("slow / limited", "rate limit", "0.01 per second is used up. Its next token comes at"),
            ("retry / again", "backoff", "Attempt 1 failed with HTTP 500. The next one is due at"),
            ("held / paused", "queue paused", "The queue is paused."),
            ("plan / future", "scheduled", "It is scheduled for"),
        ]:
            row = waiting.locator("tr", has=page.get_by_role("link", name=name, exact=True))
            assert row.locator(".state").inner_text() == reason
            assert sentence in row.inner_text()
        # One click: the next token.
        page.get_by_role("button", name="Next event").click()
        assert "1 delivery was made" in page.locator("#message").inner_text()
        assert paths()[11:] == ["/limited"]
        # One click: the retry, at its time.
        page.get_by_role("button", name="Next event").click()
        assert paths()[12:] == ["/backoff"]
        # One click: the scheduled time.
        page.get_by_role("button", name="Next event").click()
        assert paths()[13:] == ["/future"]
        page.get_by_role("button", name="Next event").click()
        assert "No attempt follows by time alone" in page.locator("#message").inner_text()
        # Three clicks: the row's queue, its page, the button.
        page.get_by_role("link", name="Queues", exact=True).click()
        page.get_by_role("link", name="held", exact=True).click()
        page.get_by_role("button", name="Resume").click()
        target.wait_for(15)
        assert paths()[14:] == ["/paused"]
        page.check_faults()


@needs_browser
def test_the_clock_stands_moves_and_runs_until_idle(emulator, target, browser):
    make_queue(emulator, "q")
    with browser.page() as page:
        page.open(emulator.url + BASE)
        page.get_by_role("button", name="Freeze").click()
        assert page.locator(".clockbar .state").inner_text() == "frozen"
        frozen = clock(emulator)
        assert frozen["frozen"] is True
        make_task(emulator, "q", "now", f"{target.url}/now")
        for minutes in (5, 10, 15):
            make_task(
                emulator, "q", f"t{minutes}", f"{target.url}/{minutes}", scheduleTime=later(emulator, minutes * 60)
            )
        page.open(emulator.url + BASE + "/queues/p/europe-west1/q")
        assert "due, clock frozen" in page.locator("#tasks").inner_text()
        time.sleep(0.3)
        assert target.requests == [] and clock(emulator)["now"] == frozen["now"]
        page.get_by_role("button", name="Next event").click()
        assert page.url.split("?")[0].endswith("/queues/p/europe-west1/q")
        assert [request["path"] for request in target.requests] == ["/now"]
        assert clock(emulator)["now"] == frozen["now"]
        page.locator("#clock-by").fill("6 min 30s")
        page.locator("#clock-by").press("Enter")
        assert "1 delivery was made" in page.locator("#message").inner_text()
        assert [request["path"] for request in target.requests] == ["/now", "/5"]
        page.get_by_role("button", name="Run until idle").click()
        assert "Nothing waits for time any more. 2 deliveries were made." in page.locator("#message").inner_text()
        page.get_by_role("button", name="Advance by 1 hour").click()
        page.get_by_role("button", name="Unfreeze").click()
        assert "ahead" in page.locator(".clockbar .state").inner_text()
        page.locator("#clock-by").fill("soon")
        page.get_by_role("button", name="Advance", exact=True).click()
        assert "not a duration" in page.locator("main").inner_text()
        page.faults = [fault for fault in page.faults if "400" not in fault]
        page.check_faults()


def test_a_clock_that_stands_survives_a_crash(cloud_jobs, tmp_path):
    emulator = Emulator(cloud_jobs, "--data", str(tmp_path / "data"))
    emulator.call("POST", "/_emulator/advance?by=3600s")
    stood = emulator.call("POST", "/_emulator/freeze")[1]["now"]
    make_queue(emulator, "q")
    make_task(emulator, "q", "t", "http://127.0.0.1:9/")
    moved = emulator.call("POST", "/_emulator/advance?by=60s")[1]
    assert moved["from"] == stood and moved["deliveries"] >= 1
    emulator.kill()
    emulator = Emulator(cloud_jobs, "--data", str(tmp_path / "data"))
    try:
        status = clock(emulator)
        assert status["frozen"] is True and status["now"] == moved["now"]
        assert emulator.call("POST", "/_emulator/unfreeze")[1]["now"] == moved["now"]
        assert clock(emulator)["frozen"] is False
    finally:
        emulator.kill()


@needs_browser
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_at_every_size(emulator, target, browser, size, scheme, tmp_path):
    target.answer = lambda request: 500 if request["path"] == "/fail" else 200
    pages = pages_of(emulator, target.url)
    target.wait_for(2)
    wait_until(lambda: clock(emulator)["inFlight"] == 0)
    with browser.page(size, scheme) as page:
        for name, path in pages.items():
            page.open(emulator.url + path)
            page.check_width()
            page.check_access()
            page.check_faults()
            page.picture(f"emulator-{name}", tmp_path)
        assert "very-secret-token" not in raw(emulator, "GET", pages["task"])[1].decode()


@needs_browser
def test_everything_works_without_javascript_and_by_forms(emulator, target, browser):
    with browser.page(java_script_enabled=False) as page:
        page.open(emulator.url + "/")
        assert page.url.endswith(BASE)
        page.get_by_role("link", name="New queue").click()
        page.get_by_label("Project").fill("p")
        page.get_by_label("Location").fill("europe-west1")
        page.get_by_label("Queue", exact=True).fill("bad name")
        page.get_by_role("button", name="Create").click()
        assert "can contain only letters" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("Project").input_value() == "p"
        page.get_by_label("Queue", exact=True).fill("made")
        page.get_by_label("Dispatches per second").fill("0.5")
        page.get_by_role("button", name="Create").click()
        queue = emulator.call("GET", f"/v2/{LOCATION}/queues/made")[1]
        assert queue["rateLimits"]["maxDispatchesPerSecond"] == 0.5
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Dispatches per second").fill("7")
        page.get_by_label("First delay").fill("2 min")
        page.get_by_role("button", name="Save").click()
        queue = emulator.call("GET", f"/v2/{LOCATION}/queues/made")[1]
        assert (queue["rateLimits"]["maxDispatchesPerSecond"], queue["retryConfig"]["minBackoff"]) == (7, "120s")
        page.get_by_role("link", name="New task").first.click()
        page.get_by_label("URL").fill(f"{target.url}/made")
        page.get_by_label("Method").select_option("PUT")
        page.get_by_label("Headers").fill("X-One: 1\nX-Two: a: b")
        page.get_by_label("Body").fill("héllo")
        page.get_by_label("Delay").fill("1h")
        page.get_by_label("ID").fill("mine")
        page.get_by_role("button", name="Create").click()
        assert page.locator("h1").inner_text() == "mine"
        page.get_by_role("button", name="Run now").click()
        request = target.wait_for(1)[0]
        assert (request["headers"]["x-one"], request["headers"]["x-two"]) == ("1", "a: b")
        assert (request["method"], request["body"].decode()) == ("PUT", "héllo")
        wait_until(lambda: emulator.call("GET", f"/v2/{LOCATION}/queues/made/tasks/mine")[0] == 404)
        page.open(emulator.url + f"{BASE}/queues/p/europe-west1/made/tasks/mine")
        assert "It has ended" in page.locator("#state").inner_text()
        page.get_by_role("link", name="Scheduler", exact=True).click()
        page.get_by_role("link", name="New scheduler job").click()
        page.get_by_label("Project").fill("p")
        page.get_by_label("Location").fill("europe-west1")
        page.get_by_label("Job", exact=True).fill("hourly")
        page.get_by_label("Schedule", exact=True).fill("every 1 hours")
        page.get_by_label("URL").fill(f"{target.url}/hourly")
        page.get_by_role("button", name="Create").click()
        page.get_by_role("button", name="Pause").click()
        assert emulator.call("GET", f"/v1/{LOCATION}/jobs/hourly")[1]["state"] == "PAUSED"
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Schedule", exact=True).fill("15 3 * * *")
        page.get_by_role("button", name="Save").click()
        assert emulator.call("GET", f"/v1/{LOCATION}/jobs/hourly")[1]["schedule"] == "15 3 * * *"
        page.get_by_role("button", name="Run now").click()
        target.wait_for(2)
        page.get_by_role("link", name="Delete…").click()
        page.get_by_role("button", name="Delete the job").click()
        assert emulator.call("GET", f"/v1/{LOCATION}/jobs/hourly")[0] == 404
        documents(emulator).collection("c").document("d").set({"a": 1})
        page.open(emulator.url + f"{BASE}/documents/p/%28default%29/c/d")
        page.get_by_role("link", name="Delete…").click()
        page.get_by_role("button", name="Delete the document").click()
        assert documents(emulator).collection("c").document("d").get().exists is False
        page.open(emulator.url + f"{BASE}/queues/p/europe-west1/made/purge")
        page.get_by_role("button", name="Delete 0 tasks").click()
        page.get_by_role("link", name="Delete…").click()
        page.get_by_role("button", name="Delete the queue").click()
        assert emulator.call("GET", f"/v2/{LOCATION}/queues/made")[0] == 404
        page.get_by_role("link", name="Tokens").click()
        page.get_by_label("Audience").fill("http://service.test/")
        page.get_by_role("button", name="Make the token").click()
        assert '"aud": "http://service.test/"' in page.locator("main").inner_text()
        assert page.locator("#token-text").inner_text().count(".") == 2


@needs_browser
def test_the_keyboard_alone_reaches_and_does_everything(emulator, target, browser):
    make_queue(emulator, "q")
    make_task(emulator, "q", "t", f"{target.url}/t", scheduleTime=later(emulator, 600))
    with browser.page() as page:
        page.open(emulator.url + BASE)
        page.keyboard.press("g")
        page.keyboard.press("q")
        page.wait_for_url("**/queues")
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate("() => document.activeElement.textContent.trim()")
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"no focus is seen on {focused}"
            if focused == "q":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/queues/p/europe-west1/q")
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.textContent.trim()") == "Next event":
                break
        page.keyboard.press("Enter")
        page.wait_for_selector("#message")
        assert [request["path"] for request in target.requests] == ["/t"]
        page.check_faults()


@needs_browser
def test_hostile_texts_stay_texts(emulator, target, browser):
    make_queue(emulator, "q")
    body = __import__("base64").b64encode(HOSTILE.encode()).decode()
    request = {"url": f"{target.url}/{urllib.parse.quote(HOSTILE)}?{HOSTILE[:40]}", "body": body}
    request["headers"] = {"X-Hostile": HOSTILE.replace("\x07", ""), "X'&\u0060"[:3]: "v"}
    make_task(emulator, "q", "t", target.url, httpRequest=request, scheduleTime=later(emulator, 3_600))
    make_job(emulator, "j", f"{target.url}/{HOSTILE[:30]}", description=HOSTILE)
    identifier = HOSTILE.replace("/", "|")
    db = documents(emulator)
    document = db.collection(identifier).document(identifier)
    document.set({identifier: HOSTILE, "map": {identifier: [HOSTILE]}, "bytes": HOSTILE.encode()})
    document.collection(identifier).document(identifier).set({})
    quoted = urllib.parse.quote(identifier, safe="")
    queue = f"{BASE}/queues/p/europe-west1/q"
    paths = [
        BASE, queue, f"{queue}?q={quoted}", f"{queue}/tasks/t", f"{BASE}/jobs", f"{BASE}/jobs/p/europe-west1/j",
        f"{BASE}/jobs/p/europe-west1/j/edit", f"{BASE}/documents", f"{BASE}/documents/p/%28default%29/{quoted}",
        f"{BASE}/documents/p/%28default%29/{quoted}/{quoted}",
        f"{BASE}/documents/p/%28default%29/{quoted}/{quoted}/{quoted}", f"{BASE}/?done={quoted}&made={quoted}",
        *(f"{queue}/tasks/t/copy?as={form}" for form in ("curl", "python", "gcloud")),
        *(f"{BASE}/jobs/p/europe-west1/j/copy?as={form}" for form in ("curl", "python", "gcloud")),
    ]  # fmt: skip
    with browser.page() as page:
        for path in paths:
            page.open(emulator.url + path)
            assert page.evaluate("() => document.querySelectorAll('main img, main script, main iframe').length") == 0
            assert page.evaluate("() => [...document.querySelectorAll('*')].every(e => !e.onerror)")
            page.check_faults()
        missing = f"{BASE}/queues/p/europe-west1/{quoted}"
        page.open(emulator.url + missing, status=404)
        assert page.evaluate("() => document.querySelectorAll('main img, main script').length") == 0
    fields = {"id": HOSTILE, "project": HOSTILE, "location": "l", "rate": HOSTILE}
    response, content = raw(emulator, "POST", f"{BASE}/queues/new", urllib.parse.urlencode(fields), **SAME_ORIGIN)
    assert response.status == 400 and b"<img src=x" not in content and b"<script>" not in content


def test_changes_come_from_pages_of_the_dashboard_alone(emulator, target):
    make_queue(emulator, "q")
    path, form = f"{BASE}/queues/p/europe-west1/q/pause", "a=b"
    host = emulator.url.removeprefix("http://")
    for change in [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
        {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}, {"Host": "evil.example"},
        {"Host": f"{host}.evil.example"}, {"X-Forwarded-For": "192.0.2.1"},
    ]:  # fmt: skip
        response, content = raw(emulator, "POST", path, form, **{**SAME_ORIGIN, **change})
        assert response.status == 403, (change, content)
    without = {name: value for name, value in SAME_ORIGIN.items() if name != "Sec-Fetch-Site"}
    assert raw(emulator, "POST", path, form, **without)[0].status == 403
    assert emulator.call("GET", f"/v2/{LOCATION}/queues/q")[1]["state"] == "RUNNING"
    for change in [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Referer": "http://evil.example/"}]:
        response, content = raw(emulator, "GET", BASE, **change)
        assert response.status == 403 and b"<html" not in content, change
    response, _ = raw(emulator, "GET", BASE, Sec_Fetch_Site="none")
    assert response.status == 200
    assert response.getheader("X-Frame-Options") == "DENY"
    assert "frame-ancestors 'none'" in response.getheader("Content-Security-Policy")
    assert "unsafe" not in response.getheader("Content-Security-Policy")
    assert raw(emulator, "POST", path, form, **SAME_ORIGIN)[0].status == 303
    assert emulator.call("GET", f"/v2/{LOCATION}/queues/q")[1]["state"] == "PAUSED"
    # A form can lead back to pages of the dashboard alone.
    for place in [
        "https://evil.example/",
        "//evil.example",
        "/v2/x",
        f"{BASE}.evil",
        f"{BASE}/a\r\nX: y",
        f"{BASE}\\..\\",
    ]:
        fields = urllib.parse.urlencode({"from": place})
        response, _ = raw(emulator, "POST", f"{BASE}/clock/freeze", fields, **SAME_ORIGIN)
        assert response.getheader("Location") == f"{BASE}?done=frozen", place
    assert raw(emulator, "DELETE", BASE, **SAME_ORIGIN)[0].status == 405
    # Programs are served as before.
    assert emulator.call("GET", "/")[1]["emulator"] == "cloud-jobs"
    assert raw(emulator, "GET", "/", Accept="text/html,*/*;q=0.8")[0].getheader("Location") == BASE
    assert raw(emulator, "GET", "/", Accept="*/*")[0].status == 200


@needs_browser
def test_a_page_of_another_origin_frames_nothing_and_changes_nothing(emulator, target, browser):
    make_queue(emulator, "q")
    attack = f"""<!doctype html><title>x</title><iframe id=f src="{emulator.url}{BASE}"></iframe>
    <form id=g method=post target=t action="{emulator.url}{BASE}/queues/p/europe-west1/q/delete"></form>
    <iframe name=t></iframe><script>g.submit();
    fetch("{emulator.url}{BASE}/clock/reset", {{method: "POST", mode: "no-cors", credentials: "include",
      headers: {{"Content-Type": "application/x-www-form-urlencoded"}}, body: "a=b"}});
    fetch("{emulator.url}{BASE}").then(r => r.text()).then(t => {{ document.title = "read " + t.length; }},
      () => {{ document.title = "refused"; }});</script>"""
    site = LocalService(lambda request, body: (200, {"Content-Type": "text/html"}, attack.encode()))
    try:
        with browser.page() as page:
            page.tab.goto(site.url.replace("127.0.0.1", "evil.example"))
            page.wait_for_function("() => document.title !== 'x'")
            assert page.title() == "refused"
            page.wait_for_timeout(500)
            assert not any(
                frame.query_selector(".clockbar") for frame in page.frames[1:] if "chrome-error" not in frame.url
            )
    finally:
        site.close()
    assert emulator.call("GET", f"/v2/{LOCATION}/queues/q")[0] == 200


@pytest.mark.parametrize("kind", ["queue", "task", "job"])
@pytest.mark.parametrize("form", ["curl", "python"])
def test_the_copied_commands_make_the_same_object(emulator, target, kind, form, tmp_path):
    make_queue(
        emulator, "q", rateLimits={"maxDispatchesPerSecond": 2.5, "maxConcurrentDispatches": 7},
        retryConfig={"maxAttempts": 4, "minBackoff": "1.5s", "maxBackoff": "90s", "maxDoublings": 3,
                     "maxRetryDuration": "3600s"})  # fmt: skip
    text = 'it\'s "quoted" \\ $HOME `id` \n\ttab é \U0001f600 \u202e'
    body = __import__("base64").b64encode(text.encode() + (b"\x00\xff" if kind == "task" else b"")).decode()
    headers = {"Content-Type": "text/plain", "X-Odd": "a'b\"c, d=e; $x \\"}
    token = {"serviceAccountEmail": "a@b.iam.gserviceaccount.com", "audience": "aud"}
    request = {"url": f"{target.url}/a?b=%C3%A9&c='", "headers": headers, "body": body, "oidcToken": token}
    request["httpMethod"] = "PUT"
    make_task(
        emulator, "q", "t_1", "", httpRequest=request, scheduleTime=later(emulator, 86_400), dispatchDeadline="30.5s"
    )
    job_target = {"uri": f"{target.url}/j", "headers": headers, "body": body, "httpMethod": "POST"}
    make_job(
        emulator, "j", "", httpTarget=job_target, description=text.replace("\n", " "), attemptDeadline="20s",
        retryConfig={"retryCount": 3, "minBackoffDuration": "7s"})  # fmt: skip
    names = {
        "queue": f"v2/{LOCATION}/queues/q",
        "task": f"v2/{LOCATION}/queues/q/tasks/t_1",
        "job": f"v1/{LOCATION}/jobs/j",
    }
    pages = {
        "queue": "queues/p/europe-west1/q",
        "task": "queues/p/europe-west1/q/tasks/t_1",
        "job": "jobs/p/europe-west1/j",
    }

    def shown():
        answer = emulator.call("GET", f"/{names[kind]}" + ("?responseView=FULL" if kind == "task" else ""))
        assert answer[0] == 200, answer
        return {key: value for key, value in answer[1].items() if key not in ("createTime", "userUpdateTime")}

    before = shown()
    commands = raw(emulator, "GET", f"{BASE}/{pages[kind]}/copy?as={form}&raw=1")[1].decode()
    assert commands.isascii()
    emulator.call("POST", "/_emulator/reset")
    if kind == "task":
        make_queue(emulator, "q")
    file = tmp_path / "command"
    file.write_text(commands)
    runner = {"curl": ["sh", str(file)], "python": [sys.executable, str(file)]}[form]
    done = subprocess.run(runner, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr + commands
    assert shown() == before


def test_the_gcloud_commands_are_one_command_with_known_flags(emulator, target):
    make_queue(emulator, "q")
    request = {"url": target.url, "headers": {"X-A": "it's, \u00e9"}, "body": "eyJhIjoiJHgifQ=="}
    make_task(emulator, "q", "t", "", httpRequest=request, scheduleTime=later(emulator, 600))
    make_job(emulator, "j", target.url)
    words = {}
    for name, path in {
        "queue": "queues/p/europe-west1/q",
        "task": "queues/p/europe-west1/q/tasks/t",
        "job": "jobs/p/europe-west1/j",
    }.items():
        text = raw(emulator, "GET", f"{BASE}/{path}/copy?as=gcloud&raw=1")[1].decode()
        script = text.replace("gcloud", "printf '%s\\n'", 1)
        bash = shutil.which("bash")
        words[name] = subprocess.run(
            [bash, "-c", script], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert f"ENDPOINT_OVERRIDES_CLOUD{'SCHEDULER' if name == 'job' else 'TASKS'}={emulator.url}/ " in text
        assert {"--project=p", "--location=europe-west1"} <= set(words[name])
    assert words["queue"][:4] == ["tasks", "queues", "create", "q"]
    assert {"--max-attempts=100", "--max-dispatches-per-second=500"} <= set(words["queue"])
    assert words["task"][:4] == ["tasks", "create-http-task", "t", "--queue=q"]
    assert {"--method=POST", "--header=X-A: it's, é", '--body-content={"a":"$x"}'} <= set(words["task"])
    assert words["job"][:5] == ["scheduler", "jobs", "create", "http", "j"]
    assert "--schedule=30 2 * * *" in words["job"] and "--time-zone=Europe/Berlin" in words["job"]


def test_a_change_of_the_clocks_is_noted(emulator, target):
    make_job(emulator, "j", target.url)
    page = raw(emulator, "GET", f"{BASE}/jobs/p/europe-west1/j")[1].decode()
    assert "Europe/Berlin" in page and page.count("<li>") >= 5
    for _ in range(400):
        page = raw(emulator, "GET", f"{BASE}/jobs/p/europe-west1/j")[1].decode()
        if re.search(r'<ol class="next">.*?class="message warn"', page, re.S):
            return
        emulator.call("POST", f"/v1/{LOCATION}/jobs/j:pause", {})
        emulator.call("POST", "/_emulator/advance?by=345600s")
    raise AssertionError("no change of the clocks in years")


@pytest.mark.parametrize("state", ["paused", "waiting"])
def test_pages_stay_quick_and_small_with_100000_tasks_and_documents(cloud_jobs, target, state):
    emulator = Emulator(cloud_jobs)
    try:
        make_queue(emulator, "big", rateLimits={"maxDispatchesPerSecond": 0.001})
        if state == "paused":
            emulator.call("POST", f"/v2/{LOCATION}/queues/big:pause", {})
        when = {} if state == "paused" else {"scheduleTime": later(emulator, 86_400)}
        batch = {"requests": [{"task": {"httpRequest": {"url": target.url}, **when}} for _ in range(100)]}
        connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=60)
        text = json.dumps(batch)
        for _ in range(1_000):
            connection.request("POST", f"/v2/{LOCATION}/queues/big/tasks:batchCreate", text)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()
        root = "projects/p/databases/(default)/documents"
        for part in range(200):
            writes = [
                {"update": {"name": f"{root}/big/d{part * 500 + n:06}", "fields": {"n": {"integerValue": str(n)}}}}
                for n in range(500)
            ]
            connection.request("POST", f"/v1/{root}:commit", json.dumps({"writes": writes}))
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()
        first = emulator.call("GET", f"/v2/{LOCATION}/queues/big/tasks?pageSize=1")[1]["tasks"][0]["name"]
        queue = f"{BASE}/queues/p/europe-west1/big"
        middle = f"{queue}?after={int(first.rsplit('/', 1)[1]) * 3}"
        for path in [
            BASE, f"{BASE}/queues", queue, f"{queue}?show=names", middle, f"{queue}/tasks/{first.rsplit('/', 1)[1]}",
            f"{BASE}/documents", f"{BASE}/documents/p/%28default%29/big", f"{BASE}/jobs", f"{BASE}/deliveries",
            f"{BASE}/documents/p/%28default%29/big?after=d050000", f"{BASE}/documents/p/%28default%29/big/d000007",
        ]:  # fmt: skip
            times = []
            for _ in range(5):
                start = time.perf_counter()
                response, content = raw(emulator, "GET", path)
                times.append(time.perf_counter() - start)
            assert response.status == 200, path
            assert len(content) < 100_000, (path, len(content))
            print(f"{path}: {min(times) * 1000:.0f} ms, {len(content)} bytes")
            assert min(times) < 0.2, (path, times)
    finally:
        emulator.kill()


def test_an_emulator_open_to_others_has_no_dashboard_unless_it_is_asked_for(cloud_jobs):
    emulator = Emulator(cloud_jobs, "--host", "0.0.0.0")
    try:
        emulator.url = emulator.url.replace("0.0.0.0", "127.0.0.1")
        assert raw(emulator, "GET", BASE)[0].status == 404
        assert raw(emulator, "GET", "/", Accept="text/html")[0].status == 200
    finally:
        emulator.kill()
    emulator = Emulator(cloud_jobs, "--host", "0.0.0.0", "--dashboard")
    try:
        lines = [emulator.process.stdout.readline() for _ in range(8)]
        assert any(line.startswith("# Dashboard: http://127.0.0.1:") for line in lines), lines
        emulator.url = emulator.url.replace("0.0.0.0", "127.0.0.1")
        port = emulator.url.rsplit(":", 1)[1]
        form = {"Content-Type": "application/x-www-form-urlencoded", "Host": f"192.0.2.7:{port}"}
        own = f"http://192.0.2.7:{port}"
        assert raw(emulator, "GET", BASE, Host=f"192.0.2.7:{port}", Referer=f"{own}{BASE}")[0].status == 200
        assert raw(emulator, "GET", BASE, Host=f"emulator.test:{port}")[0].status == 403
        assert raw(emulator, "POST", f"{BASE}/clock/freeze", "a=b", **form)[0].status == 403
        assert raw(emulator, "POST", f"{BASE}/clock/freeze", "a=b", **form, Origin="http://x")[0].status == 403
        assert raw(emulator, "POST", f"{BASE}/clock/freeze", "a=b", **form, Origin=own)[0].status == 303
        rebound = {**form, "Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
        assert raw(emulator, "POST", f"{BASE}/clock/unfreeze", "a=b", **rebound)[0].status == 403
    finally:
        emulator.kill()
    emulator = Emulator(cloud_jobs, "--no-dashboard")
    try:
        assert raw(emulator, "GET", BASE)[0].status == 404
    finally:
        emulator.kill()
