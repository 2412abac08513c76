"""Rows of the plan table that only tell: shares without a stop, and shares that the venue does not hold."""

from dataclasses import replace
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket
from engine.execution.moves import live_sales
from engine.execution.steps import Circumstances, HaltScope, RaiseAlarm, Step
from engine.model.orders import OrderState, TimeInForce
from engine.money import ZERO

NAKED_ALARM_US = 5 * US_PER_S
NAKED_PAGE_US = 30 * US_PER_S


def naked(bracket: Bracket, now: Circumstances) -> Step | None:
    """Shares without a resting stop are an alarm after 5 s and a page after 30 s, whatever the reason."""
    shares = _uncovered(bracket)
    since = bracket.naked_us
    if shares <= ZERO:
        return None if since is None else Step(replace(bracket, naked_us=None, naked_told=0))
    if since is None:
        return Step(replace(bracket, naked_us=now.now_us, naked_told=0))
    level = 2 if now.now_us >= since + NAKED_PAGE_US else 1 if now.now_us >= since + NAKED_ALARM_US else 0
    if level <= bracket.naked_told:
        return None
    text = f"{bracket.instrument}: {shares} shares without a stop for {(now.now_us - since) // US_PER_S} s"
    return Step(replace(bracket, naked_told=level), (RaiseAlarm(text, page=level == 2),))


def next_naked_us(bracket: Bracket) -> tuple[int, ...]:
    """When `naked` has something to tell."""
    if bracket.naked_us is None:
        return ()
    return bracket.naked_us + NAKED_ALARM_US, bracket.naked_us + NAKED_PAGE_US


def _uncovered(bracket: Bracket) -> Decimal:
    """A market-on-close order that the venue took is the planned end, not a gap."""
    closing = sum(
        (
            leg.remaining
            for leg in live_sales(bracket)
            if leg.spec.tif is TimeInForce.CLS and leg.state is OrderState.WORKING
        ),
        ZERO,
    )
    return bracket.held - bracket.cover - closing


def venue_below(bracket: Bracket, now: Circumstances) -> Step | None:
    """The venue holds less than our orders say: told once; all other rows go on with the lower count."""
    if bracket.missing_told:
        # Whether a sale lies before or after that count is known once its execution with its time is.
        waits = bracket.missing > ZERO and any(leg.unbooked for leg in bracket.legs)
        return Step(bracket) if waits else None
    told = replace(bracket, missing_told=True)
    if bracket.missing == ZERO:
        text = f"{bracket.instrument}: the venue holds the {bracket.held} shares of our orders again"
        return Step(told, (RaiseAlarm(text, page=False),))
    text = (
        f"{bracket.instrument}: the venue holds {bracket.held}, our orders say {bracket.position}: "
        f"stops are for {bracket.held} now. Say where the rest went, then resume the symbol"
    )
    return Step(told, (RaiseAlarm(text, page=True, halt=HaltScope.SYMBOL),))
