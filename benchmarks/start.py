"""P11: how long a person waits for the first frame, and for `tradedeck --help`."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import Figure, interleaved, report
from terminal import seconds_until_shown

PROGRAMS = Path(__file__).parent / "programs"
TRADEDECK = str(Path(sys.executable).parent / "tradedeck")
GAPS = 12
"""Rows of the console's list at 1x; the screen of the design shows twelve."""


def run(rounds: int) -> None:
    """Measure and print."""
    _help(rounds)
    _first_frame(rounds)


def _help(rounds: int) -> None:
    python, typer, ours = "bare Python", "a typer program", "tradedeck --help"
    taken = interleaved(
        {
            python: _ended([sys.executable, "-c", "pass"]),
            typer: _ended([sys.executable, str(PROGRAMS / "minimal_typer.py"), "--help"]),
            ours: _ended([TRADEDECK, "--help"]),
        },
        rounds,
    )
    report(Figure("start", "P11", "help over bare Python", ours, python, goal_ms=150.0), taken)
    report(Figure("start", "P11", "help over typer", ours, typer), taken)


def _first_frame(rounds: int) -> None:
    floor = "a minimal Textual app"
    contenders = {floor: _shown([sys.executable, str(PROGRAMS / "minimal_textual.py")], "hello")}
    names = {times: f"console with {times * GAPS} gaps" for times in (1, 4, 16)}
    for times, name in names.items():
        command = [sys.executable, str(PROGRAMS / "console.py"), str(times * GAPS)]
        contenders[name] = _shown(command, "ADV 1.2M")
    taken = interleaved(contenders, rounds)
    for times, name in names.items():
        report(Figure("start", "P11", f"first frame at {times}x", name, floor, goal_ratio=2.0), taken)


def _ended(command: Sequence[str]) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    return measure


def _shown(command: Sequence[str], word: str) -> Callable[[], float]:
    return lambda: seconds_until_shown(command, word)
