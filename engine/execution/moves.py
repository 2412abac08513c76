"""What several rows of the plan table share: cancels, order numbers, refusals, and what the tiers sell."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import LAST_NUMBER, ONE, Bracket, BracketPhase, Leg
from engine.execution.evidence import WAKING_US
from engine.execution.following import unsold
from engine.execution.steps import Action, CancelOrder, Circumstances, Step
from engine.model.orders import OrderRole, OrderSide, OrderState
from engine.money import ZERO, round_down

ASK_CANCEL_AGAIN_US = 2 * US_PER_S
OPEN_PHASES = (BracketPhase.ENTERING, BracketPhase.PROTECTED)
STOP_REFUSALS = 2
LAST_STOP_SPARE = 1
"""The number that an exit leaves for the stop after it."""
RESERVED_NUMBERS = 20
"""Order numbers that raises and tiers leave for protecting and leaving the position."""
_NUMBERED = (OrderRole.STOP, OrderRole.EXIT)


def cancel(bracket: Bracket, legs: Sequence[Leg], now: Circumstances) -> Step | None:
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


def with_first(actions: tuple[Action, ...], step: Step) -> Step:
    """The step with these actions before its own."""
    return replace(step, actions=actions + step.actions)


def live_legs(bracket: Bracket) -> list[Leg]:
    """Orders that may still execute."""
    return [leg for leg in bracket.legs if leg.is_live]


def live_sales(bracket: Bracket) -> list[Leg]:
    """Live orders that sell at or near the market: tiers and exits."""
    return [
        leg
        for leg in bracket.legs
        if leg.role is OrderRole.EXIT and leg.is_live and leg.spec.side is OrderSide.SELL
    ]


def awake_stops(bracket: Bracket) -> list[Leg]:
    """Stops that the venue works, not only holds for an unfilled entry."""
    return [leg for leg in bracket.legs if leg.role is OrderRole.STOP and bracket.is_awake(leg)]


def shrunk_pairs(bracket: Bracket) -> list[tuple[Leg, Leg]]:
    """Stops that the venue shrank, with their targets: those must have sold what the stops lost."""
    return [
        (stop, target)
        for stop in bracket.legs
        if stop.role is OrderRole.STOP
        and stop.is_live
        and bracket.is_awake(stop)
        and (target := bracket.sibling(stop)) is not None
        and target.is_live
        and stop.spec.quantity < target.remaining
    ]


def shrunk_until(stop: Leg) -> int:
    """Until when the venue may take to tell what the target of a stop that it shrank has sold."""
    return stop.changed_us + WAKING_US


def lone_targets(bracket: Bracket) -> list[tuple[Leg, Leg]]:
    """Stops that ended, with targets that are not known to have: they may execute, or did already."""
    return [
        (stop, leg)
        for leg in bracket.of_role(OrderRole.TARGET)
        if leg.is_live
        and bracket.is_awake(leg)
        and (stop := bracket.sibling(leg)) is not None
        and not stop.is_live
    ]


def lone_until(stop: Leg) -> int:
    """Until when a target may take to tell how it ended after its stop did."""
    return stop.changed_us + ASK_CANCEL_AGAIN_US


def has_number(bracket: Bracket, role: OrderRole, spare: int = 0) -> bool:
    """Whether another order of the role can be named, with so many left after it."""
    roles = (role,) if role is OrderRole.EXIT else (OrderRole.STOP, OrderRole.TARGET)
    return bracket.next_n(*roles) + spare <= LAST_NUMBER


def refused_stops(bracket: Bracket) -> int:
    """How many stops in a row the venue refused since it last refused an exit."""
    exits = bracket.of_role(OrderRole.EXIT)
    since = exits[-1].changed_us if exits else 0
    count = 0
    for leg in reversed(bracket.of_role(OrderRole.STOP)):
        if leg.replaces is not None and leg.state is OrderState.REJECTED:
            continue  # a refused replacement took nothing away
        if leg.state is not OrderState.REJECTED or leg.changed_us < since:
            break
        count += 1
    return count


def was_refused(leg: Leg) -> bool:
    """Rejected, or ended by the venue unasked before anything was filled."""
    if leg.state is OrderState.REJECTED:
        return True
    ended = leg.state in (OrderState.CANCELED, OrderState.EXPIRED)
    return ended and leg.cum == ZERO and leg.cancel_us is None


def may_exit(bracket: Bracket, now: Circumstances) -> bool:
    """Something is held, no pause after a refusal is on, and there are order numbers left.

    The last stop is not given up for an exit that may be refused, nor with a running clock while the
    market sleeps.
    """
    asleep = now.close_us is not None and not now.session_open
    rested = now.now_us >= bracket.retry_exit_us
    numbered = has_number(bracket, OrderRole.EXIT)
    spare = has_number(bracket, OrderRole.STOP) or bracket.cover < bracket.held
    return bracket.held > ZERO and rested and numbered and spare and not asleep


def restated(bracket: Bracket, price: Decimal, now: Circumstances) -> Decimal:
    """A price of the plan in today's dollars, on the tick once it is no longer the ticket's own."""
    if bracket.ratio == ONE and price in (bracket.exit_plan.stop_price, bracket.exit_plan.target_price):
        return price
    return round_down(price * bracket.ratio, now.tick_size)


def due_of_tiers(bracket: Bracket, now: Circumstances) -> Decimal:
    """Shares to sell now because tiers were touched; 0 in a pause, at night, or when numbers grow scarce."""
    calm = bracket.phase is BracketPhase.PROTECTED and bracket.exit_wanted is None
    if not calm or not now.session_open or now.now_us < bracket.retry_exit_us:
        return ZERO
    due = unsold(bracket, now.lot_size)
    if due > ZERO and all(has_number(bracket, role, RESERVED_NUMBERS) for role in _NUMBERED):
        return due
    return ZERO


def to_cover(bracket: Bracket, now: Circumstances) -> Decimal:
    """Shares that stops should protect: what is held, less what tiers are selling or are to sell."""
    sales = live_sales(bracket)
    selling = sum((leg.remaining for leg in sales), ZERO) if sales else due_of_tiers(bracket, now)
    return max(bracket.held - selling, ZERO)
