"""What the emulator offers beyond Google's services: moving its clock, and telling how to be reached."""

import datetime

from conftest import LOCATION, Emulator


def test_moving_the_clock_fires_schedules_and_retries_at_their_own_times(emulator, recorder, make_queue, tasks):
    queue = make_queue()
    recorder.answer = lambda request: 500 if request["path"] == "/flaky" and len(recorder.requests) < 3 else 200
    job = {"name": f"{LOCATION}/jobs/hourly", "schedule": "0 * * * *", "httpTarget": {"uri": f"{recorder.url}/hour"}}
    assert emulator.call("POST", f"/v1/{LOCATION}/jobs", job)[0] == 200
    status, answer = emulator.call("POST", "/_emulator/advance?by=0s")
    now = datetime.datetime.fromisoformat(answer["now"].replace("Z", "+00:00"))
    late = (now + datetime.timedelta(days=2)).isoformat().replace("+00:00", "Z")
    task = {"scheduleTime": late, "httpRequest": {"url": f"{recorder.url}/late"}}
    assert emulator.call("POST", f"/v2/{queue.name}/tasks", {"task": task})[0] == 200
    status, answer = emulator.call("POST", "/_emulator/advance?by=259200s")
    assert status == 200
    after = datetime.datetime.fromisoformat(answer["now"].replace("Z", "+00:00"))
    assert datetime.timedelta(days=3) <= after - now < datetime.timedelta(days=3, seconds=60)
    slots = [
        request["headers"]["x-cloudscheduler-scheduletime"]
        for request in recorder.requests
        if request["path"] == "/hour"
    ]
    assert len(slots) == 72 and sorted(set(slots)) == slots
    late_ones = [request for request in recorder.requests if request["path"] == "/late"]
    assert len(late_ones) == 1
    assert 47 <= recorder.requests.index(late_ones[0]) <= 49, "it comes in its turn among the hours"
    assert emulator.call("POST", "/_emulator/advance?by=x")[0] == 400
    assert emulator.call("POST", "/_emulator/advance?by=-1s")[0] == 400
    emulator.call("POST", "/_emulator/reset")
    answer = emulator.call("POST", "/_emulator/advance?by=0s")[1]
    assert datetime.datetime.fromisoformat(answer["now"].replace("Z", "+00:00")) - now < datetime.timedelta(hours=1)


def test_the_lines_that_are_printed(cloud_jobs):
    emulator = Emulator(cloud_jobs)
    try:
        assert emulator.ready_line.startswith("cloud-jobs emulator is ready at http://127.0.0.1:")
        address = emulator.url.removeprefix("http://")
        lines = [emulator.process.stdout.readline().strip() for _ in range(6)]
        assert f"export CLOUD_TASKS_EMULATOR_HOST={address}" in lines
        assert f"export CLOUD_SCHEDULER_EMULATOR_HOST={address}" in lines
    finally:
        assert emulator.stop() == 0
