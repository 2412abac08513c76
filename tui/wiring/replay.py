"""Stored days as the market of a run (SPEC 9.8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.backtest.pace import EVE_US, Pace
from engine.errors import UsageError
from engine.execution.matching import NAIVE, GapFill
from engine.features.history import StoredHistory
from engine.model.ids import AccountId, InstrumentId
from engine.model.market import Instrument, Provenance
from engine.sources.replay import ReplaySource
from engine.sources.sessions import ExchangeSessions
from engine.strategies.knowledge import NOTHING_KNOWN, Knowledge
from tui.wiring.market import BarInputs, EquityTicks, MarketData, in_ticks, load_market, open_sessions
from tui.wiring.runtime import Mark, Market, RunOptions, Runtime
from tui.wiring.shelf import registry_shelf

REPLAY_ACCOUNT = AccountId("replay")


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Which stored days are replayed, and how they are shown."""

    first: date
    last: date | None
    inputs: BarInputs
    speed: float | None
    fill: GapFill
    wait_for_tickets: bool
    in_ticks: bool = False
    """Prices as a venue quotes and takes them; else as stored, to compare with a back-test."""


def replay_market(replay: ReplayOptions, data: MarketData, sessions: ExchangeSessions, state: str) -> Market:
    """Daily bars as a market. `state`: the name of the state folder, which its ids are made from."""
    ticks = EquityTicks()
    instruments: Mapping[InstrumentId, Instrument] = ticks if replay.in_ticks else {}
    bars = in_ticks(data.bars) if replay.in_ticks else data.bars
    return Market(
        account=REPLAY_ACCOUNT,
        provenance=Provenance.REPLAY,
        source=ReplaySource(bars, sessions, replay.first, None),
        start_us=sessions.require(replay.first).open_us - EVE_US,
        history=StoredHistory(bars, replay.first).at,
        index=data.index,
        instruments=instruments,
        # The naive rule trades as its published back-test does: free and unrounded.
        rules=replace(NAIVE, gap_fill=replay.fill),
        pace=Pace(replay.speed, replay.wait_for_tickets),
        dataset=True,
        marks=(Mark("replay_first", replay.first.isoformat(), "a replay from"),),
        id_seed=state,
        sees=ticks.take,
        entry_until=replay.last,
        flat_after_us=_flat_after(replay, sessions),
    )


def read_bars(
    replay: ReplayOptions, options: RunOptions, sessions: ExchangeSessions, narrate: Callable[[str], None]
) -> MarketData:
    """The bars of a replay. Raises DataError without any, UsageError where the day lies outside of them."""
    sessions.require(replay.first)
    data = load_market(replay.inputs, options.state, sessions)
    for note in data.notes:
        narrate(note)
    begin, last = data.first_day(), data.last_day()
    if replay.first < begin:
        raise UsageError(
            f"the daily bars begin on {begin}, after {replay.first}", "Name a later day, or older bars"
        )
    if last < replay.first:
        raise UsageError(
            f"the daily bars end on {last}, before {replay.first}", "Name an earlier day, or newer bars"
        )
    return data


def known_of(options: RunOptions, data: MarketData, narrate: Callable[[str], None]) -> Knowledge:
    """What stored days know beside prices: SPY, and registered models, each only after its own training.

    Takes a second or two where there are models.
    """
    shelf = registry_shelf(options.home, narrate)

    def opened(session: date) -> float | None:
        if data.spy is None:
            return None
        at = int(data.spy.day.searchsorted(np.datetime64(session, "D")))
        is_there = at < len(data.spy) and data.spy.day[at] == np.datetime64(session, "D")
        return float(data.spy.open[at]) if is_there else None

    spread_bps = options.settings.config.backtest.spread_bps
    return Knowledge(model=shelf.as_of, spy_price=opened, spread_bps=spread_bps)


def join(
    options: RunOptions,
    replay: ReplayOptions,
    data: MarketData,
    sessions: ExchangeSessions,
    knowledge: Knowledge = NOTHING_KNOWN,
) -> Runtime:
    """An engine on bars that are at hand; nothing is opened for writing before `Runtime.start`."""
    market = replay_market(replay, data, sessions, options.state.folder.name)
    return Runtime(options, replace(market, knowledge=knowledge), sessions)


def build(options: RunOptions, replay: ReplayOptions, narrate: Callable[[str], None]) -> Runtime:
    """Read the market data and join everything."""
    sessions = open_sessions(options.home)
    data = read_bars(replay, options, sessions, narrate)
    return join(options, replay, data, sessions, known_of(options, data, narrate))


def _flat_after(replay: ReplayOptions, sessions: ExchangeSessions) -> int | None:
    if replay.last is None:
        return None
    days = sessions.between(replay.first, replay.last)
    return days[-1].close_us if days else 0
