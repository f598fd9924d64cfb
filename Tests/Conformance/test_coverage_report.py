"""The report of `make coverage`, on an export of llvm-cov."""

import json
import subprocess
import sys

from repository import ROOT


def report(tmp_path, *options):
    def file(name, covered, lines):
        summary = {"lines": {"covered": covered, "count": lines}, "functions": {"covered": 1, "count": 2}}
        return {"filename": name, "summary": summary}

    files = [
        file("/code/Sources/Core/Plan/Plan.swift", 90, 100),
        file("/code/Sources/Core/Model.swift", 10, 100),
        file("/code/Emulator/Queue/Queue.swift", 40, 40),
        file("/code/Tests/CoreTests/PlanTests.swift", 0, 900),
        file("/code/.build/checkouts/other/Sources/Other/A.swift", 0, 900),
    ]
    export = tmp_path / "coverage.json"
    export.write_text(json.dumps({"data": [{"files": files}]}))
    command = [sys.executable, ROOT / "infra" / "coverage-report", export, "--root", "/code", *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_lines_and_functions_are_counted_by_target(tmp_path):
    answer = report(tmp_path)
    assert answer.returncode == 0, answer.stderr
    names = [line.split()[0] for line in answer.stdout.splitlines()]
    assert names == ["Core", "Queue", "all"]
    core, queue, everything = answer.stdout.splitlines()
    assert "50.0 % of    200 lines" in core and "50.0 % of     4 functions" in core
    assert "100.0 % of     40 lines" in queue and "58.3 % of    240 lines" in everything
    listed = report(tmp_path, "--files").stdout.splitlines()
    assert [line.split()[0] for line in listed[1:3]] == ["Model.swift", "Plan/Plan.swift"]


def test_too_little_is_an_error_that_names_the_target(tmp_path):
    assert report(tmp_path, "--least", "50").returncode == 0
    answer = report(tmp_path, "--least", "51")
    assert answer.returncode == 1 and "Core" in answer.stderr and "Queue" not in answer.stderr
    assert "has no file" in report(tmp_path, "--root", "/elsewhere").stderr
