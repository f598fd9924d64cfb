"""Google's own system tests of its Firestore client, from the source distribution, against the emulator.

Tests that Google itself skips where an emulator serves are skipped here too. What else does not pass is named below.
"""

import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import pytest

ENTERPRISE = "[enterprise-db-native]"
# The types of BSON are for databases of the Enterprise edition, which the emulator does not have.
ENTERPRISE_ONLY = {
    f"{prefix}{name}{ENTERPRISE}"
    for prefix in ("test_", "test_async_")
    for name in ("bson_document_read_and_write", "bson_regex_invalid_options", "bson_decimal128_special_values")
} | {f"test_bson_query_ordering{ENTERPRISE}"}
# A stream in both directions has no REST binding, so the client can't listen; the test waits for a minute.
LISTENERS = [
    f"test_{name}"
    for name in ("watch_collection", "watch_document", "watch_query", "watch_query_order", "create_document_w_vector")
]
RUNS = [
    ("test_system.py", "grpc", []),
    ("test_system_async.py", "grpc", []),
    ("test_system.py", "rest", LISTENERS),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The folder of the system tests of the installed version."""
    name = f"google_cloud_firestore-{version('google-cloud-firestore')}"
    archive = Path(sys.prefix) / "sources" / f"{name}.tar.gz"
    assert archive.is_file(), f"{archive} is missing: run `make conformance`, which downloads it."
    folder = tmp_path_factory.mktemp("firestore")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / name / "tests" / "system"


@pytest.mark.parametrize("file, transport, left_out", RUNS, ids=[f"{file}-{kind}" for file, kind, _ in RUNS])
def test_the_system_tests_pass(emulator, sources, tmp_path, file, transport, left_out):
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", file, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command += [
        option for scope in ("fixture", "test") for option in ("-o", f"asyncio_default_{scope}_loop_scope=session")
    ]
    if left_out:
        command += ["-k", " and ".join(f"not {name}" for name in left_out)]
    if transport == "rest":
        command += ["-p", "rest_transport"]
    environment = os.environ | {
        "FIRESTORE_EMULATOR_HOST": emulator.url.removeprefix("http://"),
        "GCLOUD_PROJECT": f"system-{transport}",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    log = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, timeout=600).stdout
    cases = ElementTree.parse(report).iter("testcase")
    outcomes = {case.get("name"): {child.tag for child in case} for case in cases}
    failed = {name for name, tags in outcomes.items() if tags & {"failure", "error"}}
    # The report has fewer cases than there were: some have the same name.
    passed, skipped = (int(re.search(rf"(\d+) {kind}", log)[1]) for kind in ("passed", "skipped"))
    named = len(failed) + len(left_out)
    print(f"\n{file} over {transport}: {passed} passed, {skipped} skipped by Google, {named} named exceptions")
    assert failed == ENTERPRISE_ONLY & outcomes.keys(), log[-6_000:]
    assert passed > 80
