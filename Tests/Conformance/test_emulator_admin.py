"""The emulator's additions to Google's services: an adjustable clock and printed connection settings."""

import datetime
import subprocess

from emulator_process import Emulator
from google_clients import LOCATION


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
    assert 47 <= recorder.requests.index(late_ones[0]) <= 49, "the delivery is in order of time"
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


def test_queues_of_a_file_are_there_from_the_start_after_a_reset_and_after_a_restart(cloud_jobs, tmp_path):
    file = tmp_path / "queue.yaml"
    file.write_text(
        "queue:\n- name: mail  # letters\n  rate: 30/m\n  max_concurrent_requests: 3\n  target: v2\n"
        "  retry_parameters:\n    task_retry_limit: 7\n    task_age_limit: 2d\n    min_backoff_seconds: 0.5\n"
        f"- name: {LOCATION}/queues/other\n"
    )
    options = ["--queues", str(file), "--queues-location", "projects/p/locations/l", "--data", str(tmp_path / "data")]
    emulator = Emulator(cloud_jobs, *options)
    try:
        status, mail = emulator.call("GET", "/v2/projects/p/locations/l/queues/mail")
        assert status == 200
        assert mail["rateLimits"]["maxDispatchesPerSecond"] == 0.5
        assert mail["rateLimits"]["maxConcurrentDispatches"] == 3
        assert mail["retryConfig"]["maxAttempts"] == 8
        assert mail["retryConfig"]["maxRetryDuration"] == "172800s"
        assert mail["retryConfig"]["minBackoff"] == "0.500s"
        assert emulator.call("GET", f"/v2/{LOCATION}/queues/other")[0] == 200
        emulator.call("POST", "/_emulator/reset")
        assert emulator.call("GET", "/v2/projects/p/locations/l/queues/mail") == (200, mail)
        assert emulator.call("POST", "/v2/projects/p/locations/l/queues/mail:pause", {})[0] == 200
    finally:
        emulator.kill()
    file.write_text('[{"name": "mail", "rateLimits": {"maxConcurrentDispatches": 9}}]')
    for arguments in (options, options[-2:]):
        emulator = Emulator(cloud_jobs, *arguments)
        try:
            mail = emulator.call("GET", "/v2/projects/p/locations/l/queues/mail")[1]
            assert (mail["rateLimits"]["maxConcurrentDispatches"], mail["state"]) == (9, "PAUSED")
            assert emulator.call("GET", f"/v2/{LOCATION}/queues/other")[0] == 200, "what the file forgot stays"
        finally:
            emulator.kill()
    file.write_text("queue:\n- name: mail\n  rate: fast\n")
    refused = subprocess.run(
        [cloud_jobs, "emulator", "--port", "0", "--queues", file], capture_output=True, text=True, timeout=60
    )
    assert refused.returncode != 0 and "Line 3: A rate is" in refused.stderr
