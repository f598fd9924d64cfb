"""Deliveries stay on this machine by default and never reach a cloud machine's metadata address."""

import time

import pytest

from emulator_process import Emulator
from google_clients import LOCATION
from local_service import Recorder

QUEUE = f"{LOCATION}/queues/ssrf"

METADATA = [
    "169.254.169.254",
    "169.254.169.254:80",
    "169.254.169.254.",
    "2852039166",
    "0xa9fea9fe",
    "0XA9FEA9FE",
    "025177524776",
    "169.254.43518",
    "169.16689662",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "0xa9.254.0251.254",
    "169.254.0xa9fe",
    "169.0xfea9fe",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:169.254.169.254]",
    "[::169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[FD00:EC2::254]",
    "[fe80::a9fe:a9fe]",
    "user@169.254.169.254",
    "127.0.0.1@169.254.169.254",
    "127.0.0.1:80@169.254.169.254",
    "localhost%40x@169.254.169.254",
    "metadata.google.internal",
    "METADATA.Google.Internal",
    "metadata.google.internal.",
    "metadata",
    "instance-data",
    "100.100.100.200",
    "169.254.170.2",
    "１６９.２５４.１６９.２５４",
    "169。254。169。254",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "169%2e254%2e169%2e254",
    "%31%36%39.254.169.254",
    "169.254.169.254%00.localhost",
    "169.254.169.254#@127.0.0.1",
    "169.254.169.254?@127.0.0.1",
    "169.254.169.254\\@127.0.0.1",
]
ELSEWHERE = ["192.0.2.1", "10.0.0.1", "[2001:db8::1]", "example.com", "0.0.0.1", "8.8.8.8", "[::]", "224.0.0.1"]


def last_attempts(emulator, urls):
    """Creates a task for each URL; returns the result of each only attempt, or the error of its creation."""
    body = {"name": QUEUE, "retryConfig": {"minBackoff": "3000s"}}
    assert emulator.call("POST", f"/v2/{LOCATION}/queues", body)[0] == 200
    outcomes, pending = {}, {}
    for number, url in enumerate(urls):
        task = {"name": f"{QUEUE}/tasks/t{number}", "httpRequest": {"url": url}}
        status, answer = emulator.call("POST", f"/v2/{QUEUE}/tasks", {"task": task})
        if status == 200:
            pending[f"/v2/{task['name']}"] = url
        else:
            assert status == 400, answer
            outcomes[url] = answer["error"]["message"]
    deadline = time.time() + 60
    while pending and time.time() < deadline:
        for path, url in list(pending.items()):
            status, answer = emulator.call("GET", path)
            if status == 404:
                outcomes[url] = "delivered"
            elif "responseStatus" in answer.get("lastAttempt", {}):
                # Only a response from some machine counts.
                outcomes[url] = "answered" if answer.get("responseCount") else "no answer"
            else:
                continue
            del pending[path]
        time.sleep(0.05)
    assert pending == {}
    return outcomes


@pytest.mark.parametrize("options", [(), ("--allow-host", "*")], ids=["by default", "with all hosts allowed"])
def test_no_spelling_of_a_metadata_address_is_reached(cloud_jobs, recorder, options):
    assert len(METADATA) >= 30
    emulator = Emulator(cloud_jobs, *options)
    try:
        # The last URL is the control: the process that refused all others still delivers.
        good = f"{recorder.url}/good"
        outcomes = last_attempts(emulator, [f"http://{host}/computeMetadata/v1/" for host in METADATA] + [good])
        assert outcomes.pop(good) == "delivered"
        assert len(outcomes) == len(METADATA)
        reached = {url: outcome for url, outcome in outcomes.items() if outcome in ("delivered", "answered")}
        assert reached == {}
        _, answer = emulator.call("GET", "/_emulator/deliveries")
        ends = [entry["outcome"] for entry in answer["deliveries"] if entry["event"] == "settled"]
        ends.remove("HTTP 200")
        assert ends and all(end.startswith("no connection (") for end in ends)
    finally:
        emulator.stop()


@pytest.mark.parametrize("options", [(), ("--allow-host", "*")], ids=["by default", "with all hosts allowed"])
def test_names_are_judged_by_what_they_resolve_to(cloud_jobs, recorder, options):
    addresses = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "fe80::1", "::ffff:169.254.169.254"]
    names = {f"rebound-{number}.test": address for number, address in enumerate(addresses)}
    rules = [part for name, address in names.items() for part in ("--resolve", f"{name}:80={address}")]
    port = recorder.url.rsplit(":", 1)[1]
    emulator = Emulator(cloud_jobs, *options, *rules, "--resolve", f"worker.test:{port}=127.0.0.1")
    try:
        good = f"http://worker.test:{port}/"
        outcomes = last_attempts(emulator, [f"http://{name}/" for name in names] + [good])
        assert outcomes.pop(good) == "delivered"
        assert set(outcomes.values()) == {"no answer"}
        _, answer = emulator.call("GET", "/_emulator/deliveries")
        ends = [e["outcome"] for e in answer["deliveries"] if e["event"] == "settled" and e["outcome"] != "HTTP 200"]
        assert len(ends) == len(names) and all("not on this machine" in end for end in ends), ends
    finally:
        emulator.stop()


def test_other_machines_are_refused_by_default(emulator, recorder):
    outcomes = last_attempts(emulator, [f"http://{host}/" for host in ELSEWHERE])
    assert set(outcomes.values()) == {"no answer"}
    _, answer = emulator.call("GET", "/_emulator/deliveries")
    ends = {entry["name"]: entry["outcome"] for entry in answer["deliveries"] if entry["event"] == "settled"}
    assert all("not on this machine" in ends[f"{QUEUE}/tasks/t{number}"] for number in (0, 1, 5)), ends


@pytest.mark.parametrize("options", [(), ("--allow-host", "*")], ids=["by default", "with all hosts allowed"])
def test_redirects_are_answers_and_are_not_followed(cloud_jobs, options):
    trap, target = Recorder(), Recorder()
    targets = [f"{trap.url}/caught", "http://169.254.169.254/", "//169.254.169.254/", "file:///etc/passwd"]
    target.answer = lambda request: (307, {"Location": targets[int(request["path"][1:])]})
    emulator = Emulator(cloud_jobs, *options)
    try:
        urls = [f"{target.url}/{number}" for number in range(len(targets))]
        assert set(last_attempts(emulator, urls).values()) == {"answered"}
        assert trap.requests == [] and len(target.requests) == len(targets)
    finally:
        emulator.stop()
        for recorder in (trap, target):
            recorder.close()


def test_this_machine_is_reached_in_its_own_spellings(emulator, recorder):
    """The control: loopback is reached, so the other tests' refusals are due to the addresses."""
    port = recorder.url.rsplit(":", 1)[1]
    hosts = ["127.0.0.1", "localhost", "LOCALHOST", "2130706433", "0x7f000001", "127.1", "0177.0.0.1"]
    outcomes = last_attempts(emulator, [f"http://{host}:{port}/" for host in hosts])
    assert set(outcomes.values()) == {"delivered"}
