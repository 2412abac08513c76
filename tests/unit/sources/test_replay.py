"""Stored bars as a market would tell them: what is known at the open, what at the close, in which order."""

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import CorporateActionKind, MarketBatch, Provenance, SessionPhase
from engine.ports import BarColumns
from engine.sources.replay import ReplaySource
from engine.sources.sessions import ExchangeSessions

FIRST, LAST = date(2015, 11, 25), date(2015, 11, 30)
DAYS = ["2015-11-24", "2015-11-25", "2015-11-27", "2015-11-30"]


def bars(symbol: str, ratios: list[float], missing: int | None = None) -> BarColumns:
    open_ = np.array([10.0, 11.0, 12.0, 13.0])
    columns = [open_, open_ + 1, open_ - 1, open_ + 0.5, open_ * 100, np.array(ratios)]
    keep = [at for at in range(4) if at != missing]
    day = np.array(DAYS, dtype="datetime64[D]")
    return BarColumns(instrument_id(symbol), day[keep], *(column[keep] for column in columns))


@pytest.fixture
def source(sessions: ExchangeSessions) -> ReplaySource:
    columns = {
        instrument_id(one.instrument[:-3]): one
        for one in (
            bars("B", [0.5, 1, 0.5, 1]),
            bars("A", [1, 0.98, 10, 0.8], missing=2),
            bars("NEW", [1, 2, 1, 1], missing=0),
        )
    }
    return ReplaySource(columns, sessions, FIRST, LAST)


def names(items: Any) -> list[str]:
    return [one.instrument for one in items]


def test_each_session_is_an_open_and_a_close_in_order_of_time(source: ReplaySource) -> None:
    batches = list(source.read())
    assert [(str(one.session), one.phase) for one in batches] == [
        (day, phase) for day in DAYS[1:] for phase in (SessionPhase.OPEN, SessionPhase.CLOSE)
    ]
    assert all(a.ts < b.ts for a, b in pairwise(batches))
    assert source.name == "replay"


def test_open_tells_the_print_and_nothing_of_the_rest_of_the_bar(source: ReplaySource) -> None:
    opening = next(source.read())
    assert names(opening.trades) == ["A.US", "B.US", "NEW.US"]
    assert [trade.price for trade in opening.trades] == [11.0] * 3
    assert all(trade.is_open and trade.ts_event == trade.ts_known == opening.ts for trade in opening.trades)
    assert [(quote.bid, quote.ask, quote.ts_known) for quote in opening.quotes] == [(11, 11, opening.ts)] * 3
    assert opening.bars == ()


def test_close_tells_the_whole_bar_of_a_half_day_at_its_early_close(source: ReplaySource) -> None:
    opening, closing = list(source.read())[2:4]
    assert (closing.ts - opening.ts) / 3.6e9 == 3.5
    assert names(closing.bars) == ["B.US", "NEW.US"]
    bar = closing.bars[0]
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (12, 13, 11, 12.5, 1200)
    assert (bar.ts_open, bar.ts_close, bar.is_final) == (opening.ts, closing.ts, True)
    assert (closing.trades, closing.quotes, closing.actions) == ((), (), ())


def test_actions_need_a_bar_that_day_and_one_before(source: ReplaySource) -> None:
    actions = [action for batch in source.read() for action in batch.actions]
    assert [(one.instrument, one.kind, one.ratio, one.prior_close, str(one.ex_date)) for one in actions] == [
        ("A.US", CorporateActionKind.DIVIDEND, 0.98, 10.5, "2015-11-25"),
        ("B.US", CorporateActionKind.SPLIT, 0.5, 11.5, "2015-11-27"),
        ("A.US", CorporateActionKind.SPLIT, 0.8, 11.5, "2015-11-30"),
    ]
    first = next(source.read())
    assert first.actions[0].ts_known == first.ts


def test_kind_of_action_at_the_border() -> None:
    from engine.model.market import corporate_action_kind

    split = [1.2, 10, 0.8, float(np.float32(0.8)), 0.5]
    assert {corporate_action_kind(ratio) for ratio in split} == {CorporateActionKind.SPLIT}
    assert {corporate_action_kind(ratio) for ratio in (0.81, 0.999)} == {CorporateActionKind.DIVIDEND}


async def test_a_restart_continues_after_the_last_instant(source: ReplaySource) -> None:
    everything = list(source.read())
    for batch in everything:
        rest: list[MarketBatch] = [one async for one in source.batches(batch.ts)]
        assert rest == everything[everything.index(batch) + 1 :]
    assert [one async for one in source.batches(-1)] == everything


def test_without_last_the_replay_ends_with_the_bars(sessions: ExchangeSessions) -> None:
    columns = {instrument_id("A"): bars("A", [1, 1, 1, 1])}
    whole = ReplaySource(columns, sessions, FIRST)
    assert whole.sessions[-1].day == LAST
    assert list(whole.read())[-1].bars[0].provenance is Provenance.REPLAY


def test_sessions_without_bars_are_told_too(sessions: ExchangeSessions) -> None:
    source = ReplaySource({}, sessions, FIRST, LAST, Provenance.SYNTHETIC)
    assert [len(batch.trades) for batch in source.read()] == [0] * 6


def test_provenance_is_the_one_given(sessions: ExchangeSessions) -> None:
    columns = {instrument_id("A"): bars("A", [1, 1, 1, 1])}
    opening, closing = list(ReplaySource(columns, sessions, LAST, LAST, Provenance.SYNTHETIC).read())
    told = [*opening.trades, *opening.quotes, *closing.bars]
    assert {one.provenance for one in told} == {Provenance.SYNTHETIC}


def test_generated_market_is_told_completely(sessions: ExchangeSessions, generated_market: Any) -> None:
    source = ReplaySource(generated_market.bars, sessions, generated_market.days[0])
    told: dict[InstrumentId, list[tuple[float, ...]]] = {}
    for batch in source.read():
        for bar in batch.bars:
            row = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            told.setdefault(bar.instrument, []).append(row)
    for instrument, columns in generated_market.bars.items():
        series = (columns.open, columns.high, columns.low, columns.close, columns.volume)
        assert told[instrument] == [tuple(row) for row in np.column_stack(series).tolist()]
