"""Other processes: a script that runs against the same files."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from storage.paths import Home, find_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = find_home({"TRADEDECK_HOME": str(tmp_path / "deck")})
    found.make()
    return found


@pytest.fixture
def start_python() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a script in a process of its own, with pipes; it is killed and reaped at the end of the test."""
    with ExitStack() as stack:

        def start(script: str, *args: str) -> "subprocess.Popen[str]":
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", script, *args],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def bars() -> BarColumns:
    """Four hundred days of one instrument."""
    count = 400
    close = 10.0 + 0.01 * np.arange(count)
    return BarColumns(
        instrument=InstrumentId("ABC.US"),
        day=np.datetime64("2015-06-01") + np.arange(count).astype("timedelta64[D]"),
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.full(count, 1e6),
        event_ratio=np.ones(count),
    )
