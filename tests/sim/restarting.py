"""A restart with fifty brackets at the venue: how long until it is reconciled, in wall and in virtual time.

The life that is restarted is the one of `./run bench restart` (P14), which measures it against a floor.
"""

import importlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
BRACKETS = 50
RECONCILED_S = 10.0
"""RELIABILITY 1, R4."""


@dataclass(frozen=True, slots=True)
class RestartReport:
    """Seconds from opening the journal until new entries are allowed."""

    brackets: int
    wall_s: tuple[float, ...]
    virtual_s: float
    seconds: float

    @property
    def violations(self) -> tuple[str, ...]:
        """What took too long."""
        slow = [taken for taken in (*self.wall_s, self.virtual_s) if taken > RECONCILED_S]
        return (f"a restart took {max(slow):.1f} s, limit {RECONCILED_S:.0f} s",) if slow else ()


def run_restarts(rounds: int) -> RestartReport:
    """One life with its brackets at the venue, restarted `rounds` times by the clock and once without it."""
    began = time.perf_counter()
    bench = _bench()
    with tempfile.TemporaryDirectory(prefix="restarts-") as folder:
        life = bench.Life(Path(folder) / "life", BRACKETS, bench.AlwaysOpen())
        wall = tuple(life.restart() for _ in range(rounds))
        virtual = life.restart_in_virtual_time()
    return RestartReport(BRACKETS, wall, virtual, time.perf_counter() - began)


def _bench() -> Any:
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return importlib.import_module("restart")
