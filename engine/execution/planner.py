"""What to do next with a bracket: the plan table of RELIABILITY 5.3, level-triggered and pure.

`plan` compares the facts with the goal and gives the first matching row's step; the caller journals the new
state, carries out the actions and plans again until nothing changes. A lost event costs time only.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import (
    LAST_NUMBER,
    ONE,
    Bracket,
    BracketPhase,
    Leg,
    exit_spec,
    sending,
    stop_spec,
    target_spec,
)
from engine.execution.fates import ANSWER_US, silent, unbooked, unknown
from engine.execution.steps import (
    Action,
    CancelOrder,
    Circumstances,
    HaltScope,
    RaiseAlarm,
    SendBracket,
    SendOrder,
    Step,
)
from engine.model.orders import (
    BracketKind,
    BracketSpec,
    OrderRole,
    OrderSide,
    OrderState,
    TimeInForce,
)
from engine.model.positions import ExitReason
from engine.money import ZERO, round_down

ASK_CANCEL_AGAIN_US = 2 * US_PER_S
PARTIAL_NATIVE_US = 4 * US_PER_S
"""How long a partly filled entry may keep its sleeping legs (RELIABILITY 5.3)."""
PARTIAL_SYNTHETIC_US = 20 * US_PER_S
DRAIN_US = 90 * US_PER_S
"""Late arrival bound of an order that was proved absent."""
RETRY_EXIT_US = 2 * US_PER_S
LONGEST_RETRY_US = 60 * US_PER_S
PAGE_REFUSALS = 3
STOP_REFUSALS = 2
OPEN_PHASES = (BracketPhase.ENTERING, BracketPhase.PROTECTED)
OVER = (BracketPhase.DRAINING, BracketPhase.CLOSED)


def plan(bracket: Bracket, now: Circumstances) -> Step:
    """The first row that matches; a step without change and actions when there is nothing to do now."""
    for row in _ROWS:
        step = row(bracket, now)
        if step is not None:
            return replace(step, wake_us=next_wake(step.bracket, now.now_us))
    return Step(bracket, wake_us=next_wake(bracket, now.now_us))


def next_wake(bracket: Bracket, now_us: int) -> int | None:
    """When a row may match although nothing happens; None: only a fact can change the plan."""
    times = [bracket.retry_exit_us]
    for leg in bracket.legs:
        if leg.state is OrderState.UNKNOWN or leg.unbooked > ZERO:
            times.append(leg.ask_us)
        if leg.state is OrderState.SENDING:
            times.append(leg.last_send_us + ANSWER_US)
        if leg.is_live and leg.cancel_us is not None:
            times.append(leg.cancel_us + ASK_CANCEL_AGAIN_US)
        if leg.state is OrderState.NOTPLACED and bracket.phase is BracketPhase.DRAINING:
            times.append(leg.changed_us + DRAIN_US)
    if bracket.entry.is_live:
        times.append(bracket.deadline_us)
        if bracket.first_fill_us is not None:
            times += [bracket.first_fill_us + PARTIAL_NATIVE_US, bracket.first_fill_us + PARTIAL_SYNTHETIC_US]
    return min((ts for ts in times if ts > now_us), default=None)


def _oversold(bracket: Bracket, now: Circumstances) -> Step | None:
    """Below flat: cancel everything that sells, buy back once, halt the account."""
    if bracket.position >= ZERO:
        return Step(replace(bracket, alarmed=False)) if bracket.alarmed else None
    text = f"{bracket.instrument}: sold {-bracket.position} more than held"
    alarms = () if bracket.alarmed else (RaiseAlarm(text, page=True, halt=HaltScope.ACCOUNT),)
    marked = replace(bracket, alarmed=True, phase=BracketPhase.EXITING, closed_us=None)
    live = [leg for leg in bracket.legs if leg.is_live]
    buying = [leg for leg in live if leg.spec.side is OrderSide.BUY and leg.role is OrderRole.EXIT]
    others = [leg for leg in live if leg not in buying]
    if others:
        return _with(alarms, _cancel(marked, others, now) or Step(marked))
    if buying:
        return Step(marked, alarms)
    return _with(alarms, _market_exit(marked, OrderSide.BUY, now))


def _late(bracket: Bracket, now: Circumstances) -> Step | None:
    """A fill, or an order thought absent, after the bracket was over: it is open again."""
    if bracket.phase not in OVER:
        return None
    if bracket.position > ZERO:
        text = f"{bracket.instrument}: a late fill after the bracket was over, {bracket.position} held again"
        again = replace(bracket, phase=BracketPhase.ENTERING, closed_us=None)
        return Step(again, (RaiseAlarm(text, page=True),))
    live = [leg for leg in bracket.legs if leg.is_live]
    if not live:
        return None
    open_again = replace(bracket, phase=BracketPhase.DRAINING, closed_us=None)
    return _cancel(open_again, live, now) or Step(open_again)


def _restating(bracket: Bracket, now: Circumstances) -> Step | None:
    """After a corporate action every order from before it must end; until then nothing is placed.

    Nor before a price is known: after a restart the venue may not have carried the action out yet.
    """
    if not bracket.restating:
        return None
    live = [leg for leg in bracket.legs if leg.is_live]
    if live:
        return _cancel(bracket, live, now) or Step(bracket)
    if now.last_price is None and bracket.position > ZERO:
        return Step(bracket)
    return Step(replace(bracket, restating=False))


def _flat(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.position != ZERO or not bracket.entry.state.is_terminal:
        return None
    live = [leg for leg in bracket.legs if leg.is_live]
    if live:
        return _cancel(bracket, live, now) or Step(bracket)
    if bracket.phase not in OVER:
        return Step(replace(bracket, phase=BracketPhase.DRAINING))
    if bracket.phase is BracketPhase.CLOSED or any(leg.unbooked for leg in bracket.legs):
        return Step(bracket)
    absent = [leg.changed_us + DRAIN_US for leg in bracket.legs if leg.state is OrderState.NOTPLACED]
    if absent and now.now_us < max(absent):
        return Step(bracket)
    return Step(replace(bracket, phase=BracketPhase.CLOSED, closed_us=now.now_us))


def _stop_entry(bracket: Bracket, now: Circumstances) -> Step | None:
    """Cancel an entry that is late, halted, over or beyond its own levels, and the rest of a partial one."""
    entry = bracket.entry
    if bracket.phase is not BracketPhase.ENTERING or not entry.is_live:
        return None
    due = now.halted or not now.session_open or bracket.exit_wanted is not None
    if bracket.position == ZERO:
        due = due or now.now_us >= bracket.deadline_us or entry.cum > ZERO or _beyond_levels(bracket, now)
    else:
        native = now.card.bracket_kind is not BracketKind.SYNTHETIC
        patience = PARTIAL_NATIVE_US if native else PARTIAL_SYNTHETIC_US
        since = bracket.opened_us if bracket.first_fill_us is None else bracket.first_fill_us
        due = due or now.now_us >= since + patience
    return _cancel(bracket, [entry], now) if due else None


def _beyond_levels(bracket: Bracket, now: Circumstances) -> bool:
    price = now.last_price
    return price is not None and not bracket.stop_now < price < bracket.target_now


def _unprotectable(bracket: Bracket, now: Circumstances) -> Step | None:
    """Leave at once when the price is through an uncovered stop, or the venue refuses stops."""
    if bracket.phase not in OPEN_PHASES or bracket.cover >= bracket.position or not _may_exit(bracket, now):
        return None
    stops = _awake_stops(bracket)
    answers_out = any(leg.state is OrderState.SENDING for leg in stops)
    through = now.last_price is not None and now.last_price <= bracket.stop_now and not answers_out
    used_up = not _has_number(bracket, OrderRole.STOP) and not any(leg.is_live for leg in stops)
    if not through and not used_up and _refusals(bracket) < STOP_REFUSALS:
        return None
    wanted = bracket.exit_wanted or (ExitReason.STOP if through else ExitReason.EMERGENCY)
    return Step(replace(bracket, phase=BracketPhase.EXITING, exit_wanted=wanted))


def _exiting(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.phase is not BracketPhase.EXITING:
        return None
    live = [leg for leg in bracket.legs if leg.is_live]
    others = [leg for leg in live if leg.role is not OrderRole.EXIT or leg.spec.side is OrderSide.BUY]
    if others:
        return _cancel(bracket, others, now) or Step(bracket)
    return Step(bracket) if live else _market_exit(bracket, OrderSide.SELL, now)


def _wanted(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.exit_wanted is None or bracket.phase not in OPEN_PHASES or not _may_exit(bracket, now):
        return None
    return Step(replace(bracket, phase=BracketPhase.EXITING))


def _stale_stop(bracket: Bracket, now: Circumstances) -> Step | None:
    """A stop from before a corporate action that came to rest after it would trigger at the wrong price."""
    price = _restated(bracket, bracket.stop_price, now)
    stale = [leg for leg in _awake_stops(bracket) if leg.is_live and leg.spec.stop_price != price]
    return _cancel(bracket, stale, now)


def _cover(bracket: Bracket, now: Circumstances) -> Step | None:
    """Every share gets a resting stop: additive, never cancel-then-place."""
    if bracket.phase not in OPEN_PHASES or bracket.position <= ZERO:
        return None
    missing = bracket.position - bracket.cover
    stops = _awake_stops(bracket)
    if missing < ZERO:
        return _shrink(bracket, -missing, now)
    if missing == ZERO or any(leg.state in (OrderState.SENDING, OrderState.UNKNOWN) for leg in stops):
        return None
    if bracket.entry.is_live and now.card.bracket_kind is BracketKind.OTOCO:
        # Its sleeping legs still may wake: the entry is completed or cancelled first.
        return None
    if _refusals(bracket) >= STOP_REFUSALS or not _has_number(bracket, OrderRole.STOP):
        return None
    return _end_lone_targets(bracket, now) or _place_stop(bracket, missing, now)


def _shrink(bracket: Bracket, excess: Decimal, now: Circumstances) -> Step | None:
    """More cover than position: the newest untouched stop goes, unless enough are going; the rest follows."""
    working = [leg for leg in _awake_stops(bracket) if leg.state is OrderState.WORKING]
    going = [leg for leg in working if leg.cancel_us is not None]
    if sum((leg.remaining for leg in going), ZERO) >= excess:
        return _cancel(bracket, going, now)
    untouched = [leg for leg in working if leg.cum == ZERO and leg.cancel_us is None]
    return _cancel(bracket, untouched[-1:], now)


def _end_lone_targets(bracket: Bracket, now: Circumstances) -> Step | None:
    """A target whose stop has ended holds the shares that the next pair needs; it gets 2 s to go."""
    lone = [
        leg
        for leg in bracket.of_role(OrderRole.TARGET)
        if leg.state is OrderState.WORKING
        and bracket.is_awake(leg)
        and (stop := bracket.sibling(leg)) is not None
        and not stop.is_live
    ]
    fresh = [leg for leg in lone if leg.cancel_us is None]
    if fresh:
        return _cancel(bracket, fresh, now)
    waited = all(now.now_us >= (leg.cancel_us or 0) + ASK_CANCEL_AGAIN_US for leg in lone)
    return None if waited else Step(bracket)


def _place_stop(bracket: Bracket, missing: Decimal, now: Circumstances) -> Step:
    number = bracket.next_n(OrderRole.STOP, OrderRole.TARGET)
    price = _restated(bracket, bracket.stop_price, now)
    stop = stop_spec(bracket.ticket, bracket.instrument, number, missing, price)
    leg = sending(stop, OrderRole.STOP, number, now.now_us)
    targets = [leg for leg in bracket.of_role(OrderRole.TARGET) if leg.is_live and bracket.is_awake(leg)]
    if targets or now.card.bracket_kind is BracketKind.SYNTHETIC:
        return Step(bracket.with_new(leg), (SendOrder(stop),))
    high = _restated(bracket, bracket.target_price, now)
    target = target_spec(bracket.ticket, bracket.instrument, number, missing, high)
    pair = bracket.with_new(leg, sending(target, OrderRole.TARGET, number, now.now_us))
    return Step(pair, (SendBracket(BracketSpec(bracket.ticket, bracket.account, None, stop, target)),))


def _protected(bracket: Bracket, now: Circumstances) -> Step | None:
    covered = bracket.position > ZERO and bracket.cover == bracket.position
    if bracket.phase is BracketPhase.ENTERING and bracket.entry.state.is_terminal and covered:
        return Step(replace(bracket, phase=BracketPhase.PROTECTED))
    return None


_ROWS: tuple[Callable[[Bracket, Circumstances], Step | None], ...] = (
    silent,
    unknown,
    unbooked,
    _oversold,
    _late,
    _restating,
    _flat,
    _stop_entry,
    _unprotectable,
    _exiting,
    _wanted,
    _stale_stop,
    _cover,
    _protected,
)


def _market_exit(bracket: Bracket, side: OrderSide, now: Circumstances) -> Step:
    """The next market order, after a pause when the venue refused the last one."""
    exits = bracket.of_role(OrderRole.EXIT)
    if exits and _was_refused(exits[-1]) and exits[-1].changed_us >= bracket.retry_exit_us:
        return _back_off(bracket, exits, side, now)
    if not _has_number(bracket, OrderRole.EXIT):
        # A resting stop is the best that is left.
        return Step(replace(bracket, phase=BracketPhase.PROTECTED) if side is OrderSide.SELL else bracket)
    if now.now_us < bracket.retry_exit_us:
        return Step(bracket)
    number = bracket.next_n(OrderRole.EXIT)
    # Only at the closing instant itself, which is the first try; afterwards the next price will do.
    at_close = bracket.exit_wanted is ExitReason.TIME and not now.session_open and not exits
    tif = TimeInForce.CLS if at_close else TimeInForce.DAY
    spec = exit_spec(bracket.ticket, bracket.instrument, number, side, abs(bracket.position), tif)
    leg = sending(spec, OrderRole.EXIT, number, now.now_us)
    return Step(bracket.with_new(leg), (SendOrder(spec),))


def _back_off(bracket: Bracket, exits: Sequence[Leg], side: OrderSide, now: Circumstances) -> Step:
    refusals = sum(_was_refused(leg) for leg in exits)
    verb = "sell" if side is OrderSide.SELL else "buy back"
    text = f"{bracket.instrument}: the venue refused to {verb} {abs(bracket.position)}: {exits[-1].reason}"
    last_stop = side is OrderSide.SELL and bracket.next_n(OrderRole.STOP, OrderRole.TARGET) >= LAST_NUMBER
    out = last_stop or not _has_number(bracket, OrderRole.EXIT)
    if out:
        text += f". No order number is left after {len(exits)} tries: {verb} by hand"
    pause = min(RETRY_EXIT_US << min(refusals - 1, 5), LONGEST_RETRY_US)
    phase = BracketPhase.PROTECTED if side is OrderSide.SELL else bracket.phase
    again = replace(bracket, phase=phase, retry_exit_us=now.now_us + pause)
    return Step(again, (RaiseAlarm(text, page=out or refusals >= PAGE_REFUSALS),))


def _was_refused(leg: Leg) -> bool:
    """Rejected, or ended by the venue unasked before anything was filled."""
    if leg.state is OrderState.REJECTED:
        return True
    ended = leg.state in (OrderState.CANCELED, OrderState.EXPIRED)
    return ended and leg.cum == ZERO and leg.cancel_us is None


def _may_exit(bracket: Bracket, now: Circumstances) -> bool:
    """Something is held, no pause after a refusal is on, and there are order numbers left.

    The last stop is not given up for an exit that may be refused.
    """
    rested = now.now_us >= bracket.retry_exit_us
    numbered = _has_number(bracket, OrderRole.EXIT)
    spare = _has_number(bracket, OrderRole.STOP) or bracket.cover < bracket.position
    return bracket.position > ZERO and rested and numbered and spare


def _has_number(bracket: Bracket, role: OrderRole) -> bool:
    roles = (role,) if role is OrderRole.EXIT else (OrderRole.STOP, OrderRole.TARGET)
    return bracket.next_n(*roles) <= LAST_NUMBER


def _refusals(bracket: Bracket) -> int:
    """How many stops in a row the venue refused since it last refused an exit."""
    exits = bracket.of_role(OrderRole.EXIT)
    since = exits[-1].changed_us if exits else 0
    count = 0
    for leg in reversed(bracket.of_role(OrderRole.STOP)):
        if leg.state is not OrderState.REJECTED or leg.changed_us < since:
            break
        count += 1
    return count


def _restated(bracket: Bracket, price: Decimal, now: Circumstances) -> Decimal:
    """A price of the ticket in today's dollars, on the tick once a corporate action moved it."""
    return price if bracket.ratio == ONE else round_down(price * bracket.ratio, now.tick_size)


def _cancel(bracket: Bracket, legs: Sequence[Leg], now: Circumstances) -> Step | None:
    """Ask to cancel those not asked in the last 2 s; None when all were."""
    due = [
        leg
        for leg in legs
        if leg.state is OrderState.WORKING
        and (leg.cancel_us is None or now.now_us >= leg.cancel_us + ASK_CANCEL_AGAIN_US)
    ]
    if not due:
        return None
    for leg in due:
        bracket = bracket.with_leg(replace(leg, cancel_us=now.now_us))
    return Step(bracket, tuple(CancelOrder(leg.id) for leg in due))


def _with(alarms: tuple[Action, ...], step: Step) -> Step:
    return replace(step, actions=alarms + step.actions)


def _awake_stops(bracket: Bracket) -> list[Leg]:
    return [leg for leg in bracket.of_role(OrderRole.STOP) if bracket.is_awake(leg)]
