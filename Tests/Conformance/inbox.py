"""Inboxes for the demo and the results that it must report for them."""

import hashlib
import json
import os
import pathlib
import random

# The time limit of a run of the demo, in seconds.
LIMIT = 240


def make_inbox(folder: pathlib.Path, count: int, seed: int) -> None:
    draw = random.Random(seed)
    for number in range(count):
        place = folder / f"day {number % 13}" / f"part-{number % 4}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"file {number} é.txt").write_bytes(draw.randbytes(draw.randint(0, 9_000)))


def expected(folder: pathlib.Path) -> dict:
    """Returns the size, the SHA-256 hash and the number of lines of every readable file, by its path."""
    facts = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(place) / name
            if path.is_file():
                content = path.read_bytes()
                facts[str(path.relative_to(folder))] = (
                    len(content),
                    hashlib.sha256(content).hexdigest(),
                    content.count(b"\n"),
                )
    return facts


def report_of(data) -> dict:
    return json.loads((data / "report.json").read_text())


def facts_of(report) -> dict:
    return {file["path"]: (file["bytes"], file["sha256"], file["lines"]) for file in report["files"]}
