"""Why-not: how long a person waits for an answer on 5,000 stored candidates."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from harness import Figure, interleaved, report

from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.journal import open_journal
from storage.whynot import read_whynot
from tui.commands.whynot import lines_of

CANDIDATES, A_SESSION = 5_000, 50
FIRST = date(2016, 1, 4)
TRADEDECK = str(Path(sys.executable).parent / "tradedeck")
OUTCOMES = ("vetoed", "vetoed", "vetoed", "approved", "expired", "rejected", "gated_out")


def run(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="td-") as folder:
        path = Path(folder) / "journal-simulation-bench.db"
        _fill(path)
        floor, symbol, summary = "opening the journal", "whynot SYMBOL", "whynot --summary"
        taken = interleaved(
            {floor: _timed(path, ""), symbol: _timed(path, "S7"), summary: _timed(path, "--summary")}, rounds
        )
        for name in (symbol, summary):
            report(Figure("whynot", "whynot", f"{name}, the answer", name, floor, goal_ms=50.0), taken)
        _commands(folder, rounds)


def _commands(folder: str, rounds: int) -> None:
    """Whole processes, for what a person feels: mostly the start of Python."""
    python, ours = "bare Python", "tradedeck whynot"
    taken = interleaved(
        {
            python: _ended([sys.executable, "-c", "pass"]),
            ours: _ended([TRADEDECK, "whynot", "S7", "--state", folder]),
        },
        rounds,
    )
    report(Figure("whynot", "whynot", "the whole command", ours, python), taken)


def _fill(path: Path) -> None:
    """As the engine writes them: 50 candidates a session, each with its mark and its audit line."""
    with open_journal(path, "bench", AccountKind.SIMULATION) as journal:
        for number in range(CANDIDATES // A_SESSION):
            day = FIRST + timedelta(days=number)
            names = [f"{number:05d}{place:03d}" for place in range(A_SESSION)]
            rows = [row for place, name in enumerate(names) for row in _rows(name, place, day)]
            audit = [AuditEntry(1, "gaps", "candidate", name, {"reason": "ADV 1.2M < 5M"}) for name in names]
            journal.commit(rows, audit)


def _rows(name: str, place: int, day: date) -> tuple[JournalRow, JournalRow]:
    instrument = f"S{place}.US"
    why = {
        "correlation": name,
        "strategy": "gaps",
        "instrument": instrument,
        "session": day.isoformat(),
        "judged_us": 1,
        "outcome": OUTCOMES[place % len(OUTCOMES)],
        "who": "screener",
        "reason": "mean traded value 1,200,000 USD is below the limit 5,000,000",
        "value": "ADV 1,200,000 USD",
        "bound": ">= 5,000,000 USD",
        "margin": "needs 3,800,000 USD more",
        "decided_us": 2,
    }
    key = f"gaps|{day.isoformat()}|{instrument}"
    return JournalRow("whynot", why), JournalRow("proposal_seen", {"key": key, "correlation": name})


def _timed(path: Path, question: str) -> Callable[[], float]:
    """Opened, read, put into words and closed: everything but the start of the process."""

    def measure() -> float:
        began = time.perf_counter()
        with read_whynot(path) as reader:
            if question == "--summary":
                found = len(reader.tallies())
            elif question:
                found = len(
                    [line for row in reader.of_symbol(question) for line in lines_of(row, whole=True)]
                )
            else:
                found = 1
        taken = time.perf_counter() - began
        if not found:
            raise RuntimeError(f"nothing was found for {question}")
        return taken

    return measure


def _ended(command: list[str]) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - began

    return measure
