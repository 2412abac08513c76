"""Bracket trades over daily bars, event by event in order of time: entry, stop, target, time exit, journal.

Each session runs as SPEC 9.8 says: corporate actions of what is held, then entries at the open, then the bars
with their exits; an exit frees its slot, its instrument and its cash for the next session. Only instruments
with a bracket are matched, and a bracket that is closed is never looked at again. An instrument holds one
bracket at a time; sessions of a bracket are its instrument's own bars. No Decimal and no bus: money is
float64 dollars here, as the statistics are; the account that a venue keeps is `engine.execution`.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from engine.backtest.costs import Costs, CostTable, cost_table
from engine.backtest.fills import (
    CASHED,
    EPSILON,
    NOTHING,
    TARGET,
    TIME,
    after_split,
    cents,
    commission,
    exit_on,
    fillable,
    sale_fees,
    slippage,
    tick_of,
    whole_shares,
)
from engine.backtest.table import Table, tabulate
from engine.execution.matching import plain_ratio
from engine.model.ids import InstrumentId
from engine.model.market import CorporateActionKind, corporate_action_kind
from engine.model.positions import ExitReason
from engine.ports import BarColumns

REASONS = (ExitReason.STOP, ExitReason.TARGET, ExitReason.TIME, ExitReason.CORPORATE_ACTION)
"""By the numbers of `fills`."""


@dataclass(frozen=True, slots=True)
class BracketRule:
    """How a bracket is left and how orders fill. Fractions of the decision price, `sessions` bars."""

    stop_pct: float = 0.08
    target_pct: float = 0.06
    max_sessions: int = 5
    jumps: bool = True
    """A bar that opens beyond a price fills at its open."""
    through_ticks: int = 1
    volume_share: float | None = 0.10
    """Most of a bar's volume that our orders take; None: any."""


class Wish(NamedTuple):
    """An entry that a strategy asks for at the open of a session."""

    place: int
    """Of the bar, in the tape."""
    sigma: float
    """Sample deviation of daily returns, a fraction; 0 or NaN: not known."""
    adv: float
    """Mean daily value traded, USD."""
    most: float = 1.0
    """Fraction of equity that it may be worth at most, whatever the session allows."""


@dataclass(frozen=True, slots=True)
class Tape:
    """Bars as lists of numbers; `places` has those of each session, by symbol. Prices USD, volume shares."""

    instruments: Sequence[InstrumentId]
    sessions: tuple[date, ...]
    places: list[list[int]]
    owner: list[int]
    session: list[int]
    is_last: list[bool]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    ratio: list[float]
    """Of each bar, as stored: prices of the session before are multiplied by it."""
    split: list[float]
    """The ratio that is meant, which shares are divided by."""
    table: Table


def tape_of(bars: Mapping[InstrumentId, BarColumns]) -> Tape:
    """At least one instrument must have a bar."""
    table = tabulate(bars)
    days, session = np.unique(table.day, return_inverse=True)
    order = np.lexsort((table.owner, session))
    starts = np.searchsorted(session[order], np.arange(len(days) + 1))
    by_session = order.tolist()
    ratio = table.ratio.tolist()
    split = table.ratio.tolist()
    for place in np.flatnonzero(table.ratio != 1).tolist():
        split[place] = float(plain_ratio(split[place]))
    return Tape(
        instruments=table.instruments,
        sessions=tuple(days.tolist()),
        places=[by_session[first:last] for first, last in pairwise(starts.tolist())],
        owner=table.owner.tolist(),
        session=session.tolist(),
        is_last=(table.left == 1).tolist(),
        open=table.open.tolist(),
        high=table.high.tolist(),
        low=table.low.tolist(),
        close=table.close.tolist(),
        volume=table.volume.tolist(),
        ratio=ratio,
        split=split,
        table=table,
    )


@dataclass(frozen=True, slots=True)
class Purse:
    """What entries are paid from. Without an account each bracket costs `notional`, whatever else is held."""

    initial_cash: float
    notional: float | None = None
    """USD a bracket; None: one account, and `shares` of its equity."""
    shares: Sequence[float] = ()
    """Fraction of equity that one position may be worth, for each session of the tape."""
    max_concurrent: int = 8
    per_session: int = 3
    cash_cover: float = 0.0
    """The cash that is left must be more than so many times what an entry costs (SPEC 3.7.3); 0: need not."""


class Denial(StrEnum):
    """Why an entry that was asked for was not made."""

    CONCURRENT = "concurrent"
    PER_SESSION = "per_session"
    INSTRUMENT = "instrument"
    TOO_SMALL = "too_small"
    CASH = "cash"
    VOLUME = "volume"


class What(StrEnum):
    """A line of the journal."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    TIME = "time"
    CANCEL = "cancel"
    SPLIT = "split"
    DIVIDEND = "dividend"


class Line(NamedTuple):
    """One thing that happened: session of the tape, bracket, what, price of the day, shares, fees in USD."""

    session: int
    number: int
    what: What
    price: float
    shares: float
    fees: float


_LINES = (What.STOP, What.TARGET, What.TIME)


class BracketTrade(NamedTuple):
    """A finished bracket. Prices in entry-day dollars; `paid` and `got` are net of slippage, not of fees."""

    number: int
    place: int
    last_place: int
    reason: int
    entry: float
    exit: float
    paid: float
    got: float
    shares: float
    fees: float
    pnl: float
    """USD after slippage and fees, with dividends and cash in lieu."""
    sessions: int
    adverse: float
    favorable: float
    """Furthest against and for it, fractions of the entry at or below and at or above 0."""


class _Bracket:
    """A position with its pair of exits. `dollars`: what turns a price of today into one of the entry day."""

    __slots__ = (
        "adv",
        "best",
        "bought",
        "dollars",
        "entry",
        "fees",
        "last_close",
        "leaving",
        "left",
        "money",
        "next",
        "number",
        "paid",
        "place",
        "proceeds",
        "raw",
        "sessions",
        "sigma",
        "sold",
        "stop",
        "target",
        "through",
        "worst",
    )

    def __init__(self, number: int, wish: Wish, entry: float, shares: float, rule: BracketRule) -> None:
        self.number = number
        self.place = self.next = wish.place
        self.sigma, self.adv = wish.sigma, wish.adv
        self.entry = self.last_close = self.worst = self.best = entry
        self.bought = self.left = shares
        self.stop, self.target = entry * (1 - rule.stop_pct), entry * (1 + rule.target_pct)
        self.through = rule.through_ticks * tick_of(self.target)
        self.dollars = 1.0
        self.sessions = 0
        self.leaving = NOTHING
        self.paid = self.fees = self.money = self.proceeds = self.raw = self.sold = 0.0


@dataclass(frozen=True, slots=True)
class BracketRun:
    """What came of it. `equity` (T + 1,) at the closes, the start first; `gross` (T,) its share in positions.

    `turnover` (T,): half the absolute changes of the weights. Without an account `equity` is NaN, they are 0.
    `open` counts brackets whose bars ended first.
    """

    trades: list[BracketTrade]
    journal: list[Line]
    denied: Mapping[Denial, int]
    equity: np.ndarray
    gross: np.ndarray
    turnover: np.ndarray
    open: int


Decide = Callable[[int, Sequence[int], float], Iterable[Wish]]
"""(session, places of its bars, equity at its open) -> entries there, the first ones first.

It must not look further. Without an account the equity is what a bracket may cost.
"""


def by_session(tape: Tape, places: np.ndarray, sigma: np.ndarray, adv: np.ndarray) -> Decide:
    """Entries that are known: bars at `places` (K,), in the order in which they stand in each session.

    `sigma`, `adv` (K,): of each. The decisions were made over columns; here they only wait for their session.
    """
    wanted: dict[int, list[Wish]] = {}
    sessions = tape.session
    for wish in map(Wish, places.tolist(), sigma.tolist(), adv.tolist()):
        wanted.setdefault(sessions[wish.place], []).append(wish)
    return lambda now, places, equity: wanted.get(now, ())


@dataclass(slots=True)
class _Books:
    """Everything that changes while a run goes on."""

    cash: float
    live: dict[int, _Bracket] = field(default_factory=dict)
    """Owner -> its bracket."""
    trades: list[BracketTrade] = field(default_factory=list)
    journal: list[Line] = field(default_factory=list)
    denied: dict[Denial, int] = field(default_factory=lambda: dict.fromkeys(Denial, 0))
    number: int = 0
    weights: dict[int, float] = field(default_factory=dict)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No collection of garbage meanwhile: a run makes none, and each looks at every number of the tape."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class BracketKernel:
    """One run of a strategy over a tape."""

    def __init__(self, tape: Tape, rule: BracketRule, costs: Costs, purse: Purse) -> None:
        self._tape = tape
        self._rule = rule
        self._purse = purse
        self._costs: CostTable = cost_table(costs, tape.sessions)
        # Numbers of an array are slow to take out one by one.
        self._sec, self._taf = self._costs.sec.tolist(), self._costs.taf.tolist()
        self._cap = self._costs.taf_cap.tolist()
        self._books = _Books(purse.initial_cash)
        self._acting = {tape.session[place] for place in np.flatnonzero(tape.table.ratio != 1).tolist()}
        """Sessions with a corporate action."""

    def run(self, decide: Decide) -> BracketRun:
        """All sessions, the first one first."""
        with _uncollected():
            return self._run(decide)

    def _run(self, decide: Decide) -> BracketRun:
        tape, books = self._tape, self._books
        count = len(tape.sessions)
        equity, gross, turned = np.full(count + 1, np.nan), np.zeros(count), np.zeros(count)
        equity[0], notional = books.cash, self._purse.notional
        for now, places in enumerate(tape.places):
            if books.live and now in self._acting:
                self._act(now)
            equity_now = books.cash + self._worth(now) if notional is None else notional
            wishes = decide(now, places, equity_now)
            if wishes:
                self._enter(now, wishes, equity_now)
            if books.live:
                self._match(now)
            if notional is not None:
                continue
            equity[now + 1] = books.cash
            if books.live or books.weights:
                equity[now + 1], gross[now], turned[now] = self._mark()
        return BracketRun(
            books.trades, books.journal, books.denied, equity, gross, turned, open=len(books.live)
        )

    @property
    def closed(self) -> int:
        """Brackets that are over."""
        return len(self._books.trades)

    def open_places(self) -> list[int]:
        """Of the entries of brackets that are not over."""
        return [bracket.place for bracket in self._books.live.values()]

    def _act(self, now: int) -> None:
        """Corporate actions of what is held (SPEC 3.9b)."""
        tape, books = self._tape, self._books
        for owner, bracket in list(books.live.items()):
            place = bracket.next
            if tape.session[place] != now or place == bracket.place or tape.ratio[place] == 1.0:
                continue
            ratio, prior, held = tape.ratio[place], tape.close[place - 1], bracket.left
            before = bracket.dollars
            bracket.dollars /= ratio
            if corporate_action_kind(ratio) is CorporateActionKind.DIVIDEND:
                money, what = cents(held * prior * (1 - ratio)), What.DIVIDEND
            else:
                meant = tape.split[place]
                bracket.left = after_split(held, meant)
                money, what = cents((held / meant - bracket.left) * prior * ratio), What.SPLIT
            bracket.money += money
            books.cash += money
            bracket.last_close = prior * ratio
            books.journal.append(Line(now, bracket.number, what, prior * ratio, bracket.left, 0.0))
            if not bracket.left:
                bracket.sold, bracket.raw = 1.0, money / held * before
                bracket.proceeds = bracket.raw
                self._close(now, owner, bracket, place, CASHED)

    def _enter(self, now: int, wishes: Iterable[Wish], equity: float) -> None:
        purse, books, tape = self._purse, self._books, self._tape
        entered = 0
        for wish in wishes:
            owner, price = tape.owner[wish.place], tape.open[wish.place]
            held = owner in books.live
            if purse.notional is not None and not held:
                self._buy(now, owner, wish, whole_shares(purse.notional, price))
            elif purse.notional is None and len(books.live) >= purse.max_concurrent:
                books.denied[Denial.CONCURRENT] += 1
            elif held:
                books.denied[Denial.INSTRUMENT] += 1
            elif entered >= purse.per_session:
                books.denied[Denial.PER_SESSION] += 1
            else:
                entered += self._buy(
                    now,
                    owner,
                    wish,
                    whole_shares(min(books.cash, equity * min(purse.shares[now], wish.most)), price),
                )

    def _worth(self, now: int) -> float:
        """Of all that is held, at this session's opens."""
        tape = self._tape
        return sum(
            bracket.left
            * (tape.open[bracket.next] if tape.session[bracket.next] == now else bracket.last_close)
            for bracket in self._books.live.values()
        )

    def _buy(self, now: int, owner: int, wish: Wish, shares: float) -> bool:
        books, costs, rule = self._books, self._costs, self._rule
        if shares < 1:
            books.denied[Denial.TOO_SMALL] += 1
            return False
        place, price = wish.place, self._tape.open[wish.place]
        if rule.volume_share is not None:
            shares = min(shares, fillable(self._tape.volume[place], rule.volume_share))
            if shares < 1:
                books.denied[Denial.VOLUME] += 1
                return False
        moved = slippage(costs.half_spread, costs.impact, wish.sigma, shares * price, wish.adv)
        paid = price * (1 + moved)
        fees = costs.scale * commission(shares, costs.per_share, costs.least, shares * paid, costs.most_ratio)
        cost, cover = shares * price, self._purse.cash_cover
        short = shares * paid + fees > books.cash or (cover > 0 and not books.cash > cover * cost + EPSILON)
        if self._purse.notional is None and short:
            books.denied[Denial.CASH] += 1
            return False
        books.number += 1
        bracket = _Bracket(books.number, wish, price, shares, rule)
        bracket.paid, bracket.fees = paid, fees
        books.cash -= shares * paid + fees
        books.live[owner] = bracket
        books.journal.append(Line(now, bracket.number, What.ENTRY, paid, shares, fees))
        return True

    def _match(self, now: int) -> None:
        """The bars of the session, of instruments with a bracket."""
        tape, rule = self._tape, self._rule
        session, opens, highs, lows, closes = tape.session, tape.open, tape.high, tape.low, tape.close
        for owner, bracket in list(self._books.live.items()):
            place = bracket.next
            if session[place] != now:
                continue
            held = bracket.sessions + 1
            bracket.sessions, bracket.last_close = held, closes[place]
            dollars = bracket.dollars
            price, high, low = opens[place] * dollars, highs[place] * dollars, lows[place] * dollars
            reason = bracket.leaving
            if reason == NOTHING:
                jumps = rule.jumps and held > 1
                reason, price = exit_on(
                    price, high, low, bracket.stop, bracket.target, bracket.through, jumps
                )
                if reason == NOTHING:
                    if low < bracket.worst:
                        bracket.worst = low
                    if high > bracket.best:
                        bracket.best = high
                    if held >= rule.max_sessions:
                        reason, price = TIME, closes[place] * dollars
            if reason != NOTHING and self._sell(now, bracket, place, reason, price):
                self._close(now, owner, bracket, place, reason)
            elif not tape.is_last[place]:
                bracket.next = place + 1

    def _sell(self, now: int, bracket: _Bracket, place: int, reason: int, price: float) -> bool:
        """As much as the bar takes; whether that was all. What a stop leaves over goes at the next opens."""
        costs, share = self._costs, self._rule.volume_share
        shares = bracket.left
        if share is not None:
            shares = min(shares, fillable(self._tape.volume[place], share))
        if shares < bracket.left:
            bracket.leaving = NOTHING if reason == TARGET else reason
        if shares <= 0:
            return False
        bracket.worst, bracket.best = min(bracket.worst, price), max(bracket.best, price)
        got = price
        if reason != TARGET:
            moved = slippage(costs.half_spread, costs.impact, bracket.sigma, shares * price, bracket.adv)
            got = price * (1 - moved)
        value = shares * got / bracket.dollars
        fees = costs.scale * (
            sale_fees(shares, value, self._sec[now], self._taf[now], self._cap[now])
            + commission(shares, costs.per_share, costs.least, value, costs.most_ratio)
        )
        bracket.left -= shares
        # In shares of the entry day, so that a split changes no average.
        bought = shares / bracket.dollars
        bracket.sold += bought
        bracket.raw += bought * price
        bracket.proceeds += bought * got
        bracket.money += value
        bracket.fees += fees
        self._books.cash += value - fees
        what = _LINES[reason]
        self._books.journal.append(Line(now, bracket.number, what, got / bracket.dollars, shares, fees))
        return bracket.left <= 0

    def _close(self, now: int, owner: int, bracket: _Bracket, place: int, reason: int) -> None:
        """Its other exit is canceled; it leaves the live index."""
        books = self._books
        del books.live[owner]
        books.journal.append(Line(now, bracket.number, What.CANCEL, 0.0, 0.0, 0.0))
        entry, shares = bracket.entry, bracket.bought
        sold = bracket.sold
        # By place, not by name: half the time, and this is done for every trade of a sweep.
        trade = BracketTrade(
            bracket.number,
            bracket.place,
            place,
            reason,
            entry,
            bracket.raw / sold,
            bracket.paid,
            bracket.proceeds / sold,
            shares,
            bracket.fees,
            bracket.money - shares * bracket.paid - bracket.fees,
            bracket.sessions,
            min(0.0, bracket.worst / entry - 1),
            max(0.0, bracket.best / entry - 1),
        )
        books.trades.append(trade)

    def _mark(self) -> tuple[float, float, float]:
        """Equity at the close, the share of it that is in positions, and how much changed hands."""
        books = self._books
        values = {owner: bracket.left * bracket.last_close for owner, bracket in books.live.items()}
        held = sum(values.values())
        equity = books.cash + held
        weights = {owner: value / equity for owner, value in values.items()}
        before = books.weights
        turned = sum(abs(weights.get(owner, 0.0) - before.get(owner, 0.0)) for owner in {*weights, *before})
        books.weights = weights
        return equity, held / equity, turned / 2
