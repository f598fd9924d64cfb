"""All that our own clients can send to Google, and what the emulator answers, against Google's discovery documents.

The program google-driver runs the conformance suite of stores over Firestore, whose time the suite sets, in its own
process, and tells each exchange. Sync from state to state and the Cloud Tasks queue it drives at an address, at which
a proxy keeps what goes through.
"""

import collections
import json
import re
import subprocess
import urllib.parse

import pytest
from conftest import ROOT, Emulator
from recording_proxy import Exchange, RecordingProxy
from test_schemas import answered, faults_of

# The methods that the clients call, with the function in Sources/CloudJobsGoogle that does.
METHODS = {
    "firestore.projects.databases.documents.batchGet": "FirestoreClient.batchGet",
    "firestore.projects.databases.documents.commit": "FirestoreClient.commit",
    "firestore.projects.databases.documents.runQuery": "FirestoreClient.runQuery",
    "cloudtasks.projects.locations.queues.tasks.create": "CloudTasksQueue.create",
    "cloudtasks.projects.locations.queues.list": "CloudSync.list",
    "cloudtasks.projects.locations.queues.create": "CloudSync.apply",
    "cloudtasks.projects.locations.queues.patch": "CloudSync.apply",
    "cloudscheduler.projects.locations.jobs.list": "CloudSync.list",
    "cloudscheduler.projects.locations.jobs.create": "CloudSync.apply",
    "cloudscheduler.projects.locations.jobs.patch": "CloudSync.apply",
    "cloudscheduler.projects.locations.jobs.pause": "CloudSync.apply",
    "cloudscheduler.projects.locations.jobs.resume": "CloudSync.apply",
    "cloudscheduler.projects.locations.jobs.delete": "CloudSync.apply",
}
# The calls in the sources, by file and what is called: a new one belongs into the driver and into the table above.
CALLS = {
    "CloudTasksQueue.swift": {".post": 1},
    "Firestore/FirestoreClient.swift": {'"batchGet"': 1, '"commit"': 1, '"runQuery"': 1},
    "Sync/CloudSync.swift": {".get": 1, ".post": 3, ".patch": 1, ".delete": 1},
}
# Members of requests that are sent in some cases only, by the last word of a method or the kind of its resource.
MEMBERS = {
    "commit": {"currentDocument", "delete", "exists", "fieldPaths", "update", "updateMask", "updateTime"},
    "batchGet": {"documents", "fieldPaths", "mask"},
    "runQuery": {"before", "compositeFilter", "fieldFilter", "limit", "orderBy", "select", "startAt", "where"},
    "tasks": {"audience", "dispatchDeadline", "oidcToken", "scheduleTime", "serviceAccountEmail"},
    "queues": {"maxConcurrentDispatches", "maxDispatchesPerSecond", "maxRetryDuration", "rateLimits", "retryConfig"},
    "jobs": {"attemptDeadline", "httpTarget", "oidcToken", "retryConfig", "schedule", "timeZone"},
}
OPERATORS = {"EQUAL", "IN", "LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN_OR_EQUAL", "AND"}
# What Firestore itself can't do; the reasons stand in FirestoreConformanceTests.
NOT_KEPT = {"Payloads of a mebibyte come back byte for byte"}


@pytest.fixture(scope="module")
def exchanges(bin_dir, cloud_jobs):
    """All exchanges of both runs."""
    driver = bin_dir / "google-driver"
    done = subprocess.run([driver], capture_output=True, text=True, check=True, timeout=600)
    # Texts may have other ends of lines in them, which JSON leaves as they are.
    *lines, end = done.stdout.rstrip("\n").split("\n")
    assert set(json.loads(end)["failed"]) == NOT_KEPT
    emulator = Emulator(cloud_jobs)
    proxy = RecordingProxy(emulator.url)
    try:
        subprocess.run([driver, urllib.parse.urlsplit(proxy.url).netloc], check=True, timeout=600)
    finally:
        proxy.close()
        emulator.kill()
    return [exchange(json.loads(line)) for line in lines] + proxy.exchanges


def exchange(line):
    split = urllib.parse.urlsplit(line["target"])
    query = urllib.parse.parse_qsl(split.query, keep_blank_values=True)
    path = urllib.parse.unquote(split.path)
    return Exchange(line["method"], path, query, line["request"], line["status"], line["answer"])


def words(value):
    """All names of members, and the operators of filters, at any depth."""
    if isinstance(value, list):
        return {word for item in value for word in words(item)}
    if not isinstance(value, dict):
        return set()
    operators = {value["op"]} if "op" in value else set()
    return set(value) | operators | {word for item in value.values() for word in words(item)}


def test_each_exchange_is_as_the_documents_say(exchanges):
    assert [fault for exchange in exchanges for fault in faults_of(exchange, checks_request=True)] == []


def test_all_that_the_clients_can_call_was_called_and_nothing_else(exchanges):
    assert answered(exchanges) == set(METHODS)


def test_no_call_in_the_sources_is_missing():
    sources = ROOT / "Sources" / "CloudJobsGoogle"
    calls = {}
    for file in sorted(sources.rglob("*.swift")):
        found = collections.Counter(re.findall(r"await (?:\w+\.)?call\(([^,()]+),", file.read_text()))
        if found:
            calls[str(file.relative_to(sources))] = dict(found)
    assert calls == CALLS


@pytest.mark.parametrize("kind", MEMBERS)
def test_every_optional_part_of_a_request_was_sent(exchanges, kind):
    sent = [e for e in exchanges if re.split("[/:]", e.path)[-1] == kind or f"/{kind}/" in e.path]
    assert MEMBERS[kind] <= {word for e in sent for word in words(e.request)}


def test_every_operator_page_and_mask_was_sent(exchanges):
    queries = [e.request for e in exchanges if e.path.endswith(":runQuery")]
    assert {word for query in queries for word in words(query) if word.isupper()} == OPERATORS
    names = {name for e in exchanges for name, _ in e.query}
    assert names == {"pageSize", "pageToken", "updateMask"}
    statuses = collections.Counter((e.method, e.status) for e in exchanges if "/v1/projects/p/databases" not in e.path)
    assert {("POST", 409), ("DELETE", 404), ("POST", 404)} <= set(statuses)
