"""One scan over stored bars: the real engine opens the session, and nothing of it is kept."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from engine.core import Engine
from engine.execution.matching import GapFill
from engine.execution.policies import PolicyName
from engine.model.tickets import to_plain
from engine.risk.limits import DATASET
from storage.paths import Home, StatePaths, folder_state
from tui.settings import Settings
from tui.showing.desk import gap_rows
from tui.showing.gaps import scan_view
from tui.showing.gapscan import judged_now
from tui.shown.deck import GapRow
from tui.wiring.market import BarInputs, MarketData, load_market, open_sessions
from tui.wiring.replay import ReplayOptions, join, known_of, read_bars
from tui.wiring.runtime import RunOptions

Narrate = Callable[[str], None]


async def scan_document(
    settings: Settings, state: StatePaths, inputs: BarInputs, day: date | None, narrate: Narrate
) -> dict[str, Any]:
    """What the scan of a session finds; of the newest one with bars where none is named.

    Raises DataError without bars, UsageError where the day lies outside of them.
    """
    with tempfile.TemporaryDirectory(prefix="tradedeck-scan-") as folder:
        home = state.home
        options = RunOptions(
            settings, home, folder_state(home, Path(folder)), PolicyName.HOLD, DATASET, remember=False
        )
        sessions = open_sessions(home)
        session, data = day, None
        if session is None:
            data = load_market(inputs, state, sessions)
            session = data.last_day()
        replay = ReplayOptions(session, session, inputs, None, GapFill.GAP, False)
        if data is None:
            data = read_bars(replay, replace(options, state=state), sessions, narrate)
        return await _scanned(options, replay, data, home, narrate)


async def _scanned(
    options: RunOptions, replay: ReplayOptions, data: MarketData, home: Home, narrate: Narrate
) -> dict[str, Any]:
    known = known_of(options, data, narrate)
    runtime = join(options, replay, data, open_sessions(home), known)
    await runtime.start()
    try:
        await runtime.run_until_done()
        return _document(runtime.engine, replay.first)
    finally:
        await runtime.stop()


def _document(engine: Engine, session: date) -> dict[str, Any]:
    """Counts after each step, and every candidate at the price that it was judged at."""
    scan = scan_view(engine, None)
    judged = {
        verdict.candidate.correlation: verdict.candidate.decision_price for verdict, _ in judged_now(engine)
    }
    return {
        "session": session.isoformat(),
        "rule": scan.rule,
        "proposals": scan.proposals,
        "reason": scan.reason,
        "funnel": to_plain(scan.funnel),
        "nearest": to_plain(scan.nearest),
        "candidates": [_candidate(row, judged[row.correlation]) for row in gap_rows(engine)],
    }


def _candidate(row: GapRow, price: float) -> dict[str, Any]:
    return {
        "symbol": row.symbol,
        "gap_ratio": row.gap_ratio,
        "price": price,
        "q_bounce": row.q_bounce,
        "p_touch": row.p_touch,
        "bcs": row.bcs,
        "ev_ratio": row.ev_ratio,
        "ticket": row.number is not None,
        "reason": row.reason,
        "details": list(row.details),
        "blocked_by": to_plain(row.blocked_by),
    }
