"""The tests that the document on the emulator's fidelity names, against the tests that there are."""

import re
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from repository import ROOT

DOCUMENT = ROOT / "Documentation" / "emulator-fidelity.md"
TESTS = ROOT / "Tests"
HEADERS = (["source", "meaning"], ["behaviour", "source", "test"])


def tables(text):
    """Returns each table of a document: its header, and its rows with the numbers of their lines."""
    found = []
    earlier = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|"):
            # A bar in a cell has a backslash before it.
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not earlier.startswith("|"):
                found.append((cells, []))
            elif not all(re.fullmatch(":?-+:?", cell) for cell in cells):
                found[-1][1].append((number, cells))
        earlier = line
    return found


def names(cell):
    """Returns the tests that a cell names; None if it is not a list of names, each perhaps with a remark."""
    plain = re.sub(r"\s*\([^()]*\)", "", cell)
    if not re.fullmatch(r"`[^`]+`(, `[^`]+`)*", plain):
        return None
    return re.findall("`([^`]+)`", plain)


def swift_tests():
    """Returns the tests of the emulator in Swift, by the file that they are in."""
    found = set()
    for path in TESTS.glob("CloudJobsEmulator*Tests/**/*.swift"):
        functions = re.findall(r"@Test\b.*?\bfunc (\w+)", path.read_text(), re.DOTALL)
        found |= {f"{path.stem}.{name}" for name in functions}
    return found


def python_tests(text):
    return re.findall(r"^ *(?:async )?def test_(\w+)\(", text, re.MULTILINE)


def conformance_tests():
    """Returns the tests in Python, by the file that they are in."""
    paths = (TESTS / "Conformance").glob("test_*.py")
    return {f"{path.stem}::{name}" for path in paths for name in python_tests(path.read_text())}


def system_tests():
    """Returns Google's own tests of its Firestore client."""
    name = f"google_cloud_firestore-{version('google-cloud-firestore')}"
    archive = Path(sys.prefix) / "sources" / f"{name}.tar.gz"
    assert archive.is_file(), f"{archive} is missing: run `make conformance`, which downloads it."
    found = set()
    with tarfile.open(archive) as file:
        for path in ("test_system.py", "test_system_async.py"):
            text = file.extractfile(f"{name}/tests/system/{path}").read().decode()
            found |= {f"system: {test}" for test in python_tests(text)}
    return found


@pytest.fixture(scope="module")
def document():
    """The document's tables of sources and behaviours: the sources, and the rows with the numbers of their lines."""
    found = tables(DOCUMENT.read_text())
    assert found[0][0] == HEADERS[0], "the first table is that of the sources"
    sources = {cells[0].strip("`") for _, cells in found[0][1]}
    rows = [row for header, rows in found if header == HEADERS[1] for row in rows]
    assert len(rows) > 100, "the tables of behaviours have another header"
    return sources, rows


def test_every_row_has_a_source_and_a_test(document):
    sources, rows = document
    faults = []
    for number, cells in rows:
        if len(cells) != 3:
            faults.append(f"line {number} has {len(cells)} cells")
            continue
        behaviour, source, tests = cells
        word = re.match("`([^`]+)`", source)
        if not word or word[1] not in sources:
            faults.append(f"line {number} has no source of the first table: {source}")
        if not names(tests):
            faults.append(f"line {number} names no test: {behaviour}: {tests}")
    assert not faults, "\n".join(faults)


def test_every_test_that_is_named_exists(document):
    existing = swift_tests() | conformance_tests() | system_tests()
    named = [(number, name) for number, cells in document[1] for name in names(cells[-1]) or []]
    missing = [f"line {number}: {name}" for number, name in named if name not in existing]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize(
    "cell, expected",
    [
        ("`A.b`", ["A.b"]),
        ("`A.b` (a remark), `test_a::b`, `system: c`", ["A.b", "test_a::b", "system: c"]),
        ("`A.b` (`state`)", ["A.b"]),
        ("—", None),
        ("", None),
        ("`A.b` and more", None),
    ],
)
def test_the_names_in_a_cell(cell, expected):
    assert names(cell) == expected


def test_the_tables_of_a_text():
    text = "| a | b |\n| --- | :-: |\n| 1 | `x \\| y` |\n\ntext\n\n| c |\n| - |\n"
    assert tables(text) == [(["a", "b"], [(3, ["1", "`x \\| y`"])]), (["c"], [])]
