"""The account around the naive rule, against an account that lives through every session in order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.backtest.limits import Denial, PortfolioRule, TakenTrade, run_limited
from engine.backtest.naive import NaiveRule, naive_trades
from engine.execution.matching import GapFill
from engine.model.candidates import Regime
from engine.model.positions import ExitReason
from engine.ports import BarColumns

FLAT = (9.5, 9.6, 9.4, 9.5)
DEEP = (9.3, 9.4, 9.2, 9.3)
Build = Callable[..., BarColumns]


def taken(*columns: BarColumns, rule: PortfolioRule | None = None, regime: Regime = Regime.NORMAL) -> Any:
    bars = {one.instrument: one for one in columns}
    trades = naive_trades(bars, NaiveRule())
    regimes = {trade.session: regime for trade in trades}
    return run_limited(trades, bars, rule or PortfolioRule(), regimes)


def names(run: Any) -> list[tuple[str, int]]:
    return [(one.trade.instrument[:-3], one.trade.row) for one in run.taken]


def test_deepest_gaps_take_the_slots_and_ties_go_by_symbol(bars_of: Build) -> None:
    flat = [bars_of(symbol, [FLAT] * 5) for symbol in ("D", "B", "C")]
    run = taken(*flat, bars_of("Z", [DEEP] * 5), rule=PortfolioRule(max_concurrent=2))
    assert names(run) == [("Z", 20), ("B", 20)]
    assert run.denied[Denial.CONCURRENT] == 2


def test_exit_inside_a_session_frees_the_slot_for_the_next(bars_of: Build) -> None:
    stopped = bars_of("A", [(9.5, 9.6, 8.0, 9.5), *[FLAT] * 5])
    same = bars_of("B", [(9.6, 9.7, 9.5, 9.6), *[FLAT] * 5])
    later = bars_of("C", [(10, 10, 10, 10), (9.6, 9.7, 9.5, 9.6), *[FLAT] * 4])
    assert names(taken(stopped, same, later, rule=PortfolioRule(max_concurrent=1))) == [("A", 20), ("C", 21)]


def test_exit_beyond_the_open_keeps_slot_and_instrument_until_the_next_session(bars_of: Build) -> None:
    falling = bars_of("A", [FLAT, (8.0, 8.1, 7.9, 8.0), (7.5, 7.6, 7.4, 7.5), *[(7.5, 7.6, 7.4, 7.5)] * 4])
    other = bars_of("B", [(10, 10, 10, 10), (9.6, 9.7, 9.5, 9.6), *[(9.6, 9.7, 9.5, 9.6)] * 5])
    one_slot = taken(falling, other, rule=PortfolioRule(max_concurrent=1))
    assert names(one_slot) == [("A", 20), ("A", 22)]
    two_slots = taken(falling, other, rule=PortfolioRule(max_concurrent=2))
    assert names(two_slots) == [("A", 20), ("B", 21), ("A", 22)]
    assert two_slots.denied[Denial.INSTRUMENT] == 1


def test_sizes_follow_the_regime_and_round_down(bars_of: Build) -> None:
    assert taken(bars_of("A", [FLAT] * 5)).taken[0].quantity == 12  # 120 / 9.5
    assert taken(bars_of("A", [FLAT] * 5), regime=Regime.HIGH_VIX).taken[0].quantity == 6


def test_too_small_and_too_little_cash_are_denied(bars_of: Build) -> None:
    poor = taken(bars_of("A", [FLAT] * 5), rule=PortfolioRule(initial_cash=Decimal(500)))
    assert poor.denied[Denial.TOO_SMALL] == 1
    greedy = PortfolioRule(initial_cash=Decimal(1000), size_pct=0.6)
    run = taken(bars_of("A", [FLAT] * 5), bars_of("B", [FLAT] * 5), rule=greedy)
    assert (names(run), run.denied[Denial.CASH]) == ([("A", 20)], 1)


def test_open_trade_of_a_delisted_name_keeps_its_slot(bars_of: Build) -> None:
    gone = bars_of("A", [DEEP, DEEP])
    waiting = bars_of("B", [(10, 10, 10, 10)] * 30 + [FLAT] * 5)
    run = taken(gone, waiting, rule=PortfolioRule(max_concurrent=1))
    assert names(run) == [("A", 20)]
    assert run.cash == Decimal(10_000) - 12 * Decimal("9.3")


def test_dividend_and_split_pay_in_cash(bars_of: Build) -> None:
    rows = [FLAT, (9.31, 9.4, 9.2, 9.3), *[(9.3, 9.4, 9.2, 9.3)] * 3]
    dividend = taken(bars_of("A", rows, ratios={1: 0.98}))
    price = Decimal(repr(9.3 / 0.98))
    profit = 12 * (Decimal("9.5") * Decimal("0.02") + price * Decimal("0.98") - Decimal("9.5"))
    assert float(dividend.cash) == pytest.approx(float(10_000 + profit), abs=0.005)
    reverse = [tuple(5 * price for price in FLAT)] * 4
    split = taken(bars_of("A", [FLAT, *reverse], ratios={1: 5.0}))  # 12 shares become 2 and 0.4 in cash
    assert split.taken[0].quantity == 12
    assert split.cash == pytest.approx(10_000)


def test_reverse_split_of_the_last_share_ends_the_trade_in_cash(bars_of: Build) -> None:
    columns = bars_of("A", [FLAT] + [tuple(20 * price for price in FLAT)] * 6, ratios={1: 20.0})
    other = bars_of("B", [(10, 10, 10, 10)] * 2 + [FLAT] * 5)
    run = taken(columns, other, rule=PortfolioRule(max_concurrent=1))
    assert names(run) == [("A", 20), ("B", 22)]
    same = bars_of("C", [(10, 10, 10, 10)] + [FLAT] * 5)
    later = taken(columns, same, rule=PortfolioRule(max_concurrent=2)).taken[1]
    assert (later.equity, later.cash) == (10_000, 10_000)
    ended = run.taken[0].trade
    assert (ended.exit_reason, ended.sessions) == (ExitReason.CORPORATE_ACTION, 2)
    assert ended.exit_price == pytest.approx(9.5)


SHARES_OF_EQUITY = {
    Regime.NORMAL: Decimal("0.012"),
    Regime.HIGH_VIX: Decimal("0.006"),
    Regime.UNKNOWN: Decimal("0.006"),
    Regime.SPY_STRESS: Decimal("0.003"),
}


@dataclass
class _Position:
    """A position of the plain account; levels and shares are restated on each ex-date."""

    symbol: str
    entered: date
    shares: Decimal
    stop: float
    target: float
    ratio: float = 1.0
    bars: int = 1
    left_on: date | None = None


class _PlainAccount:
    """Replays the bars session by session in their own dollars, as an engine would, in plain steps."""

    def __init__(self, bars: dict[str, BarColumns], fill: GapFill, regimes: dict[date, Regime]) -> None:
        self.rows = {s: {d.item(): i for i, d in enumerate(c.day)} for s, c in bars.items()}
        self.bars, self.fill, self.regimes = bars, fill, regimes
        self.cash = Decimal(10_000)
        self.open: list[_Position] = []
        self.entries: list[tuple[Any, ...]] = []
        self.exits: dict[tuple[str, date], tuple[str, float, int]] = {}

    def live(self, days: list[date]) -> None:
        for day in days:
            self.open = [p for p in self.open if p.left_on is None]
            held = [p for p in self.open if day in self.rows[p.symbol]]
            for position in held:
                self.restate(position, day)
            self.enter(day)
            for position in self.open:
                if position.left_on is None and day in self.rows[position.symbol]:
                    self.bar_exit(position, day)

    def restate(self, position: _Position, day: date) -> None:
        columns, row = self.bars[position.symbol], self.rows[position.symbol][day]
        position.bars += 1
        ratio, prior = float(columns.event_ratio[row]), Decimal(repr(float(columns.close[row - 1])))
        if ratio == 1:
            return
        position.ratio *= ratio
        position.stop *= ratio
        position.target *= ratio
        exact = Decimal(repr(ratio))
        if 0.8001 < ratio < 1:
            self.cash += round(position.shares * prior * (1 - exact), 2)
        else:
            shares = position.shares / exact
            position.shares = shares // 1
            self.cash += round((shares - position.shares) * prior * exact, 2)

    def leave(self, position: _Position, day: date, reason: str, price: float) -> None:
        self.cash += position.shares * Decimal(repr(price))
        position.left_on = day
        self.exits[position.symbol, position.entered] = (reason, price / position.ratio, position.bars)

    def bar_exit(self, position: _Position, day: date) -> None:
        columns, row = self.bars[position.symbol], self.rows[position.symbol][day]
        tolerance = 1e-9 * position.ratio
        opened = float(columns.open[row])
        is_gap = self.fill is GapFill.GAP and position.bars > 1
        if columns.low[row] <= position.stop + tolerance:
            self.leave(position, day, "stop", min(opened, position.stop) if is_gap else position.stop)
        elif columns.high[row] >= position.target - tolerance:
            self.leave(position, day, "target", max(opened, position.target) if is_gap else position.target)
        elif position.bars == 5:
            self.leave(position, day, "time", float(columns.close[row]))

    def mark(self, position: _Position, day: date) -> Decimal:
        columns = self.bars[position.symbol]
        row = self.rows[position.symbol].get(day)
        if row is not None:
            return position.shares * Decimal(repr(float(columns.open[row])))
        before = [i for d, i in self.rows[position.symbol].items() if d < day]
        return position.shares * Decimal(repr(float(columns.close[max(before)])))

    def gaps(self, day: date) -> list[tuple[float, str]]:
        found = []
        for symbol, columns in self.bars.items():
            row = self.rows[symbol].get(day)
            if row is None or row < 20:
                continue
            gap = columns.open[row] / (columns.close[row - 1] * columns.event_ratio[row]) - 1
            adv = np.mean(columns.close[row - 20 : row] * columns.volume[row - 20 : row])
            if gap <= -0.03 + 1e-9 and 0.5 <= columns.open[row] <= 20 and adv >= 5e6:
                found.append((float(gap), symbol))
        return sorted(found)

    def enter(self, day: date) -> None:
        cash = self.cash
        equity = cash + sum(self.mark(p, day) for p in self.open if p.left_on is None)
        part = SHARES_OF_EQUITY[self.regimes[day]]
        for _, symbol in self.gaps(day):
            price = float(self.bars[symbol].open[self.rows[symbol][day]])
            shares = min(equity * part, cash) / Decimal(repr(price)) // 1
            cost = shares * Decimal(repr(price))
            busy = {p.symbol for p in self.open}
            if len(self.open) < 8 and symbol not in busy and shares > 0 and cost <= self.cash:
                self.cash -= cost
                self.open.append(_Position(symbol, day, shares, price * 0.92, price * 1.06))
                self.entries.append((day, symbol, shares, equity, cash))


def _outcome(one: TakenTrade) -> Any:
    trade = one.trade
    return None if trade.exit_reason is None else (str(trade.exit_reason), trade.exit_price, trade.sessions)


@pytest.mark.parametrize("fill", list(GapFill))
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_generated_bars_give_the_same_account_as_a_plain_one(
    generate_market: Any, seed: int, fill: GapFill
) -> None:
    market = generate_market(seed)
    regimes = {day: list(Regime)[n % 4] for n, day in enumerate(market.days)}
    trades = naive_trades(market.bars, NaiveRule(fill=fill))
    run = run_limited(trades, market.bars, PortfolioRule(), regimes)
    plain = _PlainAccount(market.bars, fill, regimes)
    plain.live(list(market.days))

    ours = sorted(run.taken, key=lambda one: (one.trade.session, one.trade.gap, one.trade.instrument))
    assert [(one.trade.session, one.trade.instrument, one.quantity) for one in ours] == [
        entry[:3] for entry in plain.entries
    ]
    assert len(ours) > 80
    for one, entry in zip(ours, plain.entries, strict=True):
        assert one.equity == pytest.approx(entry[3])
        assert one.cash == pytest.approx(entry[4])
        expected = plain.exits.get((one.trade.instrument, one.trade.session))
        assert _outcome(one) == (expected and (expected[0], pytest.approx(expected[1]), expected[2]))
    assert run.cash == pytest.approx(plain.cash)
    assert run.denied[Denial.CONCURRENT] > 50
    assert run.denied[Denial.INSTRUMENT] > 0
