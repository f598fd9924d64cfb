"""Our zone offsets against Python's zoneinfo on the same files: every zone of the system, 1900 to 2100."""

import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import schedule_cases as cases

START, END = -2_208_988_800, 4_102_444_800  # 1900 to 2100
PER_ZONE = 2_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_every_zone_has_pythons_offsets():
    rng = random.Random(2026)
    lines, expected = [], []
    zones = 0
    for name, file in cases.zone_files():
        zones += 1
        with file.open("rb") as stream:
            zone = ZoneInfo.from_file(stream)
        for _ in range(PER_ZONE):
            second = rng.randrange(START, END)
            local = (EPOCH + timedelta(seconds=second)).astimezone(zone)
            lines.append(f"offset\t\t{name}\t{second}")
            expected.append(str(int(local.utcoffset().total_seconds())))
    answers = cases.ask(lines)
    wrong = [
        (line, answer, other) for line, answer, other in zip(lines, answers, expected, strict=True) if answer != other
    ]
    print(f"\n{zones} zones, {len(lines)} offsets, {len(wrong)} disagreements")
    assert zones > 300
    assert wrong == []


def test_offsets_change_at_the_same_second():
    lines, expected = [], []
    for name, file in cases.zone_files():
        with file.open("rb") as stream:
            zone = ZoneInfo.from_file(stream)
        for change in cases.transitions(zone, 1_577_836_800, 1_735_689_600):  # 2020 to 2025
            for second in (change - 1, change, change + 1):
                lines.append(f"offset\t\t{name}\t{second}")
                expected.append(str(cases.offset(second, zone)))
    assert len(lines) > 2_000
    assert cases.ask(lines) == expected
