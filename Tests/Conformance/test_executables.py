"""The executables that the other conformance tests start."""

import os
import pathlib

import pytest


@pytest.mark.parametrize("name", ["cloud-jobs", "inbox-demo"])
def test_executable_is_built(bin_dir: pathlib.Path, name: str) -> None:
    assert os.access(bin_dir / name, os.X_OK)
