"""The time and the size of the dashboard's pages over 100,000 runs."""

import statistics
import time

import pytest

from dashboard import Dashboard, pages_of

RUNS = 100_000
# A debug build, as the tests have it; of a release build it is a fraction.
MILLISECONDS = 200
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


def test_every_page_is_quick_and_small(large, record_property):
    paths = pages_of(large)
    paths += [
        f"{large.path}/runs?q=customer-77",
        f"{large.path}/runs?q=nowhere",
        f"{large.path}/runs?correlation=order-77",
    ]
    slow, rows = [], []
    for path in dict.fromkeys(paths):
        times, size = [], 0
        for number in range(6):
            begin = time.perf_counter()
            status, _, text = large.request("GET", path)
            if number:
                times.append((time.perf_counter() - begin) * 1_000)
            assert status == 200, path
            size = len(text.encode())
        median = statistics.median(times)
        rows.append(f"{median:7.1f} ms {size:7} bytes  {path}")
        if median > MILLISECONDS or size > BYTES:
            slow.append(rows[-1])
    print("\n".join(rows))
    assert not slow, "\n".join(slow)
