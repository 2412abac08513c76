"""What to do next with a bracket: the plan table of RELIABILITY 5.3, level-triggered and pure.

`plan` compares the facts with the goal and gives the first matching row's step; the caller journals the new
state, carries out the actions and plans again until nothing changes. A lost event costs time only.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.execution.bracket import Bracket, BracketPhase, Leg, exit_spec, sending, stop_spec, target_spec
from engine.model.ids import ClientOrderId
from engine.model.orders import (
    BracketKind,
    BracketSpec,
    OrderRole,
    OrderSide,
    OrderSpec,
    OrderState,
    TimeInForce,
)
from engine.model.positions import ExitReason
from engine.money import ZERO
from engine.ports import Capabilities

_S = 1_000_000
ASK_INTERVALS_US = (_S, 2 * _S, 4 * _S, 5 * _S)
"""After the first question at 0.5 s: 1, 2, 4 s, then every 5 s (RELIABILITY 5.2, 7)."""
ASK_CANCEL_AGAIN_US = 2 * _S
PARTIAL_NATIVE_US = 4 * _S
"""How long a partly filled entry may keep its sleeping legs (RELIABILITY 5.3)."""
PARTIAL_SYNTHETIC_US = 20 * _S
SKEW_US = _S
DRAIN_US = 90 * _S
"""Late arrival bound of an order that was proved absent."""
UNKNOWN_ALARM_US = 60 * _S
RETRY_EXIT_US = 2 * _S
NOT_FOUND_PROOF = 3
STOP_REFUSALS = 2


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Send one order whose intent is journalled."""

    spec: OrderSpec


@dataclass(frozen=True, slots=True)
class SendBracket:
    """Send a linked group whose intents are journalled."""

    spec: BracketSpec


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Ask the venue to cancel."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class AskOrder:
    """Ask the venue for an order's fate."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Tell a person. `page`: now. `halt`: no new entries on the account until a person looked."""

    text: str
    page: bool
    halt: bool = False


Action = SendOrder | SendBracket | CancelOrder | AskOrder | RaiseAlarm


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the planner may know besides the bracket."""

    now_us: int
    halted: bool
    session_open: bool
    """The regular session of the instrument is open; at its closing instant it is not."""
    last_price: Decimal | None
    """Last price in today's dollars; None when not known."""
    card: Capabilities


@dataclass(frozen=True, slots=True)
class Step:
    """The bracket after one row and what to do. `wake_us`: when time alone may change the plan, or None."""

    bracket: Bracket
    actions: tuple[Action, ...] = ()
    wake_us: int | None = None


def plan(bracket: Bracket, now: Circumstances) -> Step:
    """The first row that matches; a step without change and actions when there is nothing to do now."""
    for row in _ROWS:
        step = row(bracket, now)
        if step is not None:
            return step
    return Step(bracket, wake_us=_next_wake(bracket, now))


def _unknown_orders(bracket: Bracket, now: Circumstances) -> Step | None:
    """Ask about unknown orders; prove their absence, or send protective ones again under the same id."""
    for leg in bracket.legs:
        if leg.state is not OrderState.UNKNOWN:
            continue
        if leg.not_found and (step := _not_found(bracket, leg, now)) is not None:
            return step
        if now.now_us >= leg.ask_us:
            wait = ASK_INTERVALS_US[min(leg.asked, len(ASK_INTERVALS_US) - 1)]
            asked = replace(leg, asked=leg.asked + 1, ask_us=now.now_us + wait)
            return Step(bracket.with_leg(asked), (AskOrder(leg.id),))
        if now.now_us - leg.changed_us >= UNKNOWN_ALARM_US and not bracket.alarmed:
            text = f"{bracket.instrument}: order {leg.id} unknown for {UNKNOWN_ALARM_US // _S} s"
            return Step(replace(bracket, alarmed=True), (RaiseAlarm(text, page=False),))
    return None


def _not_found(bracket: Bracket, leg: Leg, now: Circumstances) -> Step | None:
    parent = None if leg.parent is None else bracket.leg(leg.parent)
    if parent is not None and parent.state is not OrderState.FILLED:
        # A sleeping child shares the fate of its entry.
        return Step(bracket.with_leg(_absent(leg, now))) if parent.state.is_terminal else None
    if leg.role is OrderRole.ENTRY:
        expiry = now.card.request_expiry_us or 0
        age = now.now_us - leg.last_send_us
        proved = leg.not_found >= NOT_FOUND_PROOF and age > expiry + SKEW_US + now.card.visibility_lag_us
        if not proved:
            return None
        children = tuple(
            _absent(child, now) if child.parent == leg.id and child.is_live else child
            for child in bracket.legs
        )
        return Step(replace(bracket, legs=children).with_leg(_absent(leg, now)))
    if not now.card.client_id_unique_for_ever:
        return None
    sibling = _sibling(bracket, leg)
    if sibling is not None and sibling.state is OrderState.UNKNOWN:
        if not sibling.not_found:
            return None
        stop, target = (leg, sibling) if leg.role is OrderRole.STOP else (sibling, leg)
        group = BracketSpec(bracket.ticket, bracket.account, None, stop.spec, target.spec)
        return Step(
            bracket.with_leg(_sent_again(stop, now)).with_leg(_sent_again(target, now)), (SendBracket(group),)
        )
    if leg.role is OrderRole.TARGET:
        # Alone it could fill beside its stop: the target is the leg we may lose.
        return Step(bracket.with_leg(_absent(leg, now)))
    return Step(bracket.with_leg(_sent_again(leg, now)), (SendOrder(leg.spec),))


def _oversold(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.position >= ZERO:
        return None
    alarm = RaiseAlarm(f"{bracket.instrument}: sold {-bracket.position} more than held", page=True, halt=True)
    alarms = () if bracket.alarmed else (alarm,)
    marked = replace(bracket, alarmed=True)
    live = [leg for leg in bracket.legs if leg.is_live]
    buying = [leg for leg in live if leg.spec.side is OrderSide.BUY and leg.role is OrderRole.EXIT]
    selling = _cancel(marked, [leg for leg in live if leg not in buying], now)
    if selling is not None:
        return replace(selling, actions=alarms + selling.actions)
    if [leg for leg in live if leg not in buying]:
        return Step(marked, alarms, _cancel_wake(live))
    if buying:
        return Step(marked, alarms)
    return _send_exit(marked, OrderSide.BUY, -bracket.position, now, alarms)


def _late_fill(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.phase not in (BracketPhase.DRAINING, BracketPhase.CLOSED) or bracket.position <= ZERO:
        return None
    text = f"{bracket.instrument}: a late fill after the bracket was over, {bracket.position} held again"
    again = replace(bracket, phase=BracketPhase.ENTERING, closed_us=None)
    return Step(again, (RaiseAlarm(text, page=True),))


def _restating(bracket: Bracket, now: Circumstances) -> Step | None:
    """Between a corporate action and the end of the old exit orders nothing is placed."""
    if not bracket.restating:
        return None
    if any(leg.is_live for leg in bracket.of_role(OrderRole.STOP, OrderRole.TARGET)):
        return Step(bracket)
    return Step(replace(bracket, restating=False))


def _flat(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.position != ZERO or not bracket.entry.state.is_terminal:
        return None
    live = [leg for leg in bracket.legs if leg.is_live]
    if live:
        return _cancel(bracket, live, now) or Step(bracket, wake_us=_cancel_wake(live))
    if bracket.phase not in (BracketPhase.DRAINING, BracketPhase.CLOSED):
        return Step(replace(bracket, phase=BracketPhase.DRAINING))
    if bracket.phase is BracketPhase.CLOSED:
        return Step(bracket)
    absent = [leg.changed_us + DRAIN_US for leg in bracket.legs if leg.state is OrderState.NOTPLACED]
    if absent and now.now_us < max(absent):
        return Step(bracket, wake_us=max(absent))
    return Step(replace(bracket, phase=BracketPhase.CLOSED, closed_us=now.now_us))


def _stop_entry(bracket: Bracket, now: Circumstances) -> Step | None:
    """Cancel an entry that is late, halted, over or beyond its own levels, and the rest of a partial one."""
    entry = bracket.entry
    if bracket.phase is not BracketPhase.ENTERING or not entry.is_live or entry.state is OrderState.UNKNOWN:
        return None
    ended = now.halted or not now.session_open
    if bracket.position == ZERO:
        due = ended or now.now_us >= bracket.deadline_us or entry.cum > ZERO or _beyond_levels(bracket, now)
    else:
        native = now.card.bracket_kind is not BracketKind.SYNTHETIC
        patience = PARTIAL_NATIVE_US if native else PARTIAL_SYNTHETIC_US
        since = bracket.opened_us if bracket.first_fill_us is None else bracket.first_fill_us
        due = ended or now.now_us >= since + patience
    return _cancel(bracket, [entry], now) if due else None


def _beyond_levels(bracket: Bracket, now: Circumstances) -> bool:
    price = now.last_price
    return price is not None and not bracket.stop_now < price < bracket.target_now


def _unprotectable(bracket: Bracket, now: Circumstances) -> Step | None:
    """Leave at once when the price is through an uncovered stop, or the venue refuses stops."""
    if bracket.phase not in (BracketPhase.ENTERING, BracketPhase.PROTECTED) or bracket.position <= ZERO:
        return None
    if now.now_us < bracket.retry_exit_us or bracket.cover >= bracket.position:
        return None
    refused = [leg for leg in bracket.of_role(OrderRole.STOP) if leg.state is OrderState.REJECTED]
    resting = any(leg.state in (OrderState.SENDING, OrderState.WORKING) for leg in _awake_stops(bracket))
    through = now.last_price is not None and now.last_price <= bracket.stop_now and not resting
    if not through and len(refused) < STOP_REFUSALS:
        return None
    wanted = bracket.exit_wanted or (ExitReason.STOP if through else ExitReason.EMERGENCY)
    return Step(replace(bracket, phase=BracketPhase.EXITING, exit_wanted=wanted))


def _exiting(bracket: Bracket, now: Circumstances) -> Step | None:
    if bracket.phase is not BracketPhase.EXITING:
        return None
    exits = bracket.of_role(OrderRole.EXIT)
    others = [leg for leg in bracket.legs if leg.is_live and leg.role is not OrderRole.EXIT]
    if others:
        return _cancel(bracket, others, now) or Step(bracket, wake_us=_cancel_wake(others))
    if any(leg.is_live for leg in exits):
        return Step(bracket, wake_us=_next_wake(bracket, now))
    if exits and exits[-1].state is OrderState.REJECTED and exits[-1].changed_us >= bracket.retry_exit_us:
        refusals = sum(leg.state is OrderState.REJECTED for leg in exits)
        text = f"{bracket.instrument}: the venue refused to sell {bracket.position}: {exits[-1].reason}"
        back_off = min(RETRY_EXIT_US << (refusals - 1), 60 * _S)
        again = replace(bracket, phase=BracketPhase.PROTECTED, retry_exit_us=now.now_us + back_off)
        return Step(again, (RaiseAlarm(text, page=refusals >= NOT_FOUND_PROOF),))
    return _send_exit(bracket, OrderSide.SELL, bracket.position, now, ())


def _cover(bracket: Bracket, now: Circumstances) -> Step | None:
    """Every share gets a resting stop: additive, never cancel-then-place."""
    if bracket.phase not in (BracketPhase.ENTERING, BracketPhase.PROTECTED) or bracket.position <= ZERO:
        return None
    missing = bracket.position - bracket.cover
    if missing < ZERO:
        return _shrink(bracket, now)
    stops = _awake_stops(bracket)
    if missing == ZERO or any(leg.state in (OrderState.SENDING, OrderState.UNKNOWN) for leg in stops):
        return None
    if bracket.entry.is_live and now.card.bracket_kind is BracketKind.OTOCO:
        # Its sleeping legs still may wake: the entry is completed or cancelled first.
        return None
    if bracket.exit_wanted is not None and now.now_us >= bracket.retry_exit_us:
        return None
    number = bracket.next_n(OrderRole.STOP)
    stop = stop_spec(bracket.ticket, bracket.instrument, number, missing, bracket.stop_now)
    targets = [leg for leg in bracket.of_role(OrderRole.TARGET) if leg.is_live and bracket.is_awake(leg)]
    if targets or now.card.bracket_kind is BracketKind.SYNTHETIC:
        leg = sending(stop, OrderRole.STOP, number, now.now_us)
        return Step(replace(bracket, legs=(*bracket.legs, leg)), (SendOrder(stop),))
    count = bracket.next_n(OrderRole.TARGET)
    target = target_spec(bracket.ticket, bracket.instrument, count, missing, bracket.target_now)
    pair = (
        sending(stop, OrderRole.STOP, number, now.now_us),
        sending(target, OrderRole.TARGET, count, now.now_us),
    )
    group = BracketSpec(bracket.ticket, bracket.account, None, stop, target)
    return Step(replace(bracket, legs=bracket.legs + pair), (SendBracket(group),))


def _shrink(bracket: Bracket, now: Circumstances) -> Step | None:
    """More cover than position: the newest untouched stop goes, the rest is placed anew."""
    untouched = [leg for leg in _awake_stops(bracket) if leg.state is OrderState.WORKING and leg.cum == ZERO]
    return _cancel(bracket, untouched[-1:], now)


def _protected(bracket: Bracket, now: Circumstances) -> Step | None:
    covered = bracket.position > ZERO and bracket.cover == bracket.position
    if bracket.phase is BracketPhase.ENTERING and bracket.entry.state.is_terminal and covered:
        return Step(replace(bracket, phase=BracketPhase.PROTECTED))
    return None


def _wanted(bracket: Bracket, now: Circumstances) -> Step | None:
    open_phase = bracket.phase in (BracketPhase.ENTERING, BracketPhase.PROTECTED)
    if bracket.exit_wanted is None or not open_phase or now.now_us < bracket.retry_exit_us:
        return None
    return Step(replace(bracket, phase=BracketPhase.EXITING)) if bracket.position > ZERO else None


_ROWS: tuple[Callable[[Bracket, Circumstances], Step | None], ...] = (
    _unknown_orders,
    _oversold,
    _late_fill,
    _restating,
    _flat,
    _stop_entry,
    _unprotectable,
    _exiting,
    _wanted,
    _cover,
    _protected,
)


def _send_exit(
    bracket: Bracket, side: OrderSide, quantity: Decimal, now: Circumstances, alarms: tuple[Action, ...]
) -> Step:
    number = bracket.next_n(OrderRole.EXIT)
    at_close = bracket.exit_wanted is ExitReason.TIME and side is OrderSide.SELL
    tif = TimeInForce.CLS if at_close else TimeInForce.DAY
    spec = exit_spec(bracket.ticket, bracket.instrument, number, side, quantity, tif)
    leg = sending(spec, OrderRole.EXIT, number, now.now_us)
    return Step(replace(bracket, legs=(*bracket.legs, leg)), (*alarms, SendOrder(spec)))


def _cancel(bracket: Bracket, legs: list[Leg], now: Circumstances) -> Step | None:
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


def _cancel_wake(legs: list[Leg]) -> int | None:
    return min(
        (leg.cancel_us + ASK_CANCEL_AGAIN_US for leg in legs if leg.cancel_us is not None), default=None
    )


def _next_wake(bracket: Bracket, now: Circumstances) -> int | None:
    """The next time at which a row may match although nothing happens."""
    times = [leg.ask_us for leg in bracket.legs if leg.state is OrderState.UNKNOWN]
    if bracket.phase is BracketPhase.ENTERING and bracket.entry.is_live:
        times.append(bracket.deadline_us)
        if bracket.first_fill_us is not None:
            times += [bracket.first_fill_us + PARTIAL_NATIVE_US, bracket.first_fill_us + PARTIAL_SYNTHETIC_US]
    times.append(bracket.retry_exit_us)
    return min((ts for ts in times if ts > now.now_us), default=None)


def _awake_stops(bracket: Bracket) -> list[Leg]:
    return [leg for leg in bracket.of_role(OrderRole.STOP) if bracket.is_awake(leg)]


def _sibling(bracket: Bracket, leg: Leg) -> Leg | None:
    """The other leg of a stop and target pair that was sent together."""
    other = OrderRole.TARGET if leg.role is OrderRole.STOP else OrderRole.STOP
    for candidate in bracket.of_role(other):
        if leg.role is not OrderRole.EXIT and candidate.first_send_us == leg.first_send_us:
            return candidate
    return None


def _absent(leg: Leg, now: Circumstances) -> Leg:
    return replace(leg, state=OrderState.NOTPLACED, changed_us=now.now_us)


def _sent_again(leg: Leg, now: Circumstances) -> Leg:
    return replace(
        leg,
        state=OrderState.SENDING,
        attempts=leg.attempts + 1,
        last_send_us=now.now_us,
        changed_us=now.now_us,
        not_found=0,
    )
