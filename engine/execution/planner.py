"""What to do next with a bracket: the plan table of RELIABILITY 5.3, level-triggered and pure.

`plan` compares the facts with the goal and gives the first matching row's step; the caller journals the new
state, carries out the actions and plans again until nothing changes. A lost event costs time only.
"""

from collections.abc import Callable
from dataclasses import replace

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket, BracketPhase, Leg
from engine.execution.covering import (
    cover,
    linked_until,
    protected,
    raise_stop,
    retry_replace_us,
    sell_tier,
)
from engine.execution.fates import ANSWER_US, next_ask_us, silent, unbooked, unknown, unmatched
from engine.execution.leaving import (
    exiting,
    follow_price,
    oversold,
    patience_us,
    target_reached,
    time_due,
    time_exit_us,
    unprotectable,
    wanted,
)
from engine.execution.moves import (
    ASK_CANCEL_AGAIN_US,
    cancel,
    live_legs,
    lone_targets,
    lone_until,
    shrunk_pairs,
    shrunk_until,
)
from engine.execution.steps import Circumstances, RaiseAlarm, Step
from engine.execution.watching import naked, next_naked_us, venue_below
from engine.model.orders import OrderRole, OrderState
from engine.money import ZERO

PARTIAL_NATIVE_US = 4 * US_PER_S
"""How long a partly filled entry may keep its sleeping legs (RELIABILITY 5.3)."""
PARTIAL_SYNTHETIC_US = 20 * US_PER_S
DRAIN_US = 90 * US_PER_S
"""Late arrival bound of an order that was proved absent."""
OVER = (BracketPhase.DRAINING, BracketPhase.CLOSED)


def plan(bracket: Bracket, now: Circumstances) -> Step:
    """The first row that matches; a step without change and actions when there is nothing to do now."""
    for row in _ROWS:
        step = row(bracket, now)
        if step is not None:
            return step
    return Step(bracket)


def next_wake(bracket: Bracket, now: Circumstances) -> int | None:
    """When a row may match although nothing happens; None: only a fact can change the plan."""
    times = [bracket.retry_exit_us, *next_naked_us(bracket)]
    for leg in bracket.legs:
        times += _times_of(bracket, leg, now)
    times += [ts for stop, target in shrunk_pairs(bracket) for ts in (target.ask_us, shrunk_until(stop))]
    times += [lone_until(stop) for stop, _ in lone_targets(bracket)]
    if bracket.entry.is_live:
        times.append(bracket.deadline_us)
        if bracket.first_fill_us is not None:
            times += [bracket.first_fill_us + PARTIAL_NATIVE_US, bracket.first_fill_us + PARTIAL_SYNTHETIC_US]
    if (due := time_exit_us(bracket, now)) is not None:
        times.append(due)
    return min((ts for ts in times if ts > now.now_us), default=None)


def _times_of(bracket: Bracket, leg: Leg, now: Circumstances) -> list[int]:
    times = []
    if leg.state is OrderState.UNKNOWN:
        times.append(next_ask_us(leg, now))
    elif leg.unbooked > ZERO:
        times.append(leg.ask_us)
    if leg.state is OrderState.SENDING:
        times.append(leg.last_send_us + ANSWER_US)
    if leg.is_live and leg.cancel_us is not None:
        times.append(leg.cancel_us + ASK_CANCEL_AGAIN_US)
    if leg.state is OrderState.NOTPLACED and bracket.phase is BracketPhase.DRAINING:
        times.append(leg.changed_us + DRAIN_US)
    if leg.role is OrderRole.EXIT and (due := patience_us(bracket, leg)) is not None:
        times.append(due)
    if leg.role is OrderRole.TARGET and leg.is_live and leg.fills:
        times.append(linked_until(leg))
    if leg.replaces is not None and leg.state is OrderState.REJECTED:
        refusals = sum(new.replaces == leg.replaces for new in bracket.legs if new.n <= leg.n)
        times.append(leg.changed_us + retry_replace_us(refusals))
    return times


def _late(bracket: Bracket, now: Circumstances) -> Step | None:
    """A fill, or an order thought absent, after the bracket was over: it is open again."""
    if bracket.phase not in OVER:
        return None
    if bracket.held > ZERO:
        text = f"{bracket.instrument}: a late fill after the bracket was over, {bracket.held} held again"
        again = replace(bracket, phase=BracketPhase.ENTERING, closed_us=None)
        return Step(again, (RaiseAlarm(text, page=True),))
    live = live_legs(bracket)
    if not live:
        return None
    open_again = replace(bracket, phase=BracketPhase.DRAINING, closed_us=None)
    return cancel(open_again, live, now) or Step(open_again)


def _restating(bracket: Bracket, now: Circumstances) -> Step | None:
    """After a corporate action every order from before it must end; until then nothing is placed.

    Nor before a price is known: after a restart the venue may not have carried the action out yet.
    """
    if not bracket.restating:
        return None
    live = live_legs(bracket)
    if live:
        return cancel(bracket, live, now) or Step(bracket)
    if now.last_price is None and now.mark is None and bracket.held > ZERO:
        return Step(bracket)
    return Step(replace(bracket, restating=False))


def _flat(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.held != ZERO or not bracket.entry.state.is_terminal:
        return None
    live = live_legs(bracket)
    if live:
        return cancel(bracket, live, now) or Step(bracket)
    if bracket.phase not in OVER:
        return Step(replace(bracket, phase=BracketPhase.DRAINING))
    if bracket.phase is BracketPhase.CLOSED or any(leg.unbooked for leg in bracket.legs):
        return Step(bracket)
    if bracket.missing > ZERO and now.halted:
        # All of it is gone, say the venue's books: it stays at hand until a person let the symbol go on.
        return Step(bracket)
    absent = [leg.changed_us + DRAIN_US for leg in bracket.legs if leg.state is OrderState.NOTPLACED]
    if absent and now.now_us < max(absent):
        return Step(bracket)
    return Step(replace(bracket, phase=BracketPhase.CLOSED, closed_us=now.now_us))


def _stop_entry(bracket: Bracket, now: Circumstances) -> Step | None:
    """Cancel an entry: late, halted, dropped by hand, over, beyond its levels; the rest of a partial one."""
    entry = bracket.entry
    if bracket.phase is not BracketPhase.ENTERING or not entry.is_live:
        return None
    due = now.halted or not now.session_open or bracket.exit_wanted is not None or bracket.entry_unwanted
    if bracket.held == ZERO:
        due = due or now.now_us >= bracket.deadline_us or entry.cum > ZERO or _beyond_levels(bracket, now)
    else:
        patience = PARTIAL_NATIVE_US if bracket.is_grouped else PARTIAL_SYNTHETIC_US
        since = bracket.opened_us if bracket.first_fill_us is None else bracket.first_fill_us
        due = due or now.now_us >= since + patience or bracket.progress.tiers_done > 0
    return cancel(bracket, [entry], now) if due else None


def _beyond_levels(bracket: Bracket, now: Circumstances) -> bool:
    price = now.last_price
    return price is not None and not bracket.stop_now < price < bracket.target_now


_ROWS: tuple[Callable[[Bracket, Circumstances], Step | None], ...] = (
    silent,
    unknown,
    unbooked,
    unmatched,
    naked,
    venue_below,
    oversold,
    _late,
    _restating,
    _flat,
    _stop_entry,
    unprotectable,
    follow_price,
    target_reached,
    time_due,
    exiting,
    wanted,
    raise_stop,
    cover,
    sell_tier,
    protected,
)
