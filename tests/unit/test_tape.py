"""Bars of five minutes from trades, from quotes where there was no trade, over two sessions."""

from datetime import date

import pytest

from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import (
    CorporateAction,
    CorporateActionKind,
    MarketBatch,
    Provenance,
    Quote,
    SessionPhase,
    Trade,
)
from engine.tape import MAX_BARS, MAX_INSTRUMENTS, PERIOD_US, Tape, TapeBars

ABC, XYZ = instrument_id("ABC"), instrument_id("XYZ")
OPEN_US = 1_451_917_800_000_000
DAY_US, MINUTE_US = 86_400_000_000, 60_000_000
CLOSE_US = OPEN_US + 390 * MINUTE_US


def trade(price: float, instrument: InstrumentId = ABC) -> Trade:
    return Trade(instrument, price, 0, 0, Provenance.SYNTHETIC)


def quote(middle: float | None, instrument: InstrumentId = ABC) -> Quote:
    sides = (None, 5.0) if middle is None else (middle - 0.5, middle + 0.5)
    return Quote(instrument, *sides, 0, 0, Provenance.SYNTHETIC)


def tell(tape: Tape, minute: float, *prices: Trade | Quote, phase: SessionPhase | None = None) -> None:
    tape.take(
        MarketBatch(
            OPEN_US + int(minute * MINUTE_US),
            trades=tuple(price for price in prices if isinstance(price, Trade)),
            quotes=tuple(price for price in prices if isinstance(price, Quote)),
            phase=phase,
        )
    )


def bars(tape: Tape, instrument: InstrumentId = ABC) -> TapeBars:
    found = tape.bars(instrument)
    assert found is not None
    return found


@pytest.fixture
def tape() -> Tape:
    return Tape()


def test_nothing_told_is_no_bars(tape: Tape) -> None:
    assert tape.bars(ABC) is None
    tell(tape, 0, trade(5.0, XYZ), quote(None))
    assert tape.bars(ABC) is None


@pytest.mark.parametrize("price", [float("nan"), float("inf")])
def test_what_is_no_price_draws_nothing(tape: Tape, price: float) -> None:
    tell(tape, 0, trade(price), quote(price))
    assert tape.bars(ABC) is None
    tell(tape, 1, trade(5.0), trade(price), quote(price))
    assert (bars(tape).high, bars(tape).close) == ((5.0,), (5.0,))


def test_trades_of_five_minutes_are_one_bar(tape: Tape) -> None:
    for minute, price in ((0, 5.0), (1, 6.0), (2, 4.0), (4.99, 5.5)):
        tell(tape, minute, trade(price))
    assert bars(tape) == TapeBars((OPEN_US,), (5.0,), (6.0,), (4.0,), (5.5,))


def test_the_next_five_minutes_begin_a_bar_and_silence_none(tape: Tape) -> None:
    for minute, price in ((0, 5.0), (5, 6.0), (17, 7.0)):
        tell(tape, minute, trade(price))
    found = bars(tape)
    assert found.ts == (OPEN_US, OPEN_US + PERIOD_US, OPEN_US + 3 * PERIOD_US)
    assert found.open == found.close == (5.0, 6.0, 7.0)


def test_without_a_trade_the_middles_of_the_quotes_draw_the_bar(tape: Tape) -> None:
    for minute, price in ((0, 5.0), (1, 7.0), (2, 4.0), (3, 6.0)):
        tell(tape, minute, quote(price))
    assert bars(tape) == TapeBars((OPEN_US,), (5.0,), (7.0,), (4.0,), (6.0,))


def test_a_trade_counts_and_quotes_before_and_after_it_do_not(tape: Tape) -> None:
    for price in (quote(9.0), trade(5.0), quote(1.0), trade(5.5)):
        tell(tape, 1, price)
    assert bars(tape) == TapeBars((OPEN_US,), (5.0,), (5.5,), (5.0,), (5.5,))


def test_a_quote_without_a_side_is_no_price(tape: Tape) -> None:
    tell(tape, 0, quote(5.0))
    tell(tape, 1, quote(None))
    assert bars(tape).close == (5.0,)


def test_the_closing_print_ends_the_last_bar(tape: Tape) -> None:
    tell(tape, 386, trade(5.0))
    tell(tape, 390, trade(6.0), phase=SessionPhase.CLOSE)
    found = bars(tape)
    assert (found.ts, found.close) == ((CLOSE_US - PERIOD_US,), (6.0,))


def test_instruments_do_not_mix(tape: Tape) -> None:
    tell(tape, 0, trade(5.0), trade(50.0, XYZ))
    assert (bars(tape).close, bars(tape, XYZ).close) == ((5.0,), (50.0,))


def test_two_sessions_are_kept_and_what_told_nothing_since_is_gone(tape: Tape) -> None:
    for day in range(3):
        minute = day * 1_440.0
        told = (trade(5.0 + day), trade(1.0, XYZ)) if day == 0 else (trade(5.0 + day),)
        tell(tape, minute, *told, phase=SessionPhase.OPEN)
        tell(tape, minute + 200, trade(5.5 + day))
    assert bars(tape).open == (6.0, 6.5, 7.0, 7.5)
    assert tape.bars(XYZ) is None


def test_an_opening_told_twice_forgets_nothing(tape: Tape) -> None:
    tell(tape, 0, trade(5.0), phase=SessionPhase.OPEN)
    tell(tape, 0, trade(5.0), phase=SessionPhase.OPEN)
    assert bars(tape).ts == (OPEN_US,)


def test_bars_before_a_corporate_action_stand_in_dollars_of_after_it(tape: Tape) -> None:
    tell(tape, 0, trade(8.0), trade(3.0, XYZ))
    tell(tape, 6, trade(10.0))
    split = CorporateAction(ABC, CorporateActionKind.SPLIT, 0.5, 10.0, date(2016, 1, 5), 0)
    unseen = CorporateAction(instrument_id("NONE"), CorporateActionKind.SPLIT, 0.5, 1.0, date(2016, 1, 5), 0)
    tape.take(
        MarketBatch(OPEN_US + DAY_US, actions=(split, unseen), trades=(trade(5.25),), phase=SessionPhase.OPEN)
    )
    found = bars(tape)
    assert found.close == (4.0, 5.0, 5.25)
    assert found.ts[:2] == (OPEN_US, OPEN_US + PERIOD_US)
    assert bars(tape, XYZ).close == (3.0,)


def test_around_the_clock_two_days_are_kept(tape: Tape) -> None:
    for number in range(MAX_BARS + 20):
        tell(tape, 5 * number, trade(1.0 + number))
    found = bars(tape)
    assert len(found.ts) == MAX_BARS + 1
    assert found.close[-1] == MAX_BARS + 20
    assert found.ts == tuple(found.ts[0] + number * PERIOD_US for number in range(MAX_BARS + 1))


def test_more_instruments_than_fit_have_no_bars(tape: Tape) -> None:
    names = [instrument_id(f"S{number}") for number in range(MAX_INSTRUMENTS + 1)]
    tell(tape, 0, *(trade(1.0, name) for name in names[:-1]))
    tell(tape, 1, trade(1.0, names[-1]), quote(1.0, names[-1]))
    assert tape.bars(names[-2]) is not None
    assert tape.bars(names[-1]) is None


def test_the_same_stream_draws_the_same_bars() -> None:
    tapes = Tape(), Tape()
    for tape in tapes:
        for number in range(50):
            tell(tape, number * 1.7, trade(5.0 + number % 3), quote(6.0, XYZ))
    assert bars(tapes[0]) == bars(tapes[1])
