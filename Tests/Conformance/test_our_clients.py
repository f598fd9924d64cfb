"""The requests of the package's own clients and the emulator's answers against Google's discovery documents.

The program `google-client-driver` runs the store conformance suite on Firestore in its own process, because the suite
controls the service's time, and prints each exchange. Its requests for the sync and the Cloud Tasks queue go to the
emulator through a proxy that records them.
"""

import collections
import json
import re
import subprocess
import urllib.parse

import pytest

from discovery import answered, faults_of
from emulator_process import Emulator
from recording_proxy import Exchange, RecordingProxy
from repository import ROOT

# The methods that the clients call.
METHODS = {
    "firestore.projects.databases.documents.batchGet",
    "firestore.projects.databases.documents.commit",
    "firestore.projects.databases.documents.runAggregationQuery",
    "firestore.projects.databases.documents.runQuery",
    "cloudtasks.projects.locations.queues.tasks.create",
    "cloudtasks.projects.locations.queues.tasks.delete",
    "cloudtasks.projects.locations.queues.get",
    "cloudtasks.projects.locations.queues.list",
    "cloudtasks.projects.locations.queues.create",
    "cloudtasks.projects.locations.queues.patch",
    "cloudscheduler.projects.locations.jobs.get",
    "cloudscheduler.projects.locations.jobs.list",
    "cloudscheduler.projects.locations.jobs.create",
    "cloudscheduler.projects.locations.jobs.patch",
    "cloudscheduler.projects.locations.jobs.pause",
    "cloudscheduler.projects.locations.jobs.resume",
    "cloudscheduler.projects.locations.jobs.delete",
}
# The number of calls in the sources of CloudJobsGoogle, by their first argument. A new call needs a request in the
# program google-client-driver and a method in the list above.
CALLS = {".get": 3, ".post": 4, ".patch": 1, ".delete": 2, '"batchGet"': 1, '"commit"': 1, '"runQuery"': 1} | {
    '"runAggregationQuery"': 1
}
# Optional members of requests, by the last word of a method or the kind of its resource.
MEMBERS = {
    "commit": {"currentDocument", "delete", "exists", "fieldPaths", "update", "updateMask", "updateTime"},
    "batchGet": {"documents", "fieldPaths", "mask"},
    "runQuery": {"before", "compositeFilter", "fieldFilter", "limit", "orderBy", "select", "startAt", "where"},
    "tasks": {"audience", "dispatchDeadline", "oidcToken", "scheduleTime", "serviceAccountEmail"},
    "queues": {"maxConcurrentDispatches", "maxDispatchesPerSecond", "maxRetryDuration", "rateLimits", "retryConfig"},
    "jobs": {"attemptDeadline", "httpTarget", "oidcToken", "retryConfig", "schedule", "timeZone"},
}
OPERATORS = {"EQUAL", "IN", "LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN_OR_EQUAL", "AND", "ARRAY_CONTAINS"}
# The case that Firestore itself cannot pass; FirestoreConformanceTests gives the reason.
NOT_KEPT = {"Payloads of a mebibyte come back byte for byte"}


@pytest.fixture(scope="module")
def exchanges(bin_dir, cloud_jobs):
    """The exchanges of both runs of the program."""
    driver = bin_dir / "google-client-driver"
    done = subprocess.run([driver], capture_output=True, text=True, check=True, timeout=600)
    # JSON strings may contain other line separators unescaped, at which splitlines() would split.
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
    """Returns all member names and filter operators, at any depth."""
    if isinstance(value, list):
        return {word for item in value for word in words(item)}
    if not isinstance(value, dict):
        return set()
    operators = {value["op"]} if "op" in value else set()
    return set(value) | operators | {word for item in value.values() for word in words(item)}


def test_each_exchange_is_as_the_documents_say(exchanges):
    assert [fault for exchange in exchanges for fault in faults_of(exchange, checks_request=True)] == []


def test_all_that_the_clients_can_call_was_called_and_nothing_else(exchanges):
    assert answered(exchanges) == METHODS


def test_no_call_in_the_sources_is_missing():
    sources = ROOT / "Sources" / "CloudJobsGoogle"
    calls = collections.Counter()
    for file in sources.rglob("*.swift"):
        calls.update(re.findall(r"await (?:\w+\.)?call\(\s*([^\s,()]+),", file.read_text()))
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
