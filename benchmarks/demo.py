"""A day of the demo at full speed on virtual time: the market alone, then with engine, journal and venue.

From a minute before the first open to its close. The floor is the market read by a program that does nothing.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from harness import Figure, interleaved, report

from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.risk.limits import FULL
from engine.sources.demo.market import DemoMarket
from engine.sources.sessions import ExchangeSessions
from storage.paths import find_home, folder_state
from tui.settings import load_settings
from tui.wiring.demo import DEFAULT_SEED, FIRST, DemoOptions, demo_market
from tui.wiring.market import open_sessions
from tui.wiring.runtime import RunOptions, Runtime

GOAL_MS = 10_000.0
MOST_ROUNDS = 3
"""Each round takes half a minute."""


def run(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = find_home({"TRADEDECK_HOME": str(folder / "home")})
        home.make()
        sessions = open_sessions(home)
        contenders = {
            "the market alone": lambda: _market(sessions),
            "a demo day": lambda: _day(folder, sessions),
        }
        taken = interleaved(contenders, max(1, min(rounds, MOST_ROUNDS)))
    figure = Figure(
        "demo", "demo", "a session at full speed", "a demo day", "the market alone", goal_ms=GOAL_MS
    )
    report(figure, taken)


def _market(sessions: ExchangeSessions) -> float:
    begun, close_us = time.perf_counter(), sessions.require(FIRST).close_us
    market = DemoMarket(
        DEFAULT_SEED, sessions, FIRST, load_settings(None, Path(), Path(), {}, {}).config.demo
    )
    for batch in market.read():
        if batch.ts >= close_us:
            break
    return time.perf_counter() - begun


def _day(folder: Path, sessions: ExchangeSessions) -> float:
    home = find_home({"TRADEDECK_HOME": str(folder / "home")})
    settings = load_settings(None, folder, folder, {}, {})
    state = folder_state(home, Path(tempfile.mkdtemp(dir=folder)))
    options = RunOptions(settings, home, state, PolicyName.PAPER_AUTO, FULL)
    close_us = sessions.require(FIRST).close_us
    begun = time.perf_counter()
    runtime = Runtime(
        options, demo_market(settings, state, DemoOptions(DEFAULT_SEED, None, False), sessions), sessions
    )

    async def go() -> None:
        await runtime.start()
        while runtime.is_healthy() and runtime.engine.picture.ts < close_us:  # noqa: ASYNC110 - a short look
            await asyncio.sleep(0)
        trips = runtime.engine.parts.journal.rows("round_trip")
        await runtime.stop()
        if not trips:
            raise RuntimeError("a demo day without a round trip measures another thing")

    run_virtual(go())
    return time.perf_counter() - begun
