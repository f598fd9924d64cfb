"""Both transports give the same answers, and over gRPC they are what the official messages describe."""

import re

import pytest

import test_firestore_schemas as firestore_story
import test_schemas as story
from emulator_process import Emulator
from google_schema import services
from grpc_caller import GRPCCaller

# A time as text, or in microseconds.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\b\d{16}\b")


def firestore(call):
    then = firestore_story.documents_over_raw_rest(call)
    firestore_story.writes_over_raw_rest(call)
    firestore_story.transactions_over_raw_rest(call, then)
    firestore_story.queries_over_raw_rest(call)


# Each story, and the methods of its service that no request of it calls over gRPC.
STREAMS = {f"google.firestore.v1.Firestore/{name}" for name in ("ExecutePipeline", "Listen", "Write")}
STORIES = {
    "google.cloud.tasks.v2.CloudTasks": (story.tasks_over_raw_rest, set()),
    "google.cloud.scheduler.v1.CloudScheduler": (story.jobs_over_raw_rest, set()),
    "google.firestore.v1.Firestore": (firestore, STREAMS),
}


@pytest.fixture
def pair(cloud_jobs):
    """Two emulators that generate the same names."""
    options = ["--seed", "7", "--app-engine-origin", "http://127.0.0.1:1"]
    emulators = [Emulator(cloud_jobs, *options) for _ in range(2)]
    yield emulators
    for emulator in emulators:
        emulator.stop()


def comparable(answer):
    """Returns an answer without what differs from run to run: times."""
    if isinstance(answer, dict):
        return {name: comparable(value) for name, value in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [comparable(value) for value in answer]
    return TIME.sub("TIME", answer) if isinstance(answer, str) else answer


@pytest.mark.parametrize("service", STORIES)
def test_the_same_requests_have_the_same_answers(pair, service):
    rest, over_grpc = [], []
    caller = GRPCCaller(pair[1])

    def recording(call, found):
        def record(*request):
            answer = call(*request)
            found.append((request[:2], *answer))
            return answer

        return record

    act, uncalled = STORIES[service]
    act(recording(pair[0].call, rest))
    act(recording(caller.call, over_grpc))
    assert len(rest) == len(over_grpc) > 15
    for mine, other in zip(rest, over_grpc, strict=True):
        if "enum-encoding=int" in mine[0][1]:
            continue
        assert comparable(mine) == comparable(other)
    methods = {f"{service}/{method.name}" for method in services()[service]}
    assert methods - caller.called == uncalled
