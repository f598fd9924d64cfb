"""The service from the Cloud Run guide, as a process behind a stand-in for Cloud Run's IAM check."""

import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

import google.auth.transport.requests
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore, scheduler_v1, tasks_v2
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.oauth2 import id_token

from emulator_process import Emulator
from google_clients import client_of
from local_service import LocalService, free_port, pass_on

PROJECT = "my-project"
REGION = "europe-west1"
CALLER = f"jobs-caller@{PROJECT}.iam.gserviceaccount.com"
MASTER = f"projects/{PROJECT}/locations/{REGION}/jobs/cloud-jobs-cloud_jobs_master"
QUEUE = f"projects/{PROJECT}/locations/{REGION}/queues/default"


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=="))


def without_signature(token, **claims):
    """Returns a token as a container on Cloud Run receives it: verified, with its signature removed."""
    header, payload, _ = token.split(".")
    return f"{header}.{encoded({**decoded(payload), **claims})}.SIGNATURE_REMOVED_BY_GOOGLE"


class CloudRun(LocalService):
    """The IAM check in front of a service that is not public.

    Google's library verifies the emulator's token; the service then sees it as Google's, without its signature.
    `calls` holds the path and the status of each admitted request.
    """

    def __init__(self, emulator, origin):
        self.emulator, self.origin = emulator, origin
        self.calls = []
        self.tokens = []
        super().__init__(self.respond)

    def respond(self, request, body):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            transport = google.auth.transport.requests.Request()
            certs = self.emulator.url + "/oauth2/v3/certs"
            claims = id_token.verify_token(token, transport, audience=self.url, certs_url=certs)
            assert claims["iss"] == self.emulator.url and claims["email"] == CALLER
        except Exception:
            return 403, {}, b""
        fields = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        fields["Authorization"] = "Bearer " + without_signature(token, iss="https://accounts.google.com")
        self.tokens.append(token)
        response, content = pass_on(self.origin, request, body, fields)
        self.calls.append((request.path, response.status))
        return response.status, {}, content


class Service:
    """The process, the services that it uses, and the IAM check in front of it."""

    def __init__(self, bin_dir, emulator):
        port = free_port()
        self.emulator = emulator
        self.origin = f"http://127.0.0.1:{port}"
        self.front = CloudRun(emulator, self.origin)
        address = emulator.url.removeprefix("http://")
        self.process = subprocess.Popen(
            [bin_dir / "cloud-run-service"],
            env={
                "PATH": os.environ["PATH"],
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "SERVICE_URL": self.front.url,
                "CALLER": CALLER,
                "REGION": REGION,
                "GOOGLE_CLOUD_PROJECT": PROJECT,
                "FIRESTORE_EMULATOR_HOST": address,
                "CLOUD_TASKS_EMULATOR_HOST": address,
                "CLOUD_SCHEDULER_EMULATOR_HOST": address,
            },
        )
        self.tasks = client_of(tasks_v2.CloudTasksClient, emulator)
        self.scheduler = client_of(scheduler_v1.CloudSchedulerClient, emulator)
        self.database = firestore.Client(project=PROJECT, credentials=AnonymousCredentials())
        self.database._firestore_api_internal = client_of(FirestoreClient, emulator)

    def until(self, condition, seconds=30):
        deadline = time.time() + seconds
        while time.time() < deadline:
            assert self.process.poll() is None, "the service has ended"
            result = condition()
            if result:
                return result
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s; calls: {self.front.calls}")

    def is_listening(self):
        try:
            urllib.request.urlopen(self.origin + "/jobs/health", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def runs(self, job):
        return [run.to_dict() for run in self.database.collection("runs").stream() if run.get("job") == job]

    def succeeded(self, job):
        return [run for run in self.runs(job) if run["status"] == "succeeded"]

    def post(self, path, body, token=None):
        fields = {"Content-Type": "application/json"}
        if token:
            fields["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            self.origin + path, data=json.dumps(body).encode(), headers=fields, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture
def service(bin_dir, cloud_jobs):
    emulator = Emulator(cloud_jobs)
    service = Service(bin_dir, emulator)
    try:
        service.until(service.is_listening)
        yield service
    finally:
        service.process.kill()
        service.process.wait(timeout=15)
        service.front.close()
        emulator.stop()


def test_the_guides_service_makes_what_it_needs_and_serves_all_kinds_of_jobs(service):
    assert [queue.name for queue in service.tasks.list_queues(parent=QUEUE.rsplit("/queues", 1)[0])] == [QUEUE]
    jobs = {job.name: job for job in service.scheduler.list_jobs(parent=MASTER.rsplit("/jobs", 1)[0])}
    assert MASTER in jobs and jobs[MASTER].schedule == "* * * * *"
    nightly = [job for job in jobs.values() if job.schedule == "0 2 * * *"]
    assert len(jobs) == 2 and nightly[0].time_zone == "Europe/Berlin"
    for job in jobs.values():
        token = job.http_target.oidc_token
        assert (token.service_account_email, token.audience) == (CALLER, service.front.url)

    # Cloud Scheduler triggers a pass, which runs the periodic job, which enqueues a task, which Cloud Tasks delivers.
    def passes():
        service.scheduler.run_job(name=MASTER)
        return service.succeeded("tick")

    service.until(passes)
    greetings = service.until(lambda: service.succeeded("greet"))
    assert [run["output"] for run in greetings] == ['"Hello, tick!"']
    service.scheduler.run_job(name=nightly[0].name)
    service.until(lambda: service.succeeded("nightly"))

    # A task for the same handler that another program creates with the official client.
    body = {"jobId": "greet", "payload": {"name": "official"}}
    target = tasks_v2.HttpRequest(
        url=service.front.url + "/jobs/trigger",
        headers={"Content-Type": "application/json"},
        body=json.dumps(body).encode(),
        oidc_token=tasks_v2.OidcToken(service_account_email=CALLER, audience=service.front.url),
    )
    service.tasks.create_task(parent=QUEUE, task=tasks_v2.Task(http_request=target))
    service.until(lambda: len(service.succeeded("greet")) == 2)
    assert {status for _, status in service.front.calls} == {200}


def test_strangers_get_nowhere(service):
    body = {"jobId": "greet", "payload": {"name": "stranger"}}
    service.scheduler.run_job(name=MASTER)
    service.until(lambda: service.front.tokens)
    token = service.front.tokens[0]
    google_claims = {"iss": "https://accounts.google.com"}
    refused = {
        "no token": None,
        "its signature still there": token,
        "another issuer": without_signature(token),
        "another account": without_signature(token, **google_claims, email="stranger@example.com"),
        "another audience": without_signature(token, **google_claims, aud="https://other.example"),
        "too old": without_signature(token, **google_claims, exp=int(time.time()) - 61),
    }
    for what, value in refused.items():
        assert service.post("/jobs/trigger", body, value) == 401, what
    assert service.runs("greet") == [] or all("stranger" not in str(run) for run in service.runs("greet"))
    assert service.post("/jobs/trigger", body, without_signature(token, **google_claims)) == 200


def test_sigterm_ends_it_in_good_order_within_cloud_runs_ten_seconds(service):
    began = time.monotonic()
    service.process.terminate()
    assert service.process.wait(timeout=10) == 0
    assert time.monotonic() - began < 10
