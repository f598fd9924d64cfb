"""What the conformance tests share: where the package's executables are."""

import os
import pathlib

import pytest


@pytest.fixture(scope="session")
def bin_dir() -> pathlib.Path:
    """The folder with the built executables, as `swift build --show-bin-path` prints it."""
    folder = os.environ.get("CLOUD_JOBS_BIN_DIR")
    if not folder:
        pytest.fail("CLOUD_JOBS_BIN_DIR is not set: run `make conformance`, which builds the executables first.")
    return pathlib.Path(folder)


@pytest.fixture(scope="session")
def cloud_jobs(bin_dir: pathlib.Path) -> pathlib.Path:
    """The command-line tool."""
    tool = bin_dir / "cloud-jobs"
    assert tool.is_file(), f"{tool} is missing: run `make conformance`, which builds it."
    return tool
