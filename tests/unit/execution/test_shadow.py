"""A signal followed on paper ends as its bracket would have (SPEC 3.14, 9.5)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.execution.matching import NAIVE, STANDARD, Resting
from engine.execution.shadow import (
    LONGEST_SILENCE,
    Shadow,
    ShadowTerms,
    begin,
    end_session,
    on_price,
    outcome,
    restated,
)
from engine.model.candidates import Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.market import Bar, Provenance
from engine.model.positions import ExitReason

DAY = date(2016, 1, 4)
OPEN_US, CLOSE_US, DAY_US = 1_000_000, 9_000_000, 86_400_000_000
ABC = InstrumentId("ABC.US")
TICK = Decimal("0.01")
BARS = replace(STANDARD, resting=Resting.BARS)


@pytest.fixture
def terms() -> Callable[..., ShadowTerms]:
    """Bought at 10.00 at the open of DAY: stop 9.20, target 10.60, five sessions."""

    def make(**changes: Any) -> ShadowTerms:
        values: dict[str, Any] = dict(
            correlation=CorrelationId("C1"),
            strategy=StrategyName("gaps"),
            instrument=ABC,
            session=DAY,
            proposed=True,
            is_second=False,
            opened_us=OPEN_US,
            entry_price=Decimal("10.00"),
            stop_price=Decimal("9.20"),
            target_price=Decimal("10.60"),
            max_sessions=5,
            quantity=Decimal(12),
            entry_cost=0.001,
            exit_cost=0.002,
            policy_id="p",
            model_id=None,
            votes={"trader": Vote.APPROVE},
        )
        return ShadowTerms(**{**values, **changes})

    return make


@pytest.fixture
def signal(terms: Callable[..., ShadowTerms]) -> Shadow:
    return begin(terms())


def bar(n: int, open_: float, high: float, low: float, close: float) -> Bar:
    shift = n * DAY_US
    return Bar(ABC, open_, high, low, close, 1e6, OPEN_US + shift, CLOSE_US + shift, Provenance.REPLAY)


def closed(signal: Shadow, n: int, *prices: float) -> Shadow:
    """After the n-th session of the exchange, with its bar where prices are given."""
    found = bar(n, *prices) if prices else None
    return end_session(signal, found, CLOSE_US + n * DAY_US, DAY + timedelta(days=n), TICK, BARS)


def told(signal: Shadow, n: int, price: float, at_us: int = 2_000_000) -> Shadow:
    return on_price(signal, price, at_us + n * DAY_US, DAY + timedelta(days=n), STANDARD)


def ending(signal: Shadow) -> tuple[ExitReason, Decimal, int]:
    assert signal.exit is not None
    return signal.exit.reason, signal.exit.price, signal.held


def test_target_inside_a_bar_sells_at_its_price(signal: Shadow) -> None:
    assert ending(closed(signal, 0, 10.0, 10.7, 9.9, 10.4)) == (ExitReason.TARGET, Decimal("10.60"), 1)


def test_target_needs_one_tick_more_than_a_touch(signal: Shadow) -> None:
    assert closed(signal, 0, 10.0, 10.60, 9.9, 10.4).exit is None
    touched = end_session(signal, bar(0, 10.0, 10.60, 9.9, 10.4), CLOSE_US, DAY, None, NAIVE)
    assert ending(touched)[0] is ExitReason.TARGET


def test_stop_comes_before_the_target_inside_one_bar(signal: Shadow) -> None:
    assert ending(closed(signal, 0, 10.0, 11.0, 9.1, 10.4)) == (ExitReason.STOP, Decimal("9.20"), 1)


def test_gap_through_a_price_fills_at_the_open_of_a_later_session(signal: Shadow) -> None:
    first = closed(signal, 0, 10.0, 10.2, 9.8, 10.0)
    assert ending(closed(first, 1, 8.5, 8.9, 8.4, 8.8)) == (ExitReason.STOP, Decimal("8.5"), 2)
    assert ending(closed(first, 1, 11.0, 11.2, 10.9, 11.0)) == (ExitReason.TARGET, Decimal("11.0"), 2)


def test_fifth_close_ends_what_touched_nothing(signal: Shadow) -> None:
    for n in range(5):
        assert signal.exit is None
        signal = closed(signal, n, 10.0, 10.3, 9.7, 10.2)
    assert ending(signal) == (ExitReason.TIME, Decimal("10.2"), 5)
    assert closed(signal, 5, 10.0, 12.0, 9.7, 10.2) == signal, "what is over stays"


def test_session_that_was_closed_already_changes_nothing(signal: Shadow) -> None:
    once = closed(signal, 0, 10.0, 10.3, 9.7, 10.2)
    assert closed(once, 0, 10.0, 12.0, 8.0, 10.2) == once


def test_sessions_without_a_price_are_not_its_own(signal: Shadow) -> None:
    for n in range(3):
        signal = closed(signal, n)
    assert (signal.held, signal.silent, signal.void) == (0, 3, "")
    assert closed(signal, 3, 10.0, 10.1, 9.9, 10.0).silent == 0


def test_silence_for_too_long_leaves_no_outcome(signal: Shadow) -> None:
    for n in range(LONGEST_SILENCE):
        signal = closed(signal, n)
    assert signal.void == f"no price in {LONGEST_SILENCE} sessions"
    assert signal.is_over
    assert closed(signal, LONGEST_SILENCE, 10.0, 11.0, 9.9, 10.0) == signal


def test_entry_inside_a_session_counts_the_low_but_not_the_high_of_its_bar(
    terms: Callable[..., ShadowTerms],
) -> None:
    late = begin(terms(opened_us=OPEN_US + 900))
    assert closed(late, 0, 10.0, 10.9, 9.5, 10.1).exit is None
    assert closed(late, 0, 10.0, 10.9, 9.5, 10.1).high == Decimal("10.1")
    assert ending(closed(late, 0, 10.0, 10.4, 9.1, 10.1))[0] is ExitReason.STOP


def test_prices_after_the_entry_tell_more_than_the_bar_of_its_session(
    terms: Callable[..., ShadowTerms],
) -> None:
    late = told(begin(terms(opened_us=OPEN_US + 900)), 0, 10.1)
    after = closed(late, 0, 10.0, 10.9, 9.1, 10.3)
    assert (after.exit, after.held, after.low) == (None, 1, Decimal("10.00"))
    assert after.heard is None


def test_last_price_ends_a_session_without_a_bar(terms: Callable[..., ShadowTerms]) -> None:
    signal = told(begin(terms(max_sessions=1)), 0, 10.1)
    assert ending(closed(signal, 0)) == (ExitReason.TIME, Decimal("10.1"), 1)


def test_each_price_may_end_it(signal: Shadow) -> None:
    assert ending(told(signal, 0, 9.15)) == (ExitReason.STOP, Decimal("9.15"), 1)
    assert ending(told(signal, 0, 10.65)) == (ExitReason.TARGET, Decimal("10.60"), 1)
    still = told(signal, 0, 9.9)
    assert (still.exit, still.low, still.heard) == (None, Decimal("9.9"), Decimal("9.9"))


def test_first_price_of_a_later_session_beyond_the_target_is_what_it_gets(signal: Shadow) -> None:
    next_day = closed(signal, 0, 10.0, 10.2, 9.8, 10.0)
    assert ending(told(next_day, 1, 10.95))[1] == Decimal("10.95")
    assert ending(told(told(next_day, 1, 10.2), 1, 10.95))[1] == Decimal("10.60")


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_what_is_no_price_tells_nothing(signal: Shadow, price: float) -> None:
    assert told(signal, 0, price) == signal


def test_price_of_before_the_decision_tells_nothing(signal: Shadow) -> None:
    assert told(signal, 0, 8.0, at_us=OPEN_US - 1) == signal
    over = told(signal, 0, 9.0)
    assert told(over, 0, 10.9) == over


def test_split_restates_its_prices_once(signal: Shadow) -> None:
    first = closed(signal, 0, 10.0, 10.2, 9.8, 10.0)
    split = restated(first, 0.5, DAY + timedelta(days=1))
    assert restated(split, 0.5, DAY + timedelta(days=1)) == split
    assert restated(signal, 0.5, DAY) == signal, "the entry is in dollars of its own day"
    assert ending(closed(split, 1, 5.0, 5.4, 4.9, 5.2)) == (ExitReason.TARGET, Decimal("10.60"), 2)
    assert ending(told(split, 1, 4.5)) == (ExitReason.STOP, Decimal("9.000000"), 2)


def test_outcome_names_costs_and_excursions(signal: Shadow) -> None:
    target = closed(closed(signal, 0, 10.0, 10.3, 9.5, 10.2), 1, 10.2, 10.8, 10.0, 10.7)
    assert target.exit is not None
    trade = outcome(target, target.exit, Decimal("0.03"))
    assert (trade.id, trade.shadow, trade.proposed, trade.sessions) == ("shadow-C1", True, True, 2)
    assert trade.cost == Decimal("0.15"), "12 shares, 0.1 % of 10.00 at the entry, nothing at the target"
    assert trade.net == pytest.approx((10.6 - 0.15 / 12) / 10 - 1)
    assert (trade.mae, trade.mfe) == (pytest.approx(-0.05), pytest.approx(0.06))
    assert trade.votes == {"trader": Vote.APPROVE}


def test_exit_at_the_market_pays_slippage_too(signal: Shadow) -> None:
    stopped = told(signal, 0, 9.0)
    assert stopped.exit is not None
    trade = outcome(stopped, stopped.exit, Decimal(0))
    assert trade.cost == Decimal("0.336"), "12 x (10.00 x 0.001 + 9.00 x 0.002)"
    assert trade.mae == pytest.approx(-0.1)
