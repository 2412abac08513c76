"""P15: sessions of the fault simulator a second on one core, at 1x, 4x and 16x the sessions.

The floor does what no such session can do without: it wakes the same virtual loop as often, gives SQLite
every statement that the session gave it (same text, same values, a journal of the same kind), and hashes as
many audit lines into a chain. What lies above it is the engine, the venue, the people and the invariants.

Both are one thread that waits for nothing, so the processor's time is a core's; wall time is printed beside.
"""

import asyncio
import hashlib
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness import interleaved

from engine import loop as virtual

SIMULATOR = Path(__file__).resolve().parents[1] / "tests" / "sim"
SESSIONS = 10
SIZES = (1, 4, 16)
FIRST_SEED = 1_000_000
"""Seeds that no other run uses, so that nothing is tuned to them."""
MOST_ROUNDS = 5
GOAL_A_SECOND = 80.0
FLOOR = "the same wakes, statements and hashes without an engine"


@dataclass(slots=True)
class Needed:
    """What one session asked of the loop, of SQLite and of the chain."""

    pauses_s: list[float] = field(default_factory=list)
    statements: list[tuple[str, Sequence[Any]]] = field(default_factory=list)
    audit_lines: int = 0


def run(rounds: int) -> None:
    """Measure and print."""
    if str(SIMULATOR) not in sys.path:
        sys.path.append(str(SIMULATOR))
    needed = [_needed(seed) for seed in range(FIRST_SEED, FIRST_SEED + 16 * SESSIONS)]
    rounds = max(2, min(rounds, MOST_ROUNDS))
    busy: dict[str, list[float]] = {}
    contenders = {}
    for times in SIZES:
        count = times * SESSIONS
        works = {"engine": partial(_sessions, count), "floor": partial(_floor, needed[:count])}
        for name, work in works.items():
            key = f"{name} {times}x"
            contenders[key] = _watched(work, busy.setdefault(key, []))
    wall = interleaved(contenders, rounds)
    for times in SIZES:
        for unit, seconds in (("processor", busy), ("wall", wall)):
            # The first of the processor's times is of the round that warmed up.
            ours, floor = (seconds[f"{name} {times}x"][-rounds:] for name in ("engine", "floor"))
            _report(times, unit, ours, floor, needed[: times * SESSIONS])


def _watched(work: Callable[[], None], busy: list[float]) -> Callable[[], float]:
    def measured() -> float:
        began, used = time.perf_counter(), time.process_time()
        work()
        busy.append(time.process_time() - used)
        return time.perf_counter() - began

    return measured


def _report(times: int, unit: str, ours: list[float], floor: list[float], needed: list[Needed]) -> None:
    count = times * SESSIONS
    rates = [count / seconds for seconds in ours]
    median = statistics.median(rates)
    floor_median = count / statistics.median(floor)
    line: dict[str, object] = {"bench": "simulator", "id": "P15", "figure": f"{unit} time at {times}x"}
    line |= {"unit": "sessions/s a core", "floor": FLOOR, "floor_median": round(floor_median, 1)}
    line |= {
        "ratio": round(floor_median / median, 3),
        "min": round(min(rates), 1),
        "median": round(median, 1),
    }
    line |= {"max": round(max(rates), 1), "rounds": len(rates)}
    line |= {"statements": sum(len(one.statements) for one in needed) // count}
    line |= {"wakes": sum(len(one.pauses_s) for one in needed) // count}
    if unit == "processor":
        line |= {"goal": GOAL_A_SECOND, "reached": median >= GOAL_A_SECOND}
    print(json.dumps(line), flush=True)


def _sessions(count: int) -> None:
    from simulator.session import run_seed  # tests/sim is on the path only once it is measured

    for seed in range(FIRST_SEED, FIRST_SEED + count):
        if run_seed(seed).violations:
            raise RuntimeError(f"seed {seed} violates an invariant: ./run sim --seed {seed} --trace")


def _floor(needed: Sequence[Needed]) -> None:
    for one in needed:
        with asyncio.Runner(loop_factory=virtual.VirtualLoop) as runner:
            runner.run(_least(one))


async def _least(needed: Needed) -> None:
    from simulator.disk import new_connection  # tests/sim is on the path only once it is measured

    database = new_connection()
    each = len(needed.statements) / max(len(needed.pauses_s), 1)
    done, due = 0, 0.0
    for pause_s in needed.pauses_s:
        await asyncio.sleep(pause_s)
        due += each
        while done < min(due, len(needed.statements)):
            sql, values = needed.statements[done]
            database.execute(sql, values).fetchall()
            done += 1
    digest = b""
    for number in range(needed.audit_lines):
        digest = hashlib.sha256(digest + b"%d" % number + bytes(200)).digest()
    database.close()


def _needed(seed: int) -> Needed:
    """Run a session and write down what it asks for."""
    from simulator.session import run_seed  # tests/sim is on the path only once it is measured

    needed = Needed()
    with _recorded(needed):
        run_seed(seed)
    needed.audit_lines = sum(sql.startswith("INSERT INTO audit") for sql, _ in needed.statements)
    return needed


@contextmanager
def _recorded(needed: Needed) -> Iterator[None]:
    from simulator.disk import Connection  # tests/sim is on the path only once it is measured

    execute, jump = Connection.execute, virtual._JumpingSelector._jump

    def kept(connection: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        was_open = connection.in_transaction
        try:
            cursor = execute(connection, sql, values)
        except BaseException:
            if was_open and not connection.in_transaction:
                needed.statements.append(("ROLLBACK", ()))
            raise
        needed.statements.append((sql, values))
        return cursor

    def jumped(selector: Any, timeout: float | None) -> float:
        seconds = jump(selector, timeout)
        needed.pauses_s.append(seconds)
        return seconds

    Connection.execute, virtual._JumpingSelector._jump = kept, jumped
    try:
        yield
    finally:
        Connection.execute, virtual._JumpingSelector._jump = execute, jump
