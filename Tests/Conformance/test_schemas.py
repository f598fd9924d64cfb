"""The emulator's responses and the package's own requests against Google's discovery documents."""

import base64
import json
import re
import subprocess

import pytest
from google.cloud import scheduler_v1, tasks_v2
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from discovery import SERVICES, answered, faults_of
from emulator_process import Emulator
from google_clients import LOCATION, client_of
from google_schema import services
from recording_proxy import Exchange, RecordingProxy

QUEUE = f"{LOCATION}/queues/schema"
JOBS = f"{LOCATION}/jobs"
HTTP_TARGET = {
    "uriOverride": {
        "scheme": "HTTP",
        "host": "127.0.0.1",
        "port": "1",
        "pathOverride": {"path": "/buffered"},
        "queryOverride": {"queryParams": "a=b"},
        "uriOverrideEnforceMode": "IF_NOT_EXISTS",
    },
    "httpMethod": "PUT",
    "headerOverrides": [{"header": {"key": "X-Queue", "value": "1"}}],
    "oidcToken": {"serviceAccountEmail": "a@b.example"},
}
TASK = {
    "httpRequest": {
        "url": "http://127.0.0.1:1/",
        "body": "AAE=",
        "headers": {"X-Mine": "1"},
        "oauthToken": {"serviceAccountEmail": "a@b.example"},
    },
    "scheduleTime": "2026-12-05T10:00:00.5Z",
    "dispatchDeadline": "20.5s",
    "retryConfig": {"maxAttempts": 3},
}


@pytest.fixture
def proxy(cloud_jobs):
    emulator = Emulator(cloud_jobs, "--app-engine-origin", "http://127.0.0.1:1")
    proxy = RecordingProxy(emulator.url)
    proxy.call = lambda *call: Emulator.call(proxy, *call)
    yield proxy
    proxy.close()
    emulator.stop()


def tasks_over_raw_rest(call):
    call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE, "stackdriverLoggingConfig": {"samplingRatio": 0.5}})
    call("POST", f"/v2/{LOCATION}/queues", {"name": QUEUE})
    call("POST", f"/v2/{QUEUE}:pause", {})
    update = {
        "httpTarget": HTTP_TARGET,
        "rateLimits": {"maxDispatchesPerSecond": 0.5, "maxConcurrentDispatches": 7},
        "retryConfig": {"maxAttempts": -1, "maxRetryDuration": "4s", "minBackoff": "0.25s"},
        "appEngineRoutingOverride": {"service": "worker"},
    }
    call("PATCH", f"/v2/{QUEUE}", update)
    call("PATCH", f"/v2/{QUEUE}?updateMask=retryConfig.maxDoublings", {})
    for alt in ("", "?$alt=json;enum-encoding=int"):
        call("GET", f"/v2/{QUEUE}{alt}")
        call("GET", f"/v2/{LOCATION}/queues{alt}")
        call("POST", f"/v2/{QUEUE}/tasks{alt}", {"task": TASK, "responseView": "FULL"})
        call("GET", f"/v2/{QUEUE}/tasks{alt}")
    call("POST", f"/v2/{QUEUE}/tasks", {"task": {**TASK, "name": f"{QUEUE}/tasks/t"}})
    app_engine = {"relativeUri": "/x", "body": "AAE=", "appEngineRouting": {"service": "s"}}
    call("POST", f"/v2/{QUEUE}/tasks", {"task": {"appEngineHttpRequest": app_engine}, "responseView": "FULL"})
    call("GET", f"/v2/{QUEUE}/tasks/t?responseView=FULL")
    call("GET", f"/v2/{QUEUE}/tasks/missing")
    call("POST", f"/v2/{QUEUE}/tasks/buffered:buffer", {"body": {"contentType": "text/plain", "data": "AAE="}})
    batch = {"requestId": "batch-1", "requests": [{"task": TASK}, {"task": {"httpRequest": {"url": "x"}}}]}
    call("POST", f"/v2/{QUEUE}/tasks:batchCreate", batch)
    call("GET", f"/v2/{LOCATION}/operations/batch-1")
    call("POST", f"/v2/{QUEUE}/tasks:batchDelete", {"names": [f"{QUEUE}/tasks/t", f"{QUEUE}/tasks/none"]})
    call("POST", f"/v2/{QUEUE}/tasks:batchDelete", {"names": [f"{QUEUE}/tasks/none"]})
    call("POST", f"/v2/{QUEUE}/tasks/buffered:run", {"responseView": "FULL"})
    call("POST", f"/v2/{QUEUE}:getIamPolicy", {"options": {"requestedPolicyVersion": 1}})
    policy = {"bindings": [{"role": "roles/viewer", "members": ["user:a@b.example"]}], "version": 1}
    call("POST", f"/v2/{QUEUE}:setIamPolicy", {"policy": policy})
    call("POST", f"/v2/{QUEUE}:testIamPermissions", {"permissions": ["cloudtasks.queues.get"]})
    call("POST", "/_emulator/advance?by=1s")
    call("GET", f"/v2/{QUEUE}/tasks?responseView=FULL&pageSize=2")
    call("DELETE", f"/v2/{QUEUE}/tasks/buffered")
    call("POST", f"/v2/{QUEUE}:purge", {})
    call("POST", f"/v2/{QUEUE}:resume", {})
    call("GET", "/v2/projects/p/locations?pageSize=5")
    call("GET", f"/v2/{LOCATION}")
    call("PATCH", f"/v2/{LOCATION}/cmekConfig?updateMask=kmsKey", {"kmsKey": "projects/p/k"})
    call("GET", f"/v2/{LOCATION}/cmekConfig")
    call("DELETE", f"/v2/{QUEUE}")


def jobs_over_raw_rest(call):
    targets = {
        "http": {"httpTarget": {"uri": "http://127.0.0.1:1/", "body": "AAE=", "headers": {"a": "b"}}},
        "pubsub": {"pubsubTarget": {"topicName": "projects/p/topics/t", "data": "AAE=", "attributes": {"a": "b"}}},
        "app": {"appEngineHttpTarget": {"relativeUri": "/x", "appEngineRouting": {"service": "s"}}},
    }
    for name, target in targets.items():
        retry = {"retryCount": 1, "minBackoffDuration": "300s"}
        job = {"name": f"{JOBS}/{name}", "schedule": "0 0 1 1 *", "retryConfig": retry, **target}
        call("POST", f"/v1/{JOBS}", job)
        call("POST", f"/v1/{JOBS}/{name}:run", {})
        call("GET", f"/v1/{JOBS}/{name}?$alt=json;enum-encoding=int")
    call("POST", "/_emulator/advance?by=1s")
    call("GET", f"/v1/{JOBS}/http")
    call("GET", f"/v1/{JOBS}?pageSize=2")
    call("POST", f"/v1/{JOBS}/http:pause", {})
    call("POST", f"/v1/{JOBS}/http:resume", {})
    call("PATCH", f"/v1/{JOBS}/http?updateMask=description", {"description": "d"})
    call("GET", "/v1/projects/p/locations")
    call("GET", f"/v1/{LOCATION}")
    call("GET", f"/v1/{LOCATION}/cmekConfig")
    _, operation = call("PATCH", f"/v1/{LOCATION}/cmekConfig?updateMask=kmsKeyName", {"kmsKeyName": "projects/p/k"})
    call("GET", f"/v1/{LOCATION}/operations")
    call("GET", f"/v1/{operation['name']}")
    call("POST", f"/v1/{operation['name']}:cancel", {})
    call("DELETE", f"/v1/{operation['name']}")
    call("GET", f"/v1/{operation['name']}")
    call("DELETE", f"/v1/{JOBS}/http")


def official_clients(proxy):
    tasks = client_of(tasks_v2.CloudTasksClient, proxy)
    jobs = client_of(scheduler_v1.CloudSchedulerClient, proxy)
    name = f"{LOCATION}/queues/official"
    tasks.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=name))
    tasks.pause_queue(name=name)
    request = tasks_v2.HttpRequest(url="http://127.0.0.1:1/", body=b"x", http_method=tasks_v2.HttpMethod.PUT)
    created = tasks.create_task(parent=name, task=tasks_v2.Task(http_request=request))
    assert created in list(tasks.list_tasks(parent=name))
    tasks.get_iam_policy(request={"resource": name})
    tasks.delete_queue(name=name)
    target = scheduler_v1.HttpTarget(uri="http://127.0.0.1:1/")
    jobs.create_job(parent=LOCATION, job=scheduler_v1.Job(name=f"{JOBS}/o", schedule="0 0 1 1 *", http_target=target))
    jobs.delete_job(name=f"{JOBS}/o")


def test_every_method_answers_in_its_schema(proxy):
    tasks_over_raw_rest(proxy.call)
    jobs_over_raw_rest(proxy.call)
    official_clients(proxy)
    exchanges = [exchange for exchange in proxy.exchanges if not exchange.path.startswith("/_emulator/")]
    faults = [fault for exchange in exchanges for fault in faults_of(exchange, checks_request=True)]
    assert faults == []
    refused = {e.status for e in exchanges if e.status >= 400}
    assert refused == {404, 409}, "every error here is intended"
    for document in SERVICES[:2]:
        assert {method["id"] for method in document.methods} - answered(exchanges) == set()


def exchange_of(call):
    """Returns a call of the journal as a request over HTTP, by the first binding of its method."""
    service, name = call["rpc"].split("/")
    verb, template, *body = next(m for m in services()[service] if m.name == name).bindings[0].split()
    request = next(m for m in services()[service] if m.name == name).request
    content = GetMessageClass(request).FromString(base64.b64decode(call["request"]))
    message = json_format.MessageToDict(content)

    def value(match):
        *outer, last = [json_name(part) for part in match[1].split(".")]
        holder = message
        for part in outer:
            holder = holder[part]
        # The name of an updated resource stays in the body, too.
        return holder[last] if outer else holder.pop(last)

    path = re.sub(r"\{([\w.]+)(?:=[^}]*)?\}", value, template)
    content = message if body == ["*"] else message.pop(json_name(body[0])) if body else None
    query = [] if content is message else list(message.items())
    return Exchange(verb, path, query, content, None, None)


def json_name(field):
    return re.sub("_(.)", lambda match: match[1].upper(), field)


def test_what_our_own_clients_send(bin_dir, tmp_path):
    """The emulator inside the demo logs the requests of our queue and our sync in its data folder."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(20):
        (inbox / f"{number}.txt").write_text(f"{number}\n")
    folder = tmp_path / "emulator"
    command = [bin_dir / "inbox-demo", "--inbox", inbox, "--data", tmp_path / "data", "--emulator-data", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    lines = (folder / "journal.jsonl").read_text().splitlines()
    records = [record for _, _, record in map(json.loads, lines[1:])]
    exchanges = [exchange_of(record["request"]) for record in records if "request" in record]
    tasks = [exchange for exchange in exchanges if exchange.path.endswith("/tasks")]
    assert len(tasks) >= 20
    assert [fault for exchange in exchanges for fault in faults_of(exchange, checks_request=True)] == []


@pytest.mark.parametrize(
    "method, path, body, fault",
    [
        ("POST", f"/v2/{QUEUE}/tasks", {"task": {"httpRequest": {"uri": "x"}}}, "task.httpRequest.uri: unknown"),
        ("POST", f"/v2/{QUEUE}/tasks", {"task": {"dispatchDeadline": "1h"}}, "'1h' is no google-duration"),
        ("POST", f"/v2/{QUEUE}/tasks", {"task": {"scheduleTime": "now"}}, "'now' is no google-datetime"),
        ("POST", f"/v2/{QUEUE}/tasks", {"task": {"httpRequest": {"body": "%"}}}, "'%' is no byte"),
        ("POST", f"/v2/{QUEUE}/tasks", {"responseView": "SOME"}, "'SOME' is no string"),
        ("PATCH", f"/v2/{QUEUE}", {"httpTarget": {"uriOverride": {"port": 80}}}, "80 is no int64"),
        ("PATCH", f"/v2/{QUEUE}", {"retryConfig": {"maxAttempts": "3"}}, "'3' is no int32"),
        ("GET", f"/v2/{QUEUE}/nothing", None, "no such method"),
    ],
)
def test_the_check_finds_faults(method, path, body, fault):
    """Verifies that the check can fail."""
    found = faults_of(Exchange(method, path, [], body, None, None), checks_request=True)
    assert any(fault in text for text in found), found
