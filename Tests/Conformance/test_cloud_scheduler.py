"""The emulated Cloud Scheduler through Google's own client.

Over REST the client distinguishes errors by their HTTP status alone: 400 is BadRequest, 409 is Conflict.
"""

import datetime
import time

import pytest
from google.api_core import exceptions
from google.cloud import scheduler_v1
from google.protobuf import duration_pb2, field_mask_pb2

from google_clients import LOCATION

YEARLY = "0 0 1 1 *"


def job(recorder, name="", schedule=YEARLY, **fields):
    target = scheduler_v1.HttpTarget(uri=f"{recorder.url}/job", **fields.pop("target", {}))
    return scheduler_v1.Job(name=name and f"{LOCATION}/jobs/{name}", schedule=schedule, http_target=target, **fields)


def test_create_run_and_delete(scheduler, emulator, recorder):
    created = scheduler.create_job(
        parent=LOCATION, job=job(recorder, "a", target={"body": b"x", "headers": {"X-Mine": "1"}})
    )
    assert created.state == scheduler_v1.Job.State.ENABLED
    assert created.time_zone == "Etc/UTC"
    assert created.attempt_deadline == datetime.timedelta(minutes=3)
    assert created.schedule_time.month == 1 and created.schedule_time.day == 1
    assert scheduler.get_job(name=created.name) == created
    scheduler.run_job(name=created.name)
    request = recorder.wait_for(1)[0]
    headers = request["headers"]
    assert request["method"] == "POST" and request["body"] == b"x"
    assert headers["user-agent"] == "Google-Cloud-Scheduler"
    assert headers["x-cloudscheduler"] == "true"
    assert headers["x-cloudscheduler-jobname"] == "a"
    stamp = datetime.datetime.fromisoformat(headers["x-cloudscheduler-scheduletime"].replace("Z", "+00:00"))
    assert abs(stamp.timestamp() - request["time"]) < 10
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-mine"] == "1"
    emulator.wait_until_idle()
    after = scheduler.get_job(name=created.name)
    assert after.last_attempt_time is not None and after.status.code == 0
    scheduler.delete_job(name=created.name)
    with pytest.raises(exceptions.NotFound):
        scheduler.get_job(name=created.name)


def test_retries_keep_the_schedule_time(scheduler, emulator, recorder):
    recorder.answer = lambda request: 500 if len(recorder.requests) < 3 else 200
    retry = scheduler_v1.RetryConfig(retry_count=3, min_backoff_duration=duration_pb2.Duration(nanos=200_000_000))
    created = scheduler.create_job(parent=LOCATION, job=job(recorder, "retried", retry_config=retry))
    scheduler.run_job(name=created.name)
    requests = recorder.wait_for(3)
    emulator.wait_until_idle()
    assert len(recorder.requests) == 3
    assert len({request["headers"]["x-cloudscheduler-scheduletime"] for request in requests}) == 1
    assert requests[1]["time"] - requests[0]["time"] >= 0.19
    assert requests[2]["time"] - requests[1]["time"] >= 0.39


def test_a_failure_is_in_the_status(scheduler, emulator, recorder):
    recorder.answer = lambda request: 404
    created = scheduler.create_job(parent=LOCATION, job=job(recorder, "failing"))
    scheduler.run_job(name=created.name)
    recorder.wait_for(1)
    emulator.wait_until_idle()
    assert scheduler.get_job(name=created.name).status.code == 5


def test_pause_and_resume(scheduler, emulator, recorder):
    created = scheduler.create_job(parent=LOCATION, job=job(recorder, "paused"))
    with pytest.raises(exceptions.BadRequest):
        scheduler.resume_job(name=created.name)
    assert scheduler.pause_job(name=created.name).state == scheduler_v1.Job.State.PAUSED
    with pytest.raises(exceptions.BadRequest):
        scheduler.pause_job(name=created.name)
    scheduler.run_job(name=created.name)
    recorder.wait_for(1)
    assert scheduler.resume_job(name=created.name).state == scheduler_v1.Job.State.ENABLED


def test_update(scheduler, recorder):
    created = scheduler.create_job(parent=LOCATION, job=job(recorder, "updated", description="old"))
    change = scheduler_v1.Job(name=created.name, schedule="every 5 minutes", description="new")
    mask = field_mask_pb2.FieldMask(paths=["schedule"])
    updated = scheduler.update_job(job=change, update_mask=mask)
    assert updated.schedule == "every 5 minutes" and updated.description == "old"
    assert 0 < updated.schedule_time.timestamp() - time.time() <= 300
    assert updated.http_target == created.http_target


def test_list_and_server_chosen_names(scheduler, recorder):
    for name in ("l3", "l1", "l2", ""):
        scheduler.create_job(parent=LOCATION, job=job(recorder, name))
    names = [listed.name.split("/")[-1] for listed in scheduler.list_jobs(request={"parent": LOCATION, "page_size": 2})]
    assert names == sorted(names) and len(names) == 4 and {"l1", "l2", "l3"} < set(names)


def test_zones(scheduler, recorder):
    zoned = scheduler.create_job(
        parent=LOCATION, job=job(recorder, "zoned", schedule="0 9 * * *", time_zone="Asia/Kathmandu")
    )
    assert (zoned.schedule_time.hour, zoned.schedule_time.minute) == (3, 15)


@pytest.mark.parametrize(
    "schedule, zone", [("61 * * * *", ""), ("* * * *", ""), ("0 0 L * *", ""), (YEARLY, "Mars/Olympus"), ("", "")]
)
def test_bad_schedules(scheduler, recorder, schedule, zone):
    with pytest.raises(exceptions.BadRequest, match="Schedule or time zone is invalid."):
        scheduler.create_job(parent=LOCATION, job=job(recorder, schedule=schedule, time_zone=zone))


def test_errors(scheduler, recorder):
    created = scheduler.create_job(parent=LOCATION, job=job(recorder, "once"))
    with pytest.raises(exceptions.Conflict):
        scheduler.create_job(parent=LOCATION, job=created)
    with pytest.raises(exceptions.BadRequest):
        scheduler.create_job(parent=LOCATION, job=job(recorder, retry_config={"retry_count": 6}))
    for call in (scheduler.get_job, scheduler.delete_job, scheduler.run_job, scheduler.pause_job):
        with pytest.raises(exceptions.NotFound):
            call(name=f"{LOCATION}/jobs/missing")


def test_a_topic_is_stored_and_its_firing_says_why_it_fails(scheduler, emulator):
    target = scheduler_v1.PubsubTarget(topic_name="projects/p/topics/t", data=b"hi", attributes={"k": "v"})
    created = scheduler.create_job(parent=LOCATION, job=scheduler_v1.Job(schedule=YEARLY, pubsub_target=target))
    assert created.pubsub_target == target
    scheduler.run_job(name=created.name)
    emulator.wait_until_idle()
    assert "no push endpoint is configured" in scheduler.get_job(name=created.name).status.message
