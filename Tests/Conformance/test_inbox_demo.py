"""The demo as users run it: real files, real processes, real kills; hashlib provides the expected results."""

import hashlib
import os
import random
import signal
import subprocess
import time

import pytest

from inbox import LIMIT, expected, facts_of, make_inbox, report_of


def run(demo, inbox, data, *more, check=True):
    command = [str(demo), "--inbox", str(inbox), "--data", str(data), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=check)


def test_a_thousand_files_once_each_and_none_again(demo, tmp_path):
    inbox, data = tmp_path / "in", tmp_path / "data"
    make_inbox(inbox, 1_000, seed=1)
    run(demo, inbox, data)
    first = report_of(data)
    assert facts_of(first) == expected(inbox)
    assert len(first["files"]) == 1_000 and first["deadLetters"] == []
    assert first["newRuns"] == 1_000
    assert [file["path"] for file in first["files"]] == sorted(
        (file["path"] for file in first["files"]), key=lambda path: path.encode()
    )
    assert all(file["attempts"] == 1 for file in first["files"])

    run(demo, inbox, data)
    second = report_of(data)
    assert second["newRuns"] == 0
    assert second["files"] == first["files"]

    (inbox / "day 1" / "late.txt").write_bytes(b"one\ntwo\n")
    run(demo, inbox, data)
    third = report_of(data)
    assert third["newRuns"] == 1
    assert facts_of(third) == expected(inbox)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kills_at_any_moment_change_nothing(demo, tmp_path, seed):
    inbox, data = tmp_path / "in", tmp_path / "data"
    make_inbox(inbox, 400, seed=seed)
    draw = random.Random(seed)
    kills = 0
    for _ in range(6):
        process = subprocess.Popen(
            [str(demo), "--inbox", str(inbox), "--data", str(data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(draw.uniform(0.3, 2.5))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills > 0, "every run ended before the kill"
    result = run(demo, inbox, data)
    report = report_of(data)
    assert facts_of(report) == expected(inbox), result.stdout[-2_000:]
    assert report["deadLetters"] == []
    run(demo, inbox, data)
    assert report_of(data)["newRuns"] == 0


def test_what_cannot_be_read_ends_as_a_dead_letter_with_its_reason(demo, tmp_path):
    inbox, data = tmp_path / "in", tmp_path / "data"
    make_inbox(inbox, 10, seed=4)
    (inbox / "dangling").symlink_to("nowhere")
    (inbox / "circle").symlink_to("circle")
    (inbox / "alias").symlink_to("day 1/part-1/file 1 é.txt")
    (inbox / "folder-link").symlink_to("day 2")
    (inbox / "up").symlink_to("..")
    os.mkfifo(inbox / "pipe")
    with open(os.fsencode(inbox) + b"/bad\xff\nname", "wb") as file:
        file.write(b"a\nb\n")
    (inbox / "\x1b[31mred").write_bytes(b"")
    result = run(demo, inbox, data)
    report = report_of(data)
    letters = {letter["path"]: letter for letter in report["deadLetters"]}
    assert set(letters) == {"dangling", "circle", "pipe"}
    assert letters["dangling"]["attempts"] == 3
    assert "No such file" in letters["dangling"]["error"]
    assert "not a regular file" in letters["pipe"]["error"]
    files = facts_of(report)
    assert files["alias"] == files["day 1/part-1/file 1 é.txt"]
    assert files["bad\\xff\nname"] == (4, hashlib.sha256(b"a\nb\n").hexdigest(), 2)
    assert not [path for path in files if path.startswith(("folder-link", "up"))]
    assert "\x1b" not in result.stdout
    run(demo, inbox, data)
    assert report_of(data)["newRuns"] == 0


def test_files_that_vanish_after_the_scan_are_dead_letters(demo, tmp_path):
    inbox, data = tmp_path / "in", tmp_path / "data"
    make_inbox(inbox, 600, seed=5)
    before = expected(inbox)
    process = subprocess.Popen(
        [str(demo), "--inbox", str(inbox), "--data", str(data)], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if "ingest_file" in line:
            break
    for place, _, names in os.walk(inbox):
        for name in names[::3]:
            os.unlink(os.path.join(place, name))
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    report = report_of(data)
    done, lost = facts_of(report), {letter["path"] for letter in report["deadLetters"]}
    assert done.keys() | lost == before.keys() and not done.keys() & lost
    assert all(done[path] == before[path] for path in done)


def test_the_default_inbox_is_made_and_a_used_folder_is_locked(demo, tmp_path):
    data = tmp_path / "data"
    command = [str(demo), "--data", str(data), "--stay"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "Serving until" in line:
            break
    second = subprocess.run([str(demo), "--data", str(data)], capture_output=True, text=True, timeout=LIMIT)
    assert second.returncode != 0 and "in use by another process" in second.stderr
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0 and time.monotonic() - begin < 9
    assert [letter["path"] for letter in report_of(data)["deadLetters"]] == ["lost.txt"]


@pytest.mark.parametrize("inbox, word", [("missing", "does not exist"), ("file", "is not a readable folder")])
def test_a_bad_inbox_is_refused_in_words(demo, tmp_path, inbox, word):
    (tmp_path / "file").write_text("")
    result = run(demo, tmp_path / inbox, tmp_path / "data", check=False)
    assert result.returncode != 0 and word in result.stderr and "--inbox" in result.stderr
