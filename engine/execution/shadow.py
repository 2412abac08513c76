"""One signal followed on paper to its outcome, by the exits of its own plan (SPEC 3.4.1, 3.14): pure.

It is bought at its limit price at the decision and left like a bracket: the stop before the target inside a
bar, a gap through a price at the open, else at the close of its last session. Prices of its terms are in
entry-day dollars; `ratio` brings them to those of today. All of it follows from the terms and the bars since,
so that a restart needs nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isfinite

from engine.execution.matching import (
    Coverage,
    Leg,
    MatchRules,
    bar_prices,
    coverage_of,
    exit_on_bar,
    limit_is_crossed,
    stop_is_reached,
)
from engine.model.candidates import Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.market import Bar
from engine.model.orders import OrderSide
from engine.model.policy import ClosedTrade
from engine.model.positions import ExitReason
from engine.money import to_decimal

ONE = Decimal(1)
LONGEST_SILENCE = 10
"""Sessions in a row without a price, after which nobody can say how it would have ended."""
PLACES = Decimal("0.000001")
"""Prices that a split brought back to entry-day dollars have no tick: so many digits are kept."""
_REASONS = {Leg.STOP: ExitReason.STOP, Leg.TARGET: ExitReason.TARGET}


@dataclass(frozen=True, slots=True)
class ShadowTerms:
    """What is followed, fixed at the decision. Prices Decimal in entry-day dollars, costs fractions at 1x."""

    correlation: CorrelationId
    strategy: StrategyName
    instrument: InstrumentId
    session: date
    proposed: bool
    """Its agents let it through; else it is followed to see whether the veto was right."""
    is_second: bool
    """A proposal of the same instrument was followed already: it would not have been traded too."""
    opened_us: int
    entry_price: Decimal
    stop_price: Decimal
    target_price: Decimal
    max_sessions: int
    quantity: Decimal
    """What was or would have been bought: costs depend on it."""
    entry_cost: float
    """Slippage on top of the entry price."""
    exit_cost: float
    """Slippage of an exit that is no resting order."""
    policy_id: str
    model_id: str | None
    votes: Mapping[str, Vote]


@dataclass(frozen=True, slots=True)
class ShadowExit:
    """How it ended; `price` in entry-day dollars."""

    ts: int
    session: date
    price: Decimal
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class Shadow:
    """A followed signal as far as the market has told. Prices in entry-day dollars."""

    terms: ShadowTerms
    low: Decimal
    high: Decimal
    """The lowest and the highest price that is proved to have been reached since the entry."""
    ratio: Decimal = ONE
    """What entry-day prices are multiplied by for those of today."""
    last_action: date | None = None
    held: int = 0
    """Sessions of its own that are over, the entry session as 1."""
    done: date | None = None
    """The last session of the exchange that it was followed to the close of."""
    silent: int = 0
    """Sessions in a row without a price."""
    heard: Decimal | None = None
    """The last price of the session that is under way; None: there was none yet."""
    exit: ShadowExit | None = None
    void: str = ""
    """Why it has no outcome and gets none; "" while it may."""

    @property
    def is_over(self) -> bool:
        """Nothing more follows."""
        return self.exit is not None or self.void != ""


def begin(terms: ShadowTerms) -> Shadow:
    """Bought at its limit price."""
    return Shadow(terms, terms.entry_price, terms.entry_price)


def restated(shadow: Shadow, ratio: float, ex_date: date) -> Shadow:
    """After a corporate action before the open of `ex_date`; one that was told already changes nothing."""
    if ex_date <= (shadow.last_action or shadow.terms.session):
        return shadow
    return replace(shadow, ratio=shadow.ratio * to_decimal(ratio), last_action=ex_date)


def on_price(shadow: Shadow, price: float, ts: int, session: date, rules: MatchRules) -> Shadow:
    """After a price at which it could be sold, in dollars of today."""
    if shadow.is_over or ts < shadow.terms.opened_us or not (isfinite(price) and price > 0):
        return shadow
    terms, own = shadow.terms, _own(to_decimal(price), shadow)
    moved = replace(shadow, low=min(shadow.low, own), high=max(shadow.high, own), heard=own)
    if stop_is_reached(terms.stop_price, own, rules):
        return _ended(moved, ShadowExit(ts, session, own, ExitReason.STOP))
    if limit_is_crossed(OrderSide.SELL, terms.target_price, own, rules):
        # A resting order gets its own price, and the price at which a later session begins beyond it.
        jumped = shadow.heard is None and session > terms.session
        got = own if jumped else terms.target_price
        return _ended(moved, ShadowExit(ts, session, got, ExitReason.TARGET))
    return moved


def _ended(shadow: Shadow, end: ShadowExit) -> Shadow:
    """In a session that is not over: it counts as one."""
    return replace(shadow, held=shadow.held + 1, exit=end)


def end_session(
    shadow: Shadow, bar: Bar | None, ts: int, session: date, tick: Decimal | None, rules: MatchRules
) -> Shadow:
    """After the close of a session of the exchange, with the bar of its instrument where there was one."""
    if shadow.is_over or (shadow.done is not None and session <= shadow.done):
        return shadow
    close = shadow.heard if bar is None else _own(bar_prices(bar).close, shadow)
    after = replace(shadow, done=session, heard=None)
    if close is None:
        silent = shadow.silent + 1
        return replace(after, silent=silent, void=_silence(silent))
    after = replace(after, held=shadow.held + 1, silent=0)
    if bar is not None:
        after = _on_bar(after, bar, shadow.heard is not None, ts, session, tick, rules)
    if after.exit is None and after.held >= after.terms.max_sessions:
        return replace(after, exit=ShadowExit(ts, session, close, ExitReason.TIME))
    return after


def _on_bar(
    shadow: Shadow,
    bar: Bar,
    was_heard: bool,
    ts: int,
    session: date,
    tick: Decimal | None,
    rules: MatchRules,
) -> Shadow:
    terms, prices = shadow.terms, bar_prices(bar)
    coverage = coverage_of(terms.opened_us, True, bar.ts_open)
    if coverage is Coverage.WITHIN and was_heard:
        # What the bar reached before the entry is not its own, and what came after the entry was told.
        return shadow
    stop, target = terms.stop_price * shadow.ratio, terms.target_price * shadow.ratio
    found = exit_on_bar(stop, target, prices, coverage, tick, rules)
    if found is not None:
        got = _own(found.price, shadow)
        reached = replace(shadow, low=min(shadow.low, got), high=max(shadow.high, got))
        return replace(reached, exit=ShadowExit(ts, session, got, _REASONS[found.leg]))
    # The high of the entry's own bar may have come before the entry.
    top = prices.close if coverage is Coverage.WITHIN else prices.high
    low, high = _own(prices.low, shadow), _own(top, shadow)
    return replace(shadow, low=min(shadow.low, low), high=max(shadow.high, high))


def _own(price: Decimal, shadow: Shadow) -> Decimal:
    """A price of today in entry-day dollars."""
    return price if shadow.ratio == ONE else (price / shadow.ratio).quantize(PLACES)


def _silence(silent: int) -> str:
    return f"no price in {silent} sessions" if silent >= LONGEST_SILENCE else ""


def outcome(shadow: Shadow, end: ShadowExit, fees: Decimal) -> ClosedTrade:
    """How it ended; `fees` of its sale in account currency."""
    terms, entry = shadow.terms, shadow.terms.entry_price
    slipped = entry * to_decimal(terms.entry_cost)
    if end.reason is not ExitReason.TARGET:
        slipped += end.price * to_decimal(terms.exit_cost)
    return ClosedTrade(
        id=f"shadow-{terms.correlation}",
        correlation=terms.correlation,
        strategy=terms.strategy,
        instrument=terms.instrument,
        session=terms.session,
        shadow=True,
        proposed=terms.proposed,
        entry_us=terms.opened_us,
        entry_price=entry,
        exit_us=end.ts,
        exit_session=end.session,
        exit_price=end.price,
        exit_reason=end.reason,
        sessions=shadow.held,
        quantity=terms.quantity,
        cost=(slipped * terms.quantity).quantize(PLACES) + fees,
        votes=terms.votes,
        mae=float(min(shadow.low, end.price) / entry) - 1,
        mfe=float(max(shadow.high, end.price) / entry) - 1,
    )
