"""Rows of the plan table that keep every share under a resting stop, and sell the tiers (RELIABILITY 5.3)."""

from dataclasses import replace
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import (
    LAST_NUMBER,
    Bracket,
    BracketPhase,
    Leg,
    sending,
    stop_spec,
    target_spec,
)
from engine.execution.evidence import WAKING_US
from engine.execution.leaving import impatient, send_exit
from engine.execution.moves import (
    ASK_CANCEL_AGAIN_US,
    OPEN_PHASES,
    RESERVED_NUMBERS,
    STOP_REFUSALS,
    awake_stops,
    cancel,
    due_of_tiers,
    has_number,
    live_sales,
    lone_targets,
    lone_until,
    refused_stops,
    restated,
    shrunk_pairs,
    shrunk_until,
    to_cover,
)
from engine.execution.steps import (
    Action,
    Circumstances,
    RaiseAlarm,
    ReplaceOrder,
    SendBracket,
    SendOrder,
    Step,
)
from engine.model.orders import BracketKind, BracketSpec, OrderRole, OrderSide, OrderState
from engine.money import ZERO, round_down

REPRICE = Decimal("0.995")
"""A stop that the venue refused goes once more, so much lower."""
LOW_STOP = Decimal("0.995")
"""A resting stop below this part of the plan's is raised; a smaller difference is the tick's."""
RETRY_REPLACE_US = 2 * US_PER_S
REPLACE_REFUSALS = 3
"""After so many refusals to replace an order it is canceled and placed anew instead."""


def raise_stop(bracket: Bracket, now: Circumstances) -> Step | None:
    """The plan's stop rose above the resting one: replaced in place where the card can, else canceled first.

    Also for a stop from before a corporate action that came to rest after it: it would trigger at the wrong
    price.
    """
    if bracket.held <= ZERO:
        return None
    for leg in awake_stops(bracket):
        if not leg.is_live or leg.spec.stop_price is None:
            continue
        price = restated(bracket, bracket.stop_price, now)
        least = price * LOW_STOP * (REPRICE if _was_repriced(bracket, leg) else 1)
        if leg.spec.stop_price > price:
            step = cancel(bracket, [leg], now)
        elif leg.spec.stop_price < least and has_number(bracket, OrderRole.STOP, RESERVED_NUMBERS):
            step = _put(bracket, leg, leg.remaining, price, now)
        else:
            step = None
        if step is not None:
            return step
    return None


def _was_repriced(bracket: Bracket, leg: Leg) -> bool:
    """It followed a refused stop: it may rest lower by what that took off."""
    stops = bracket.of_role(OrderRole.STOP)
    before = next((old for old in reversed(stops) if old.n < leg.n), None)
    return before is not None and before.state is OrderState.REJECTED and before.replaces is None


def _put(bracket: Bracket, leg: Leg, quantity: Decimal, price: Decimal, now: Circumstances) -> Step | None:
    """Another quantity or price for a resting stop: in its place, or after it was canceled; None: wait."""
    if leg.state is not OrderState.WORKING or bracket.successor(leg) is not None:
        return None
    refused = [new for new in bracket.legs if new.replaces == leg.id and new.state is OrderState.REJECTED]
    alone = bracket.sibling(leg) is None and leg.cancel_us is None
    if not now.card.can_replace or not alone or len(refused) >= REPLACE_REFUSALS:
        return cancel(bracket, [leg], now)
    if refused and now.now_us < refused[-1].changed_us + retry_replace_us(len(refused)):
        return None
    number = bracket.next_n(OrderRole.STOP, OrderRole.TARGET)
    spec = stop_spec(bracket.ticket, bracket.instrument, number, quantity, price)
    new = sending(spec, OrderRole.STOP, number, now.now_us, replaces=leg.id)
    return Step(bracket.with_new(new), (ReplaceOrder(leg.id, spec), *_scarce(bracket, number, price)))


def _scarce(bracket: Bracket, number: int, price: Decimal) -> tuple[Action, ...]:
    """The last number that raises and tiers may take is told: from then on the venue's stop is too low."""
    if number != LAST_NUMBER - RESERVED_NUMBERS or bracket.exit_plan.is_single:
        return ()
    text = (
        f"{bracket.instrument}: order numbers grow scarce: the venue's stop stays at {price}. "
        "Higher stops hold only while this process runs, and no further tier is sold"
    )
    return (RaiseAlarm(text, page=False),)


def retry_replace_us(refusals: int) -> int:
    """How long to wait after so many refusals to replace one order."""
    return RETRY_REPLACE_US << (refusals - 1)


def cover(bracket: Bracket, now: Circumstances) -> Step | None:
    """Every share gets a resting stop: additive, never cancel-then-place."""
    if bracket.phase not in OPEN_PHASES or bracket.held <= ZERO:
        return None
    missing = to_cover(bracket, now) - bracket.cover
    if missing < ZERO:
        return _shrink(bracket, -missing, now)
    stops = awake_stops(bracket)
    if missing == ZERO or any(leg.state in (OrderState.SENDING, OrderState.UNKNOWN) for leg in stops):
        return None
    unseen = [pair for pair in shrunk_pairs(bracket) if now.now_us < shrunk_until(pair[0])]
    if missing <= sum((target.remaining - stop.spec.quantity for stop, target in unseen), ZERO):
        return None
    if bracket.entry.is_live and bracket.is_grouped:
        # Its sleeping legs still may wake: the entry is completed or cancelled first.
        return None
    if refused_stops(bracket) >= STOP_REFUSALS or not has_number(bracket, OrderRole.STOP):
        return None
    return _end_lone_targets(bracket, now) or _place_stop(bracket, missing, now)


def _shrink(bracket: Bracket, excess: Decimal, now: Circumstances) -> Step | None:
    """More cover than wanted: the newest untouched stop shrinks or goes, unless enough are going already."""
    working = [leg for leg in awake_stops(bracket) if leg.state is OrderState.WORKING]
    going = [leg for leg in working if leg.cancel_us is not None]
    excess -= _linked(bracket, working, now) + sum((leg.remaining for leg in going), ZERO)
    if excess <= ZERO:
        return cancel(bracket, going, now)
    staying = [leg for leg in working if leg.cancel_us is None]
    ended = [leg for leg in staying if _has_sold(bracket, leg)]
    if ended:
        return cancel(bracket, ended, now)
    newest = next((leg for leg in reversed(staying) if leg.cum == ZERO), staying[-1] if staying else None)
    if newest is None:
        return None
    rest = newest.remaining - excess
    if rest <= ZERO:
        return None if bracket.successor(newest) is not None else cancel(bracket, [newest], now)
    price = newest.spec.stop_price if newest.spec.stop_price is not None else bracket.stop_now
    return _put(bracket, newest, rest, price, now)


def _has_sold(bracket: Bracket, stop: Leg) -> bool:
    """Its target filled, so the venue ends it; asking for that costs no protection."""
    target = bracket.sibling(stop)
    return target is not None and target.state is OrderState.FILLED


def _linked(bracket: Bracket, stops: list[Leg], now: Circumstances) -> Decimal:
    """What targets that just filled in part sold: the venue took it off their stops, and has 4 s to say so.

    Where the card does not promise that, the stop could sell shares that are gone: it shrinks now.
    """
    sold = ZERO
    if not now.card.reduces_pairs:
        return sold
    for leg in stops:
        target = bracket.sibling(leg)
        if target is None or not target.is_live or not target.fills:
            continue
        if now.now_us < linked_until(target):
            sold += max(leg.remaining - target.remaining, ZERO)
    return sold


def linked_until(target: Leg) -> int:
    """Until when the venue may take to shrink the stop of a target that filled in part."""
    return max(fill.ts_event for fill in target.fills) + WAKING_US


def _end_lone_targets(bracket: Bracket, now: Circumstances) -> Step | None:
    """A target whose stop has ended holds the shares that the next stop needs, or sold them; it gets 2 s."""
    lone = lone_targets(bracket)
    step = cancel(bracket, [target for _, target in lone if target.cancel_us is None], now)
    if step is not None:
        return step
    return Step(bracket) if any(now.now_us < lone_until(stop) for stop, _ in lone) else None


def _place_stop(bracket: Bracket, missing: Decimal, now: Circumstances) -> Step:
    number = bracket.next_n(OrderRole.STOP, OrderRole.TARGET)
    price = restated(bracket, bracket.stop_price, now)
    if refused_stops(bracket):
        lowest = price if now.last_price is None else min(price, now.last_price)
        price = round_down(lowest * REPRICE, now.tick_size)
    stop = stop_spec(bracket.ticket, bracket.instrument, number, missing, price)
    leg = sending(stop, OrderRole.STOP, number, now.now_us)
    linked = now.card.bracket_kind is not BracketKind.SYNTHETIC and bracket.exit_plan.is_single
    if not linked or lone_targets(bracket) or shrunk_pairs(bracket):
        # A new target would sell at once what an old one may have sold already.
        return Step(bracket.with_new(leg), (SendOrder(stop), *_scarce(bracket, number, price)))
    high = restated(bracket, bracket.target_price, now)
    target = target_spec(bracket.ticket, bracket.instrument, number, missing, high)
    pair = bracket.with_new(leg, sending(target, OrderRole.TARGET, number, now.now_us))
    return Step(pair, (SendBracket(BracketSpec(bracket.ticket, bracket.account, None, stop, target)),))


def sell_tier(bracket: Bracket, now: Circumstances) -> Step | None:
    """A tier is due and the stop has shrunk by it: its shares are sold, the rest stays protected."""
    if bracket.phase is not BracketPhase.PROTECTED:
        return None
    sales = live_sales(bracket)
    if sales:
        return impatient(bracket, sales, now)
    due = due_of_tiers(bracket, now)
    stops = [leg for leg in awake_stops(bracket) if leg.is_live]
    if due == ZERO or not all(_is_settled(leg, now) for leg in stops) or bracket.cover != bracket.held - due:
        return None
    return send_exit(bracket, OrderSide.SELL, due, now)


def _is_settled(stop: Leg, now: Circumstances) -> bool:
    """It works, and no cancel of it is on its way: one that did not end it in 2 s counts as lost."""
    lost = stop.cancel_us is None or now.now_us >= stop.cancel_us + ASK_CANCEL_AGAIN_US
    return stop.state is OrderState.WORKING and lost


def protected(bracket: Bracket, now: Circumstances) -> Step | None:
    """The entry is over and everything is covered."""
    covered = bracket.held > ZERO and bracket.cover == bracket.held
    if bracket.phase is BracketPhase.ENTERING and bracket.entry.state.is_terminal and covered:
        return Step(replace(bracket, phase=BracketPhase.PROTECTED))
    return None
