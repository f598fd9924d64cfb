"""The emulated Cloud Tasks through Google's own client.

Over REST the client distinguishes errors by their HTTP status alone: 400 is BadRequest, 409 is Conflict.
"""

import datetime
import time

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

from google_clients import LOCATION


def http_task(url, **fields):
    request = fields.pop("request", {})
    return tasks_v2.Task(http_request=tasks_v2.HttpRequest(url=url, **request), **fields)


def seconds(value):
    return duration_pb2.Duration(seconds=int(value), nanos=int(value % 1 * 1_000_000_000))


def in_seconds(value):
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=value))
    return stamp


def test_a_hundred_tasks_reach_the_service_once_each(tasks, emulator, recorder, make_queue):
    queue = make_queue()
    assert queue.state == tasks_v2.Queue.State.RUNNING
    assert queue.rate_limits.max_dispatches_per_second == 500
    assert queue.rate_limits.max_concurrent_dispatches == 1000
    assert queue.retry_config.max_attempts == 100
    assert queue.retry_config.min_backoff == datetime.timedelta(milliseconds=100)
    not_before = {}
    names = []
    for index in range(100):
        task = http_task(f"{recorder.url}/{index}", request={"body": f"body {index}".encode()})
        if index % 5 == 0:
            task.name = f"{queue.name}/tasks/named-{index}"
        if index % 10 == 3:
            task.schedule_time = in_seconds(1.5)
            not_before[f"/{index}"] = time.time() + 1.4
        created = tasks.create_task(parent=queue.name, task=task)
        assert created.http_request.http_method == tasks_v2.HttpMethod.POST
        assert created.http_request.body == b"", "the basic view has no body"
        assert created.dispatch_deadline == datetime.timedelta(minutes=10)
        names.append(created.name)
    with pytest.raises(exceptions.Conflict):
        tasks.create_task(parent=queue.name, task=http_task(recorder.url, name=f"{queue.name}/tasks/named-5"))
    recorder.wait_for(100)
    emulator.wait_until_idle()
    requests = recorder.requests
    assert sorted(request["path"] for request in requests) == sorted(f"/{index}" for index in range(100))
    for request in requests:
        headers = request["headers"]
        index = int(request["path"][1:])
        assert request["method"] == "POST" and request["body"] == f"body {index}".encode()
        assert headers["user-agent"] == "Google-Cloud-Tasks"
        assert headers["x-cloudtasks-queuename"] == queue.name.split("/")[-1]
        assert headers["x-cloudtasks-taskname"] == names[index].split("/")[-1]
        assert headers["x-cloudtasks-taskretrycount"] == "0"
        assert headers["x-cloudtasks-taskexecutioncount"] == "0"
        assert abs(float(headers["x-cloudtasks-tasketa"]) - request["time"]) < 30
        assert "x-cloudtasks-taskpreviousresponse" not in headers
        assert "x-cloudtasks-taskretryreason" not in headers
        assert "content-type" not in headers
        assert "accept" not in headers
        assert request["time"] >= not_before.get(request["path"], 0)
    assert list(tasks.list_tasks(parent=queue.name)) == []


def test_retries_carry_their_count_and_the_previous_response(tasks, emulator, recorder, make_queue):
    answers = [404, 503, 302, 200]
    recorder.answer = lambda request: answers[len(recorder.requests) - 1]
    queue = make_queue(retry_config=tasks_v2.RetryConfig(min_backoff=seconds(0.2), max_doublings=1))
    tasks.create_task(parent=queue.name, task=http_task(recorder.url, name=f"{queue.name}/tasks/t"))
    emulator.wait_until_idle()
    headers = [request["headers"] for request in recorder.requests]
    assert [h["x-cloudtasks-taskretrycount"] for h in headers] == ["0", "1", "2", "3"]
    assert [h["x-cloudtasks-taskexecutioncount"] for h in headers] == ["0", "1", "1", "2"]
    assert [h.get("x-cloudtasks-taskpreviousresponse") for h in headers] == [None, "404", "503", "302"]
    assert [h.get("x-cloudtasks-taskretryreason") for h in headers] == [None, "", "", ""]
    times = [request["time"] for request in recorder.requests]
    assert times[1] - times[0] >= 0.19 and times[2] - times[1] >= 0.39 and times[3] - times[2] >= 0.79
    with pytest.raises(exceptions.NotFound, match="The task no longer exists, though"):
        tasks.get_task(name=f"{queue.name}/tasks/t")


def test_the_last_attempt_is_on_record(tasks, recorder, make_queue):
    recorder.answer = lambda request: 502
    queue = make_queue(retry_config=tasks_v2.RetryConfig(min_backoff=seconds(60)))
    request = {"body": b"\x00\xff", "headers": {"X-Mine": "1"}, "http_method": tasks_v2.HttpMethod.PUT}
    name = tasks.create_task(parent=queue.name, task=http_task(recorder.url, request=request)).name
    recorder.wait_for(1)
    deadline = time.time() + 10
    while (task := tasks.get_task(name=name)).response_count == 0 and time.time() < deadline:
        time.sleep(0.02)
    assert task.dispatch_count == 1 and task.response_count == 1
    assert task.last_attempt.response_status.message == "INTERNAL(13): HTTP status code 502"
    assert task.first_attempt.dispatch_time == task.last_attempt.dispatch_time
    assert task.view == tasks_v2.Task.View.BASIC and task.http_request.body == b""
    full = tasks.get_task(request={"name": name, "response_view": tasks_v2.Task.View.FULL})
    assert full.view == tasks_v2.Task.View.FULL and full.http_request.body == b"\x00\xff"
    assert full.http_request.http_method == tasks_v2.HttpMethod.PUT
    assert recorder.requests[0]["method"] == "PUT" and recorder.requests[0]["headers"]["x-mine"] == "1"


def test_a_task_is_given_up_after_its_attempts(tasks, emulator, recorder, make_queue):
    recorder.answer = lambda request: 500
    queue = make_queue(retry_config=tasks_v2.RetryConfig(max_attempts=3, min_backoff=seconds(0.05)))
    tasks.create_task(parent=queue.name, task=http_task(recorder.url))
    emulator.wait_until_idle()
    assert len(recorder.requests) == 3
    assert list(tasks.list_tasks(parent=queue.name)) == []


def test_pause_run_resume_and_purge(tasks, emulator, recorder, make_queue):
    queue = make_queue()
    assert tasks.pause_queue(name=queue.name).state == tasks_v2.Queue.State.PAUSED
    for index in range(3):
        tasks.create_task(
            parent=queue.name, task=http_task(f"{recorder.url}/{index}", name=f"{queue.name}/tasks/t{index}")
        )
    emulator.wait_until_idle()
    assert recorder.requests == []
    assert [task.name[-2:] for task in tasks.list_tasks(parent=queue.name)] == ["t0", "t1", "t2"]
    _, answer = emulator.call("GET", "/_emulator/deliveries")
    assert {"name": f"{queue.name}/tasks/t0", "reason": "the queue is paused"} in answer["waiting"]
    tasks.run_task(name=f"{queue.name}/tasks/t1")
    recorder.wait_for(1)
    emulator.wait_until_idle()
    assert [request["path"] for request in recorder.requests] == ["/1"]
    tasks.delete_task(name=f"{queue.name}/tasks/t0")
    assert tasks.resume_queue(name=queue.name).state == tasks_v2.Queue.State.RUNNING
    emulator.wait_until_idle()
    assert [request["path"] for request in recorder.requests] == ["/1", "/2"]
    tasks.pause_queue(name=queue.name)
    tasks.create_task(parent=queue.name, task=http_task(recorder.url))
    assert tasks.purge_queue(name=queue.name).purge_time is not None
    assert list(tasks.list_tasks(parent=queue.name)) == []


def test_an_attempt_ends_at_its_deadline(tasks, emulator, recorder, make_queue):
    recorder.answer = lambda request: (time.sleep(16.5), 200)[1] if len(recorder.requests) == 1 else 200
    queue = make_queue(retry_config=tasks_v2.RetryConfig(min_backoff=seconds(2)))
    tasks.create_task(parent=queue.name, task=http_task(recorder.url, dispatch_deadline=seconds(15)))
    requests = recorder.wait_for(2, seconds=40)
    assert 16.9 <= requests[1]["time"] - requests[0]["time"] < 25
    assert requests[1]["headers"]["x-cloudtasks-taskpreviousresponse"] == "504"
    assert requests[1]["headers"]["x-cloudtasks-taskexecutioncount"] == "0"


def test_lists_are_in_order_and_paged(tasks, make_queue, recorder):
    queue = make_queue()
    tasks.pause_queue(name=queue.name)
    ids = [f"{index:02}" for index in range(25)]
    for id in reversed(ids):
        tasks.create_task(parent=queue.name, task=http_task(recorder.url, name=f"{queue.name}/tasks/{id}"))
    pager = tasks.list_tasks(request={"parent": queue.name, "page_size": 10})
    pages = [[task.name.split("/")[-1] for task in page.tasks] for page in pager.pages]
    assert pages == [ids[:10], ids[10:20], ids[20:]]
    assert queue.name in [listed.name for listed in tasks.list_queues(parent=LOCATION)]


def test_update_a_queue(tasks, make_queue):
    queue = make_queue()
    changed = tasks.update_queue(
        queue=tasks_v2.Queue(
            name=queue.name,
            rate_limits=tasks_v2.RateLimits(max_dispatches_per_second=0.5),
            retry_config=tasks_v2.RetryConfig(max_attempts=7),
        ),
        update_mask=field_mask_pb2.FieldMask(paths=["rate_limits.max_dispatches_per_second"]),
    )
    assert changed.rate_limits.max_dispatches_per_second == 0.5
    assert changed.retry_config.max_attempts == 100
    created = tasks.update_queue(queue=tasks_v2.Queue(name=queue.name + "-new"))
    assert tasks.get_queue(name=created.name) == created


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"rate_limits": {"max_dispatches_per_second": -1}}, "RateLimits.maxDispatchesPerSecond cannot be negative."),
        ({"rate_limits": {"max_concurrent_dispatches": 5001}}, "must be less than or equal to 5000."),
        ({"retry_config": {"max_attempts": -2}}, "RetryConfig.maxAttempts must be greater or equal to -1."),
        ({"retry_config": {"min_backoff": seconds(9), "max_backoff": seconds(8)}}, "RetryConfig.minBackoff must be"),
    ],
)
def test_bad_queues(make_queue, fields, message):
    with pytest.raises(exceptions.BadRequest, match=message):
        make_queue(**fields)


def test_errors_map_to_the_clients_exceptions(tasks, make_queue, recorder):
    queue = make_queue()
    with pytest.raises(exceptions.Conflict, match="Queue already exists"):
        tasks.create_queue(parent=LOCATION, queue=queue)
    missing = f"{LOCATION}/queues/missing"
    with pytest.raises(exceptions.NotFound, match="Queue does not exist. If you just created the queue"):
        tasks.create_task(parent=missing, task=http_task(recorder.url))
    for call in (tasks.get_queue, tasks.pause_queue, tasks.resume_queue, tasks.purge_queue):
        with pytest.raises(exceptions.NotFound, match="Queue does not exist."):
            call(name=missing)
    with pytest.raises(exceptions.NotFound, match="Requested entity was not found."):
        tasks.delete_queue(name=missing)
    with pytest.raises(exceptions.BadRequest, match="must start with 'http://' or 'https://'"):
        tasks.create_task(parent=queue.name, task=http_task("ftp://h"))
    with pytest.raises(exceptions.BadRequest, match="dispatchDeadline must be between"):
        tasks.create_task(parent=queue.name, task=http_task(recorder.url, dispatch_deadline=seconds(14)))
    with pytest.raises(exceptions.BadRequest, match="too far in the future"):
        tasks.create_task(parent=queue.name, task=http_task(recorder.url, schedule_time=in_seconds(721 * 3600)))
    for call in (tasks.get_task, tasks.delete_task, tasks.run_task):
        with pytest.raises(exceptions.NotFound, match="Requested entity was not found."):
            call(name=f"{queue.name}/tasks/missing")
    tasks.delete_queue(name=queue.name)
    with pytest.raises(exceptions.BadRequest, match="existed too recently"):
        tasks.create_queue(parent=LOCATION, queue=queue)


def test_deliveries_stay_on_this_machine(tasks, emulator, make_queue):
    queue = make_queue(retry_config=tasks_v2.RetryConfig(min_backoff=seconds(3000)))
    for url in ("http://169.254.169.254/latest", "http://192.0.2.1/", "http://[fd00:ec2::254]/", "http://2852039166/"):
        tasks.create_task(parent=queue.name, task=http_task(url))
    deadline = time.time() + 20
    while time.time() < deadline:
        listed = list(tasks.list_tasks(parent=queue.name))
        if all(task.last_attempt.response_status.code for task in listed):
            break
        time.sleep(0.05)
    assert [task.response_count for task in listed] == [0, 0, 0, 0]
    for task in listed:
        assert "not on this machine" in task.last_attempt.response_status.message


def test_raw_requests(emulator, tasks, recorder, make_queue):
    queue = make_queue()
    body = {"task": {"httpRequest": {"url": recorder.url, "httpMethod": "GET"}}, "responseView": "FULL"}
    status, answer = emulator.call("POST", f"/{queue.name}/tasks", body)
    assert status == 200 and answer["view"] == "FULL", "Node's client posts without /v2"
    recorder.wait_for(1)
    status, answer = emulator.call("POST", f"/v2/{queue.name}/tasks", {"task": {"httpRequest": {"uri": "x"}}})
    assert status == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    assert "Unknown name \"uri\" at 'task.http_request'" in answer["error"]["message"]
    status, answer = emulator.call("GET", f"/v2/{queue.name}?bogus=1")
    assert status == 400 and answer["error"]["code"] == 400
    status, answer = emulator.call("GET", "/v2/" + queue.name.replace("queues/q-", "queues/%71%2D"))
    assert status == 200 and answer["name"] == queue.name
    assert emulator.call("GET", "/v2/nothing")[0] == 404
