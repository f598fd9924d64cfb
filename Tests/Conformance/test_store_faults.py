"""The demo behind a proxy that injects faults into its store and queue: nothing is lost or done twice.

The expected results come from hashlib over the inbox, the official Firestore client on the emulator itself, and the
proxy's record of the commits that the emulator accepted. The number of calls stays within a bound.
"""

import collections
import dataclasses
import json
import re
import subprocess
import time

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from emulator_process import Emulator
from fault_proxy import ALL, FaultProxy
from google_clients import client_of
from inbox import expected, facts_of, make_inbox, report_of

FILES = 200
# What a fault holds up goes on with the next pass, which comes within a minute.
LIMIT = 150
MOST = 1.5
RUN_NAME = re.compile(rb"/runs/([0-9a-f]{64})")


@dataclasses.dataclass
class Outcome:
    """The results of a complete run of the demo behind a proxy."""

    proxy: FaultProxy
    report: dict
    inbox: object
    runs: list
    seconds: float

    @property
    def ingested(self):
        """The runs of `ingest_file` in the emulator."""
        return [run for run in self.runs if run["job"] == "ingest_file"]

    @property
    def work(self):
        """The store calls that name a run of `ingest_file`; scans, passes and the report depend on time instead."""
        names = {run["id"].encode() for run in self.ingested}
        return [call for call in self.proxy.store_calls if names & set(RUN_NAME.findall(call.body))]


def run_demo(tool, cloud_jobs, folder, **faults):
    inbox, data = folder / "in", folder / "data"
    make_inbox(inbox, FILES, seed=21)
    emulator = Emulator(cloud_jobs)
    proxy = FaultProxy(emulator.url, **faults)
    try:
        begin = time.monotonic()
        result = subprocess.run(
            [
                str(tool), "--store", "firestore", "--queue", "cloud-tasks", "--emulator", proxy.address,
                "--inbox", str(inbox), "--data", str(data),
            ],
            capture_output=True, text=True, timeout=LIMIT,
        )  # fmt: skip
        seconds = time.monotonic() - begin
        assert result.returncode == 0, result.stdout[-1_000:] + result.stderr[-2_000:]
        client = firestore.Client(project="demo", credentials=AnonymousCredentials())
        client._firestore_api_internal = client_of(FirestoreClient, emulator)
        runs = [document.to_dict() | {"id": document.id} for document in client.collection("runs").stream()]
    finally:
        proxy.close()
        emulator.kill()
    return Outcome(proxy, report_of(data), inbox, runs, seconds)


def written(outcome):
    """Counts the creations and the status changes of runs of `ingest_file` in the emulator."""
    creations, statuses = collections.Counter(), collections.defaultdict(collections.Counter)
    names = {run["id"] for run in outcome.ingested}
    for call in outcome.proxy.store_calls:
        if call.kind != "commit" or call.status != 200:
            continue
        for write in json.loads(call.body)["writes"]:
            name = write.get("update", {}).get("name", "").rpartition("/")[2]
            if name not in names:
                continue
            if write.get("currentDocument") == {"exists": False}:
                creations[name] += 1
            status = write["update"]["fields"].get("status", {}).get("stringValue")
            statuses[status][name] += 1
    return creations, statuses


def check_the_end(outcome):
    assert facts_of(outcome.report) == expected(outcome.inbox)
    assert outcome.report["deadLetters"] == []
    assert collections.Counter(run["status"] for run in outcome.ingested) == {"succeeded": FILES}
    assert len({json.dumps(json.loads(run["input"])["path"]) for run in outcome.ingested}) == FILES
    creations, statuses = written(outcome)
    names = {run["id"]: 1 for run in outcome.ingested}
    assert creations == names, "some run was not created exactly once"
    assert statuses["succeeded"] == names, "some run's success was not written exactly once"


def tell(name, outcome, baseline=None):
    calls, work = len(outcome.proxy.store_calls), len(outcome.work)
    faults = collections.Counter(call.fault for call in outcome.proxy.store_calls if call.fault)
    kinds = collections.Counter(call.kind for call in outcome.proxy.calls)
    again = sum(count - 1 for count in written(outcome)[1]["running"].values())
    ratio = "" if baseline is None else f", {calls / len(baseline.proxy.store_calls):.2f} of the baseline"
    share = "" if baseline is None else f", {work / len(baseline.work):.2f} of the baseline"
    print(
        f"\n{name}: {outcome.seconds:.1f} s; {calls} store calls{ratio}; {work} for files{share}; "
        f"{calls - work} ({(calls - work) / calls:.0%}) by time; faults {sum(faults.values())} "
        f"({sum(faults.values()) / calls:.0%}); {dict(kinds)}; claimed again {again}"
    )


@pytest.fixture(scope="module")
def baseline(bin_dir, cloud_jobs, tmp_path_factory):
    outcome = run_demo(bin_dir / "inbox-demo", cloud_jobs, tmp_path_factory.mktemp("baseline"))
    tell("baseline", outcome)
    check_the_end(outcome)
    return outcome


def check(name, demo, cloud_jobs, folder, baseline, **faults):
    outcome = run_demo(demo, cloud_jobs, folder, **faults)
    tell(name, outcome, baseline)
    struck = sum(call.fault is not None for call in outcome.proxy.store_calls)
    assert struck >= 0.1 * len(outcome.proxy.store_calls), "too few injected faults"
    check_the_end(outcome)
    assert len(outcome.work) <= MOST * len(baseline.work)
    assert len(outcome.proxy.store_calls) <= MOST * len(baseline.proxy.store_calls)


@pytest.mark.parametrize("fault", ALL)
def test_each_fault_alone(demo, cloud_jobs, tmp_path, baseline, fault):
    check(fault, demo, cloud_jobs, tmp_path, baseline, seed=1, store_rate=0.15, task_rate=0.05, faults=[fault])


@pytest.mark.parametrize("seed", [1, 2])
def test_all_faults_mixed(demo, cloud_jobs, tmp_path, baseline, seed):
    check("mixed", demo, cloud_jobs, tmp_path, baseline, seed=seed, store_rate=0.15, task_rate=0.05, faults=ALL)
