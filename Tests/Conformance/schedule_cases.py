"""Random cron expressions with their meaning, and Debian's rule applied minute by minute.

This shares no code with the program under test: an expression is a group of sets, from the generator, and zones come
from Python's zoneinfo.
"""

import calendar
import os
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Gaza",
    "UTC",
]
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
LAST, LAST_WORKDAY = "L", "LW"


def ask(lines):
    """Returns the output of `schedule-cli`, one line for each of the given lines."""
    folder = os.environ.get("CLOUD_JOBS_BIN_DIR")
    assert folder, "CLOUD_JOBS_BIN_DIR is not set: run `make conformance`, which builds the executables first."
    program = Path(folder) / "schedule-cli"
    text = "".join(line + "\n" for line in lines)
    answers = subprocess.run([program], input=text, capture_output=True, text=True, check=True, timeout=300)
    return answers.stdout.splitlines()


def zone_files():
    """Yields the name and the file of every zone in the system's database."""
    root = Path("/usr/share/zoneinfo")
    for file in sorted(root.rglob("*")):
        name = str(file.relative_to(root))
        if file.is_file() and name.split("/")[0] not in ("posix", "right") and name != "localtime":
            if file.open("rb").read(4) == b"TZif":
                yield name, file


@dataclass
class Expression:
    text: str
    minutes: set
    hours: set
    days: set
    months: set
    weekdays: set
    both: bool
    wildcard: bool
    seconds: tuple = (0,)

    def fits_day(self, day):
        last = calendar.monthrange(day.year, day.month)[1]
        workday = max(d for d in range(last - 2, last + 1) if calendar.weekday(day.year, day.month, d) < 5)
        by_month = (
            day.day in self.days
            or (LAST in self.days and day.day == last)
            or (LAST_WORKDAY in self.days and day.day == workday)
        )
        weekday = day.isoweekday() % 7
        by_week = (
            weekday in self.weekdays
            or (weekday, (day.day + 6) // 7) in self.weekdays
            or ((weekday, LAST) in self.weekdays and day.day + 7 > last)
        )
        fits = by_month and by_week if self.both else by_month or by_week
        return day.month in self.months and fits

    def fits(self, local):
        return local.minute in self.minutes and local.hour in self.hours and self.fits_day(local)


def random_field(random, low, high, names=None, extensions=()):
    """Returns the text of a random field and the set of its values."""
    kind = random.random()
    if kind < 0.3:
        return "*", set(range(low, high + 1))
    if kind < 0.42:
        step = random.randint(1, high)
        return f"*/{step}", set(range(low, high + 1, step))
    if extensions and kind < 0.55:
        return random.choice(extensions)
    texts, values = [], set()
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        first = random.randint(low, high)
        shape = random.random()
        if shape < 0.6:
            texts.append(
                names[first - low] if names and first - low < len(names) and random.random() < 0.5 else str(first)
            )
            values.add(first)
        elif shape < 0.8:
            last = random.randint(first, high)
            texts.append(f"{first}-{last}")
            values |= set(range(first, last + 1))
        elif shape < 0.9 and first < high:
            # cronsim reads 13-13/2 as 13/2, so a range with a step has two different ends here.
            last, step = random.randint(first + 1, high), random.randint(1, 10)
            texts.append(f"{first}-{last}/{step}")
            values |= set(range(first, last + 1, step))
        else:
            step = random.randint(1, 10)
            texts.append(f"{first}/{step}")
            values |= set(range(first, high + 1, step))
    return ",".join(texts), values


def random_expression(random):
    minute, minutes = random_field(random, 0, 59)
    hour, hours = random_field(random, 0, 23)
    day, days = random_field(random, 1, 31, extensions=[("L", {LAST}), ("LW", {LAST_WORKDAY})])
    month, months = random_field(random, 1, 12, MONTHS) if random.random() < 0.4 else ("*", set(range(1, 13)))
    number, nth = random.randint(0, 6), random.randint(1, 5)
    weekday, weekdays = random_field(
        random, 0, 7, WEEKDAYS, [(f"{number}L", {(number, LAST)}), (f"{WEEKDAYS[number]}#{nth}", {(number, nth)})]
    )
    weekdays = {item if isinstance(item, tuple) else item % 7 for item in weekdays}
    return Expression(
        f"{minute} {hour} {day} {month} {weekday}",
        minutes,
        hours,
        days,
        months,
        weekdays,
        both=day.startswith("*") or weekday.startswith("*"),
        wildcard=minute.startswith("*") or hour.startswith("*"),
    )


def offset(second, zone):
    return int(datetime.fromtimestamp(second, zone).utcoffset().total_seconds())


def is_due(expression, second, zone):
    """Applies Debian's rule to the minute that begins at the given second since 1970."""
    local = datetime.fromtimestamp(second, zone)
    after, before = offset(second, zone), offset(second - 60, zone)
    if expression.wildcard:
        return expression.fits(local)
    if 0 < after - before < 3 * 3600:
        naive = datetime(1970, 1, 1) + timedelta(seconds=second + before)
        for minute in range((after - before) // 60):
            if expression.fits(naive + timedelta(minutes=minute)):
                return True
    if local.fold == 1 and offset(second - 3 * 3600, zone) - after < 3 * 3600:
        return False
    return expression.fits(local)


def next_by_stepping(expression, second, zone, limit):
    """Returns the first due minute after a second, up to a limit, or None. Days that cannot match are skipped."""
    minute = (second // 60 + 1) * 60
    while minute <= limit:
        day = datetime.fromtimestamp(minute, timezone.utc)
        if not any(expression.fits_day(day + timedelta(days=d)) for d in (-1, 0, 1)):
            minute = (minute // 86400 + 1) * 86400
            continue
        if is_due(expression, minute, zone):
            return minute
        minute += 60
    return None


def transitions(zone, start, end):
    """Returns the seconds in a range at which a zone's offset changes."""
    found, second = [], start
    while second < end:
        if offset(second, zone) != offset(second + 86400, zone):
            low, high = second, second + 86400
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle, zone) == offset(low, zone) else (low, middle)
            found.append(high)
        second += 86400
    return found


def zone(name):
    return timezone.utc if name == "UTC" else ZoneInfo(name)
