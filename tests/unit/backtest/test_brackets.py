"""The event-driven kernel: each way out by hand, the account around it, and the journal."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.backtest.brackets import (
    REASONS,
    BracketKernel,
    BracketRule,
    BracketRun,
    Denial,
    Purse,
    Tape,
    What,
    Wish,
    tape_of,
)
from engine.backtest.costs import FREE, Costs
from engine.backtest.limits import PortfolioRule, run_limited
from engine.backtest.naive import NaiveRule, NaiveTrade, naive_trades
from engine.model.candidates import Regime
from engine.model.ids import InstrumentId
from engine.ports import BarColumns

FLAT = (9.5, 9.6, 9.4, 9.5)
TOUCH = BracketRule(through_ticks=0, volume_share=None)
Build = Callable[..., BarColumns]


def wishes_of(tape: Tape, trades: tuple[NaiveTrade, ...]) -> Callable[..., list[Wish]]:
    """Asks at each session for what the naive rule found, in its order."""
    starts = np.flatnonzero(tape.table.row == 0)
    number = {name: at for at, name in enumerate(tape.instruments)}
    by_session: dict[date, list[Wish]] = {}
    for trade in trades:
        place = int(starts[number[trade.instrument]]) + trade.row
        by_session.setdefault(trade.session, []).append(Wish(place, 0.0, 0.0))
    return lambda now, places, equity: by_session.get(tape.sessions[now], [])


def run(
    bars: Mapping[InstrumentId, BarColumns] | list[BarColumns],
    rule: BracketRule = TOUCH,
    costs: Costs = FREE,
    purse: Purse | None = None,
) -> BracketRun:
    held = bars if isinstance(bars, Mapping) else {one.instrument: one for one in bars}
    tape = tape_of(held)
    found = naive_trades(held, NaiveRule())
    return BracketKernel(tape, rule, costs, purse or Purse(0.0, notional=1000.0)).run(wishes_of(tape, found))


@pytest.mark.parametrize(
    ("rows", "reason", "exit_price", "sessions"),
    [
        ([(9.5, 10.2, 9.4, 9.6)], "target", 9.5 * 1.06, 1),
        ([(9.5, 10.2, 8.7, 9.6)], "stop", 9.5 * 0.92, 1),
        ([FLAT, (8.0, 8.1, 7.9, 8.0)], "stop", 8.0, 2),
        ([FLAT, (10.4, 10.5, 10.3, 10.4)], "target", 10.4, 2),
        ([FLAT, (10.4, 10.5, 8.0, 10.4)], "stop", 9.5 * 0.92, 2),
        ([FLAT] * 4 + [(9.5, 9.7, 9.4, 9.65)], "time", 9.65, 5),
    ],
)
def test_each_way_out_by_hand(
    bars_of: Build, rows: Any, reason: str, exit_price: float, sessions: int
) -> None:
    (trade,) = run([bars_of("A", [*rows, (9.9, 9.9, 9.9, 9.9)])]).trades
    assert (REASONS[trade.reason], trade.sessions) == (reason, sessions)
    assert trade.exit == pytest.approx(exit_price)
    assert trade.pnl == pytest.approx(105 * (exit_price - 9.5))
    assert trade.shares == 105


def test_a_target_must_be_traded_through_by_a_tick(bars_of: Build) -> None:
    """9.50 * 1.06 is 10.07: a high of 10.07 fills nothing, 10.08 does."""
    through = replace(TOUCH, through_ticks=1)
    touched = bars_of("A", [(9.5, 10.07, 9.4, 9.6), FLAT, FLAT, FLAT, FLAT])
    assert [REASONS[one.reason] for one in run([touched], through).trades] == ["time"]
    beyond = bars_of("A", [(9.5, 10.08, 9.4, 9.6), FLAT, FLAT, FLAT, FLAT])
    assert [REASONS[one.reason] for one in run([beyond], through).trades] == ["target"]


def test_orders_take_a_tenth_of_a_bar(bars_of: Build) -> None:
    """600,000 shares trade in a bar: 60,000 fit, and a stop of more goes on at the next opens."""
    columns = bars_of(
        "A", [(9.5, 9.6, 9.4, 9.5), (9.0, 9.1, 8.0, 8.5), (8.4, 8.5, 8.3, 8.4), FLAT, FLAT], volume=6e5
    )
    volume = columns.volume.copy()
    volume[21:23] = 3e5
    thin = replace(columns, volume=volume)
    done = run([thin], replace(TOUCH, volume_share=0.10), purse=Purse(0.0, notional=9.5 * 1e6))
    (trade,) = done.trades
    assert trade.shares == 60_000
    assert (REASONS[trade.reason], trade.sessions) == ("stop", 3)
    assert trade.exit == pytest.approx((9.5 * 0.92 + 8.4) / 2)
    sold = [(line.price, line.shares) for line in done.journal if line.what is What.STOP]
    assert sold == [(pytest.approx(8.74), 30_000), (8.4, 30_000)]


def test_slippage_and_fees_are_paid_on_both_sides(bars_of: Build) -> None:
    """Half of 10 bps each way on entry and stop; a sale of early 2016 pays 18.40 a million, and TAF."""
    costs = Costs(spread_bps=10.0, impact=0.0)
    (trade,) = run([bars_of("A", [(9.5, 9.6, 8.7, 9.0), FLAT])], costs=costs).trades
    stop = 9.5 * 0.92
    assert trade.paid == pytest.approx(9.5 * 1.0005)
    assert trade.got == pytest.approx(stop * 0.9995)
    assert trade.fees == pytest.approx(0.02 + 0.02)
    assert trade.pnl == pytest.approx(105 * (trade.got - trade.paid) - 0.04)
    (double,) = run([bars_of("A", [(9.5, 9.6, 8.7, 9.0), FLAT])], costs=costs.times(2)).trades
    assert double.paid == pytest.approx(9.5 * 1.001)
    assert double.fees == pytest.approx(0.08)


def test_a_target_is_a_limit_and_slips_nothing(bars_of: Build) -> None:
    (trade,) = run([bars_of("A", [(9.5, 10.3, 9.4, 9.6), FLAT])], costs=Costs(impact=0.0)).trades
    assert trade.got == trade.exit == pytest.approx(10.07)


def test_excursions_stop_at_the_exit(bars_of: Build) -> None:
    (trade,) = run([bars_of("A", [(9.5, 9.7, 9.2, 9.5), (9.5, 10.4, 9.3, 9.6), FLAT])]).trades
    assert trade.adverse == pytest.approx(9.2 / 9.5 - 1)
    assert trade.favorable == pytest.approx(0.06)


def test_a_split_divides_shares_and_levels(bars_of: Build) -> None:
    """1:2 after the entry: 105 shares become 210 at half the price, and the stop moves with it."""
    split = bars_of("A", [FLAT, (4.7, 4.8, 4.3, 4.5), FLAT], ratios={1: 0.5})
    done = run([split])
    (trade,) = done.trades
    assert (REASONS[trade.reason], trade.shares) == ("stop", 105)
    assert trade.exit == pytest.approx(9.5 * 0.92)
    assert trade.pnl == pytest.approx(210 * 4.37 - 105 * 9.5)
    assert [(line.what, line.shares) for line in done.journal if line.what is What.SPLIT] == [("split", 210)]


def test_a_reverse_split_pays_the_fraction_and_may_leave_nothing(bars_of: Build) -> None:
    gone = bars_of("A", [FLAT, (950.0, 960.0, 940.0, 950.0)], ratios={1: 1000.0})
    (trade,) = run([gone]).trades
    assert REASONS[trade.reason] == "corporate_action"
    assert trade.pnl == pytest.approx(0.0)
    assert trade.exit == pytest.approx(9.5)


def test_a_dividend_is_cash_and_lowers_the_levels(bars_of: Build) -> None:
    """0.05 of 9.50 is paid out: 0.475 a share, to the cent, and the stop stands at 8.303."""
    paid = bars_of("A", [FLAT, (9.0, 9.1, 8.4, 8.6), (8.3, 8.35, 8.2, 8.3)], ratios={1: 0.95})
    (trade,) = run([paid]).trades
    assert (REASONS[trade.reason], trade.sessions) == ("stop", 3)
    assert trade.pnl == pytest.approx(105 * (8.3 - 9.5) + 49.88)


def test_an_instrument_holds_one_bracket_and_enters_again_later(bars_of: Build) -> None:
    falling = bars_of(
        "A", [FLAT, (9.1, 9.2, 9.0, 9.1), (8.7, 8.8, 8.6, 8.7), (8.2, 8.3, 8.1, 8.2), FLAT, FLAT]
    )
    done = run([falling])
    assert [(trade.sessions, trade.exit) for trade in done.trades] == [(3, 8.7), (2, 9.5)]
    assert done.denied[Denial.INSTRUMENT] == 2


def test_bars_that_end_leave_the_bracket_open(bars_of: Build) -> None:
    done = run([bars_of("A", [FLAT, FLAT])])
    assert (done.trades, done.open) == ([], 1)
    assert [line.what for line in done.journal] == [What.ENTRY]


def test_every_close_cancels_the_other_exit(bars_of: Build) -> None:
    done = run([bars_of("A", [(9.5, 10.3, 9.4, 9.6), FLAT])])
    assert [line.what for line in done.journal] == [What.ENTRY, What.TARGET, What.CANCEL]


def test_the_account_takes_the_first_up_to_its_limits(bars_of: Build) -> None:
    bars = [bars_of(symbol, [FLAT] * 6) for symbol in "ABCDE"]
    count = len(bars[0].day)
    purse = Purse(10_000.0, shares=[0.012] * count, max_concurrent=8, per_session=3)
    done = run(bars, purse=purse)
    assert done.denied[Denial.PER_SESSION] == 2
    assert [trade.shares for trade in done.trades] == [12, 12, 12]
    few = run(bars, purse=replace(purse, max_concurrent=2))
    assert (len(few.trades), few.denied[Denial.CONCURRENT]) == (2, 3)
    poor = run(bars, purse=Purse(500.0, shares=[0.012] * count))
    assert (len(poor.trades), poor.denied[Denial.TOO_SMALL]) == (0, 5)


def test_equity_is_marked_at_each_close(bars_of: Build) -> None:
    done = run(
        [bars_of("A", [(9.5, 9.9, 9.4, 9.8), (9.8, 10.5, 9.7, 10.4)])], purse=Purse(1000.0, shares=[0.1] * 22)
    )
    assert done.equity[-3:].tolist() == pytest.approx([1000, 1003, 1005.7])
    assert done.gross[-2:].tolist() == pytest.approx([98 / 1003, 0])
    assert done.turnover[-2:].tolist() == pytest.approx([98 / 1003 / 2, 98 / 1003 / 2])


@pytest.mark.parametrize("seed", [3, 7, 11])
def test_without_costs_it_is_the_account_that_counts_in_decimals(
    seed: int, generate_market: Callable[[int], Any]
) -> None:
    """Two programs, one account: the same trades, denials and money as `run_limited`."""
    market = generate_market(seed)
    found = naive_trades(market.bars, NaiveRule())
    limited = run_limited(
        found, market.bars, PortfolioRule(), {trade.session: Regime.NORMAL for trade in found}
    )
    tape = tape_of(market.bars)
    purse = Purse(10_000.0, shares=[0.012] * len(tape.sessions), per_session=10**6)
    done = BracketKernel(tape, TOUCH, FREE, purse).run(wishes_of(tape, found))
    ended = {
        (tape.instruments[tape.owner[one.place]], int(tape.table.row[one.place])): (
            REASONS[one.reason],
            one.shares,
            one.sessions,
        )
        for one in done.trades
    }
    expected = {
        (one.trade.instrument, one.trade.row): (
            one.trade.exit_reason,
            float(one.quantity),
            one.trade.sessions,
        )
        for one in limited.taken
        if one.trade.exit_price is not None
    }
    assert len(expected) > 50
    assert ended == expected
    assert done.denied[Denial.CONCURRENT] == limited.denied["concurrent"]
    assert done.denied[Denial.INSTRUMENT] == limited.denied["instrument"]
    prices = {(one.trade.instrument, one.trade.row): one.trade.exit_price for one in limited.taken}
    for one in done.trades:
        key = tape.instruments[tape.owner[one.place]], int(tape.table.row[one.place])
        if REASONS[one.reason] != "corporate_action":  # that account tells it before it is rounded
            assert one.exit == pytest.approx(prices[key], rel=1e-12)
