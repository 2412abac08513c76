"""A whole day of the demo at full speed on virtual time: the market alone, then the engine with all it has.

From a minute before the first open, through the session and the night, 24 hours. The floor is the market read
by a program that does nothing. Counted is the time of the processor, which other programs of the machine
change less than the time of the wall; the garbage collector is set as the program sets it.

The tape of the charts hears every quote of that day: what one costs, beside a table of the last quotes.
"""

import asyncio
import gc
import tempfile
import time
from pathlib import Path

from harness import Figure, interleaved, report

from engine.clock import US_PER_S
from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import MarketBatch, Provenance, Quote
from engine.risk.limits import FULL
from engine.sources.demo.market import DemoMarket
from engine.sources.sessions import ExchangeSessions
from engine.tape import Tape
from storage.paths import find_home, folder_state
from tui.settings import load_settings
from tui.wiring.demo import DEFAULT_SEED, FIRST, DemoOptions, demo_market
from tui.wiring.garbage import put_off, settle
from tui.wiring.market import open_sessions
from tui.wiring.runtime import RunOptions, Runtime

GOAL_MS = 10_000.0
DAY_US = 86_400 * US_PER_S
MOST_ROUNDS = 3
"""Each round takes half a minute."""
TAPE_RATIO = 12.0
TAPE_NAMES, TAPE_STEPS = 80, 1_000


def run(rounds: int) -> None:
    """Measure and print."""
    _tape(rounds)
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
    name = "24 hours at full speed, processor time"
    report(Figure("demo", "demo", name, "a demo day", "the market alone", goal_ms=GOAL_MS), taken)


def _tape(rounds: int) -> None:
    names = [instrument_id(f"S{number}") for number in range(TAPE_NAMES)]
    batches = [_quotes(names, step) for step in range(TAPE_STEPS)]

    def taped() -> float:
        tape, begun = Tape(), time.process_time()
        for batch in batches:
            tape.take(batch)
        return time.process_time() - begun

    def kept() -> float:
        last, begun = {}, time.process_time()
        for batch in batches:
            for quote in batch.quotes:
                last[quote.instrument] = quote
        return time.process_time() - begun

    taken = interleaved({"a table of the last quotes": kept, "the tape": taped}, rounds)
    figure = Figure(
        "demo",
        "tape",
        "a quote on the tape",
        "the tape",
        "a table of the last quotes",
        goal_ratio=TAPE_RATIO,
        unit="us",
        scale=1e6 / (TAPE_NAMES * TAPE_STEPS),
    )
    report(figure, taken)


def _quotes(names: list[InstrumentId], step: int) -> MarketBatch:
    ts, bid = step * 2 * US_PER_S, 5.0 + step % 7
    return MarketBatch(
        ts, quotes=tuple(Quote(name, bid, bid + 0.02, ts, ts, Provenance.SYNTHETIC) for name in names)
    )


def _market(sessions: ExchangeSessions) -> float:
    config = load_settings(None, Path(), Path(), {}, {}).config
    begun = time.process_time()
    market = DemoMarket(DEFAULT_SEED, sessions, FIRST, config.demo)
    for batch in market.read():
        if batch.ts >= market.start_us + DAY_US:
            break
    return time.process_time() - begun


def _day(folder: Path, sessions: ExchangeSessions) -> float:
    home = find_home({"TRADEDECK_HOME": str(folder / "home")})
    settings = load_settings(None, folder, folder, {}, {})
    state = folder_state(home, Path(tempfile.mkdtemp(dir=folder)))
    options = RunOptions(settings, home, state, PolicyName.PAPER_AUTO, FULL)
    begun = time.process_time()
    with put_off():
        market = demo_market(settings, state, DemoOptions(DEFAULT_SEED, None, False), sessions)
        runtime = Runtime(options, market, sessions)

    async def go() -> None:
        await runtime.start()
        settle()
        until_us = market.start_us + DAY_US
        while runtime.is_healthy() and runtime.engine.picture.ts < until_us:  # noqa: ASYNC110 - a short look
            await asyncio.sleep(0)
        trips = runtime.engine.parts.journal.rows("round_trip")
        is_whole = runtime.engine.picture.ts >= until_us
        await runtime.stop()
        if not trips or not is_whole:
            raise RuntimeError("a demo day that ended early or without a round trip measures another thing")

    run_virtual(go())
    taken = time.process_time() - begun
    gc.unfreeze()
    gc.collect()
    return taken
