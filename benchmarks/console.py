"""P10, P11: what the console costs, counted at a real pseudo-terminal.

The demo's own figures are taken at its full pace, 120 market seconds a second, which is far more than any
market does: `space` lets it go on although tickets wait.
"""

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness import Figure, interleaved, report, report_alone
from terminal import NothingShown, Terminal, seconds_until_shown

PROGRAMS = Path(__file__).parent / "programs"
TRADEDECK = str(Path(sys.executable).parent / "tradedeck")
TABLE_ROWS, TABLE_SIZE = 500, (120, 40)
ALL_CELLS = TABLE_ROWS * 10
TICKS = 40
TABLE_ROUNDS = 3
SCREENS = "12345690"
SCREEN_S = 10.0
MOST_BYTES_A_S = 2_000
KEYS = 200
MOST_KEY_MS = 100.0
TAB, MANY_PANES = "\t", "145690"
KEY_S = 0.1
START_S = 90.0
FRAME = ("STARTING", "Gaps", "Gems", "Tickets", "Brackets", "leave")
"""Header, the title of each pane, the keys of the footer: the console's first whole picture."""
ROWS = ("flagged",)
"""Tokens have their scores: the first rows of data."""
HEAVY = "━"
"""The title of the active pane has it: a screen that comes, or a pane that becomes active, draws it."""


def run(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        _first_frames(rounds, Path(folder))
        _tables()
        _demo(Path(folder))


# First frames.


def _first_frames(rounds: int, folder: Path) -> None:
    floor, demo, attached = "a minimal Textual app", "tradedeck --demo", "tradedeck attach"
    environment = {"TRADEDECK_HOME": str(folder / "home")}
    state = ["--state", str(folder / "daemon")]
    with _daemon([TRADEDECK, "--demo", "--no-ui", *state], environment, folder / "daemon"):
        rows: dict[str, list[float]] = {demo: [], attached: []}

        def opened(name: str, command: Sequence[str], *more: str) -> float:
            """Until the first frame; how long the first rows of the same start took is noted too."""
            with Terminal(command, environment=environment) as terminal:
                framed_s = terminal.until_all((*FRAME, *more))
                rows[name].append(terminal.until_all(ROWS))
            return framed_s

        contenders: dict[str, Callable[[], float]] = {
            floor: lambda: seconds_until_shown(
                [sys.executable, str(PROGRAMS / "minimal_textual.py")], "hello"
            ),
            demo: lambda: opened(demo, [TRADEDECK, "--demo"], "SIMULATION"),
            attached: lambda: opened(attached, [TRADEDECK, "attach", "--view", *state]),
        }
        taken = interleaved(contenders, rounds)
    for name in (demo, attached):
        report(Figure("console", "P11", f"first frame of {name}", name, floor, goal_ratio=2.0), taken)
        filled = {floor: taken[floor], name: rows[name][1:]}  # without the round that warms up
        report(Figure("console", "P11", f"first rows of {name}", name, floor), filled)


@contextmanager
def _daemon(command: Sequence[str], environment: dict[str, str], state: Path) -> Iterator[None]:
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            deadline = time.perf_counter() + START_S
            while not any(state.rglob("*.sock")):
                if child.poll() is not None or time.perf_counter() > deadline:
                    raise NothingShown("the daemon did not open its socket")
                time.sleep(0.1)
            yield
        finally:
            child.terminate()


# Tables.


def _tables() -> None:
    ours, theirs = "our table", "Textual's DataTable"
    for times in (16, 4, 1):
        cells = ALL_CELLS // times
        busy: dict[str, list[float]] = {ours: [], theirs: []}
        sent: dict[str, list[float]] = {ours: [], theirs: []}
        for _ in range(TABLE_ROUNDS):
            for name, program in ((ours, "own_table.py"), (theirs, "their_table.py")):
                busy_s, count = _ticked(program, cells)
                busy[name].append(busy_s)
                sent[name].append(count)
        words = f"{cells} of {TABLE_ROWS} x 10 cells a tick"
        report(Figure("console", "P10", f"processor time, {words}", ours, theirs, goal_ratio=0.1), busy)
        figure = Figure("console", "P10", f"bytes, {words}", ours, theirs, 0.1, None, "bytes/tick", 1.0)
        report(figure, sent)
    share = [100 * busy_s * 10 for busy_s in busy[ours]]
    report_alone("console", "P10", "50,000 cell updates/s at 10 ticks/s", "% of a core", share, 15.0)


def _ticked(program: str, cells: int) -> tuple[float, float]:
    """Processor time and bytes of a tick."""
    reader, writer = os.pipe()
    arguments = [str(value) for value in (TABLE_ROWS, cells, TICKS, writer)]
    command = [sys.executable, str(PROGRAMS / program), *arguments]
    said, count, is_counting = b"", 0, False
    try:
        with Terminal(command, TABLE_SIZE, pass_fds=[writer]) as terminal:
            deadline = time.perf_counter() + START_S
            while not said.endswith(b"}\n"):
                ready, _, _ = select.select([terminal.master, reader], [], [], 1.0)
                if reader in ready:
                    said += os.read(reader, 4096)
                    is_counting = True
                if terminal.master in ready:
                    data = terminal.read(0.0)
                    count += len(data) if is_counting else 0
                if time.perf_counter() > deadline:
                    raise NothingShown(f"{program} did not end")
    finally:
        os.close(reader)
        os.close(writer)
    return json.loads(said.splitlines()[-1])["busy_s"], count / TICKS


# The demo.


def _demo(folder: Path) -> None:
    with Terminal([TRADEDECK, "--demo"], environment={"TRADEDECK_HOME": str(folder / "demo")}) as terminal:
        terminal.until("SIMULATION")
        terminal.read_for(12.0)
        terminal.press(" ")
        for screen in SCREENS:
            terminal.press(screen)
            terminal.read_for(2.0)
            busy_s = terminal.busy_s()
            sent = len(terminal.read_for(SCREEN_S)) / SCREEN_S
            share = 100 * (terminal.busy_s() - busy_s) / SCREEN_S
            name = f"screen {screen} of the demo, 80x24"
            report_alone(
                "console", "P10", name, "bytes/s", [sent], MOST_BYTES_A_S, core_percent=round(share, 1)
            )
        _keys(terminal)


def _keys(terminal: Terminal) -> None:
    """From a key to the first byte of what it draws: every screen, and panes of those that have several."""
    taken: list[float] = []
    busy_s, began = terminal.busy_s(), time.perf_counter()
    cycle = [key for screen in SCREENS for key in (screen, *(TAB * 3 if screen in MANY_PANES else ""))]
    while len(taken) < KEYS:
        for key in cycle:
            # Not in step with the market.
            terminal.read_for(KEY_S + 0.013 * (len(taken) % 10))
            terminal.press(key)
            taken.append(1000 * terminal.until(HEAVY))
    share = 100 * (terminal.busy_s() - busy_s) / (time.perf_counter() - began)
    p95 = round(statistics.quantiles(taken, n=20)[-1], 1)
    more = {"p95": p95, "core_percent": round(share, 1), "reached": p95 <= MOST_KEY_MS}
    report_alone("console", "P11", "key to paint, demo at full pace", "ms", taken, MOST_KEY_MS, **more)
