"""The naive rule inside one account: a cap on open positions, one position per instrument, and cash.

To the letter, at the open of each session that has candidates, in this order:

1. Corporate actions of instruments held (SPEC 3.9b). A split that leaves no whole share ends the trade in
   cash at the prior close; its slot is free for the next session.
2. Entries by gap, then symbol. Equity and cash are taken once, before the first of them: equity = cash +
   positions at this session's open, at the last close without a bar. Quantity = the smaller of cash and size
   fraction * equity, / price, rounded down. Taken when fewer than max_concurrent slots are used, the
   instrument is free, the quantity is at least 1 and its cost is at most the cash left at its turn.

Then the session's bars: every exit of a session, also of a bar that opens beyond a level, comes after its
entries and frees slot, instrument and cash for the next session. A trade whose bars end keeps its slot and
its mark for good: no decision may know that it will be left out of the report. Regime, sector, news, entry
rates and drawdown decide nothing here, except that the size fraction follows the regime (SPEC 3.6, 3.8).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from engine.backtest.naive import NaiveTrade
from engine.errors import InvariantBroken
from engine.execution.evidence import restated
from engine.model.candidates import Regime
from engine.model.ids import InstrumentId
from engine.model.market import CorporateAction, corporate_action_kind
from engine.model.positions import ExitReason
from engine.money import ZERO, to_decimal
from engine.ports import BarColumns
from engine.risk.sizing import SizeCap, size_position

SHARE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PortfolioRule:
    """The account and its limits. `size_pct` are fractions of equity (SPEC 3.8, 14)."""

    initial_cash: Decimal = Decimal(10_000)  # USD
    size_pct: float = 0.012
    size_pct_highvix: float = 0.006
    size_pct_stress: float = 0.003
    max_concurrent: int = 8

    def size_ratio(self, regime: Regime) -> Decimal:
        """The fraction of equity that one position may take; an unknown regime counts as high_vix."""
        if regime is Regime.NORMAL:
            return to_decimal(self.size_pct)
        is_stress = regime is Regime.SPY_STRESS
        return to_decimal(self.size_pct_stress if is_stress else self.size_pct_highvix)


class Denial(StrEnum):
    """Why a candidate was not taken."""

    CONCURRENT = "concurrent"
    INSTRUMENT = "instrument"
    TOO_SMALL = "too_small"
    CASH = "cash"


@dataclass(frozen=True, slots=True)
class TakenTrade:
    """A trade that was taken: shares bought; equity and cash, USD, before the session's entries."""

    trade: NaiveTrade
    quantity: Decimal
    equity: Decimal
    cash: Decimal


@dataclass(frozen=True, slots=True)
class LimitedRun:
    """What became of the candidates; `cash` is what is left when all bars are over."""

    taken: tuple[TakenTrade, ...]
    denied: Mapping[Denial, int]
    cash: Decimal


class _Holding:
    """One open position walking along its own bars. `row`: the last bar whose opening it has seen."""

    def __init__(self, taken: TakenTrade, columns: BarColumns) -> None:
        self.taken = taken
        self.quantity = taken.quantity
        self.is_over = False
        self._columns = columns
        self._row = taken.trade.row
        self._restated = Decimal(1)  # product of the ratios since entry
        has_exit = taken.trade.exit_price is not None
        self._exit_row = taken.trade.row + taken.trade.sessions - 1 if has_exit else None

    def finish_before(self, session: date | None) -> Decimal:
        """Live through every bar before `session` (None: all); returns the money that came in."""
        money = ZERO
        while not self.is_over:
            if self._row == self._exit_row:
                money += self._leave()
            elif (day := self._next_day()) is None or (session is not None and day >= session):
                break
            else:
                money += self._open_next()
        return money

    def open_session(self, session: date) -> Decimal:
        """Take the corporate action of `session`, if there is a bar; returns the money it paid."""
        return self._open_next() if self._next_day() == session else ZERO

    def value(self, session: date) -> Decimal:
        """Marked at the open of `session`, at the last close when it has no bar then."""
        if self.is_over:
            return ZERO
        has_bar = self._columns.day[self._row].item() == session
        prices = self._columns.open if has_bar else self._columns.close
        return self.quantity * to_decimal(prices[self._row])

    def _next_day(self) -> date | None:
        days = self._columns.day
        return days[self._row + 1].item() if self._row + 1 < len(days) else None

    def _open_next(self) -> Decimal:
        self._row += 1
        ratio = float(self._columns.event_ratio[self._row])
        if ratio == 1.0:
            return ZERO
        day, prior_close = self._columns.day[self._row].item(), float(self._columns.close[self._row - 1])
        action = CorporateAction(
            self._columns.instrument, corporate_action_kind(ratio), ratio, prior_close, day, ts_known=0
        )
        self.quantity, money = restated(self.quantity, action)
        if self.quantity == ZERO:
            self._end_in_cash(to_decimal(prior_close))
        self._restated *= to_decimal(ratio)
        return money

    def _end_in_cash(self, prior_close: Decimal) -> None:
        trade = self.taken.trade
        ended = replace(
            trade,
            exit_price=float(prior_close / self._restated),
            exit_reason=ExitReason.CORPORATE_ACTION,
            sessions=self._row - trade.row + 1,
        )
        self.taken = replace(self.taken, trade=ended)
        self.is_over = True

    def _leave(self) -> Decimal:
        price = self.taken.trade.exit_price
        if price is None:
            raise InvariantBroken(f"{self.taken.trade.instrument} has no exit to leave at")
        self.is_over = True
        return self.quantity * to_decimal(price) * self._restated


class _Account:
    """Cash and the holdings that use its slots. One that is over keeps its slot until the next session."""

    def __init__(self, rule: PortfolioRule, bars: Mapping[InstrumentId, BarColumns]) -> None:
        self.rule = rule
        self.bars = bars
        self.cash = rule.initial_cash
        self.holdings: list[_Holding] = []
        self.finished: list[TakenTrade] = []
        self.denied = dict.fromkeys(Denial, 0)

    def finish_before(self, session: date | None) -> None:
        for holding in self.holdings:
            self.cash += holding.finish_before(session)
        self.finished += [holding.taken for holding in self.holdings if holding.is_over]
        self.holdings = [holding for holding in self.holdings if not holding.is_over]

    def trade_open(self, session: date, candidates: Iterable[NaiveTrade], regime: Regime) -> None:
        for holding in self.holdings:
            self.cash += holding.open_session(session)
        cash = self.cash
        equity = cash + sum((holding.value(session) for holding in self.holdings), ZERO)
        caps = (SizeCap("size_pct", equity * self.rule.size_ratio(regime)), SizeCap("cash", cash))
        for trade in candidates:
            price = to_decimal(trade.entry)
            quantity = size_position(price, caps, (), SHARE).quantity
            denial = self._denial(trade.instrument, quantity, quantity * price)
            if denial is not None:
                self.denied[denial] += 1
                continue
            self.cash -= quantity * price
            taken = TakenTrade(trade, quantity, equity, cash)
            self.holdings.append(_Holding(taken, self.bars[trade.instrument]))

    def _denial(self, instrument: InstrumentId, quantity: Decimal, cost: Decimal) -> Denial | None:
        if len(self.holdings) >= self.rule.max_concurrent:
            return Denial.CONCURRENT
        if any(holding.taken.trade.instrument == instrument for holding in self.holdings):
            return Denial.INSTRUMENT
        if quantity < SHARE:
            return Denial.TOO_SMALL
        return Denial.CASH if cost > self.cash else None


def run_limited(
    trades: Sequence[NaiveTrade],
    bars: Mapping[InstrumentId, BarColumns],
    rule: PortfolioRule,
    regimes: Mapping[date, Regime],
) -> LimitedRun:
    """Take `trades`, in the order of `naive_trades`, as far as the account allows.

    `regimes`: regime at the open of each session; without one it is unknown.
    """
    account = _Account(rule, bars)
    for session, candidates in groupby(trades, key=lambda trade: trade.session):
        account.finish_before(session)
        account.trade_open(session, candidates, regimes.get(session, Regime.UNKNOWN))
    account.finish_before(None)
    taken = account.finished + [holding.taken for holding in account.holdings]
    taken.sort(key=lambda one: (one.trade.session, one.trade.gap, one.trade.instrument))
    return LimitedRun(tuple(taken), account.denied, account.cash)
