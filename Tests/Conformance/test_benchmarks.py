"""The benchmark's script: one quick round gives figures, and only a failure of our own programs fails it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from repository import ROOT

OWN = "swift-cloud-jobs"
IN_MEMORY = "No-op jobs in memory, enqueued and executed"


def bench(bin_dir: pathlib.Path, results: pathlib.Path, *arguments: str) -> tuple[int, dict]:
    """Runs the script with this Python; peers that are not installed for it are left out."""
    command = [sys.executable, ROOT / "Benchmarks" / "bench.py", "--quick", "--bin-dir", bin_dir, "--json", results]
    finished = subprocess.run([*command, *arguments], timeout=600, check=False)
    return finished.returncode, json.loads(results.read_text())


def script(path: pathlib.Path, text: str) -> pathlib.Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def failing(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of products in which the worker's benchmark fails."""
    folder = tmp_path / "products"
    folder.mkdir()
    script(folder / "worker-benchmark", "echo out of order >&2; exit 3")
    return folder


def test_one_quick_round_gives_figures(bin_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    status, report = bench(bin_dir, tmp_path / "results.json")
    assert status == 0
    assert report["rounds"] == 1
    assert report["machine"]["cores"] == os.cpu_count()
    assert {"system", "revision", "swift", "python", "postgres"} <= report["machine"].keys()
    titles = [comparison["title"] for comparison in report["comparisons"]]
    assert IN_MEMORY in titles
    assert any("SQLite" in title for title in titles)
    for comparison in report["comparisons"]:
        own = [row for row in comparison["rows"] if row["own"]]
        assert [row["name"] for row in own] == [OWN]
        assert own[0]["median"] > 0, comparison["title"]
        for row in comparison["rows"]:
            assert (row["median"] is None) == (row["note"] is not None), row
    # The limits of the databases need no package but Python's own.
    rows = {row["name"]: row for comparison in report["comparisons"] for row in comparison["rows"]}
    assert rows["raw grouped transactions"]["ratio"] > 0


def test_a_failure_of_our_own_program_fails_the_script(failing: pathlib.Path, tmp_path: pathlib.Path) -> None:
    status, report = bench(failing, tmp_path / "results.json", "--only", "memory")
    assert status == 1
    assert report["comparisons"][0]["rows"][0]["note"] == "It failed: out of order"


def test_a_missing_program_of_our_own_fails_the_script(tmp_path: pathlib.Path) -> None:
    status, report = bench(tmp_path, tmp_path / "results.json", "--only", "memory")
    assert status == 1
    assert "There is no program" in report["comparisons"][0]["rows"][0]["note"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("echo out of order >&2; exit 3", "It failed: out of order"),
        ("echo no figures", "It failed: Expecting value: line 1 column 1 (char 0)"),
        ("echo '{\"p99\": 1}'", "It failed: 'runsPerSecond'"),
        ("echo '{\"runsPerSecond\": 5}'", None),
    ],
    ids=["a failure", "no JSON", "another figure", "a figure"],
)
def test_a_failure_of_a_peer_is_a_note(
    bin_dir: pathlib.Path, tmp_path: pathlib.Path, text: str, note: str | None
) -> None:
    peer = script(tmp_path / "peer", text)
    status, report = bench(bin_dir, tmp_path / "results.json", "--only", "memory", "--memory-peer", f"peer={peer}")
    assert status == 0
    own, other = report["comparisons"][0]["rows"]
    assert own["median"] > 0
    assert (other["name"], other["own"], other["note"]) == ("peer", False, note)
    assert other["median"] == (5 if note is None else None)
