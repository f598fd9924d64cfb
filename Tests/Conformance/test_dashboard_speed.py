"""The time and the size of the dashboard's pages over 100,000 runs."""

import statistics
import time

import pytest

from dashboard import Dashboard, pages_of

RUNS = 100_000
# What a page may take where the program is a release build: CLOUD_JOBS_BIN_DIR=.build/release.
MILLISECONDS = 200
# A debug build, as the tests have it, computes many times slower, and other machines are slower than the one on which
# all pages but the forecast took less than 200 ms in a debug build, and the forecast 300 ms.
DEBUG_FACTOR = 3
# The first load of a page also fills the caches of the store, and of what recent runs were measured.
FIRST_FACTOR = 2
BYTES = 100_000


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def large(request, bin_dir, tmp_path_factory):
    """The shop with a day of 100,000 runs."""
    if request.param == "sqlite":
        store = f"sqlite:{tmp_path_factory.mktemp('large') / 'jobs.db'}"
    else:
        store = request.getfixturevalue("postgres").database().store
    dashboard = Dashboard(bin_dir, store, "--no-worker", seed=RUNS)
    yield dashboard
    assert dashboard.close() == 0


def limit_of(bin_dir):
    """Returns the milliseconds that a page of a program may take."""
    return MILLISECONDS if "release" in str(bin_dir.resolve()) else MILLISECONDS * DEBUG_FACTOR


def test_every_page_is_quick_and_small(large, bin_dir):
    firsts = {}
    paths = pages_of(large, seconds=firsts)
    paths += [
        f"{large.path}/runs?q=customer-77",
        f"{large.path}/runs?q=nowhere",
        f"{large.path}/runs?correlation=order-77",
    ]
    slow, rows = [], []
    for path in dict.fromkeys(paths):
        times, size = [], 0
        for _ in range(6):
            begin = time.perf_counter()
            status, _, text = large.request("GET", path)
            times.append((time.perf_counter() - begin) * 1_000)
            assert status == 200, path
            size = len(text.encode())
        first, median = firsts.get(path, 0) * 1_000 or times[0], statistics.median(times[1:])
        rows.append(f"{median:7.1f} ms, first {first:7.1f} ms {size:7} bytes  {path}")
        limit = limit_of(bin_dir)
        if median > limit or first > limit * FIRST_FACTOR or size > BYTES:
            slow.append(rows[-1])
    print("\n".join(rows))
    assert not slow, "\n".join(slow)
