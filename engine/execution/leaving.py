"""Rows of the plan table that end a position: oversold, unprotectable, wanted, sold (RELIABILITY 5.3)."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket, BracketPhase, Leg, exit_spec, sending
from engine.execution.following import follow, unsold, venue_sells
from engine.execution.moves import (
    LAST_STOP_SPARE,
    OPEN_PHASES,
    STOP_REFUSALS,
    awake_stops,
    cancel,
    has_number,
    live_legs,
    may_exit,
    refused_stops,
    to_cover,
    was_refused,
    with_first,
)
from engine.execution.steps import Circumstances, HaltScope, RaiseAlarm, SendOrder, Step
from engine.model.orders import OrderRole, OrderSide, OrderState, OrderType, TimeInForce
from engine.model.positions import ExitReason
from engine.money import ZERO, round_down

RETRY_EXIT_US = 2 * US_PER_S
LONGEST_RETRY_US = 60 * US_PER_S
PAGE_REFUSALS = 3
COLLAR = Decimal("0.98")
"""An exit sells at no less than this part of the last price, at first."""
PATIENCE_US = 5 * US_PER_S
"""How long a limited exit may rest unfilled before the next one goes at market."""
NEWS_LIMIT = Decimal("0.995")
"""Of the best bid: where an exit on news is limited at first (SPEC 3.9)."""
NEWS_PATIENCE_US = 60 * US_PER_S
CLOSE_CUTOFF_US = 600 * US_PER_S
"""So long before the close exchanges take the last market-on-close orders."""


def oversold(bracket: Bracket, now: Circumstances) -> Step | None:
    """Below flat: cancel everything that sells, buy back once, halt the account."""
    if bracket.held >= ZERO:
        return Step(replace(bracket, alarmed=False)) if bracket.alarmed else None
    text = f"{bracket.instrument}: sold {-bracket.held} more than held"
    alarms = () if bracket.alarmed else (RaiseAlarm(text, page=True, halt=HaltScope.ACCOUNT),)
    marked = replace(bracket, alarmed=True, phase=BracketPhase.EXITING, closed_us=None)
    live = live_legs(bracket)
    buying = [leg for leg in live if leg.spec.side is OrderSide.BUY and leg.role is OrderRole.EXIT]
    others = [leg for leg in live if leg not in buying]
    if others:
        return with_first(alarms, cancel(marked, others, now) or Step(marked))
    if buying:
        return Step(marked, alarms)
    return with_first(alarms, send_exit(marked, OrderSide.BUY, -marked.held, now))


def unprotectable(bracket: Bracket, now: Circumstances) -> Step | None:
    """Leave at once when the price is through an uncovered stop, or the venue refuses stops."""
    if (
        bracket.phase not in OPEN_PHASES
        or bracket.cover >= to_cover(bracket, now)
        or not may_exit(bracket, now)
    ):
        return None
    stops = awake_stops(bracket)
    answers_out = any(leg.state is OrderState.SENDING for leg in stops)
    through = now.last_price is not None and now.last_price <= bracket.stop_now and not answers_out
    used_up = not has_number(bracket, OrderRole.STOP) and not any(leg.is_live for leg in stops)
    if not through and not used_up and refused_stops(bracket) < STOP_REFUSALS:
        return None
    wanted = bracket.exit_wanted or (ExitReason.STOP if through else ExitReason.EMERGENCY)
    return Step(replace(bracket, phase=BracketPhase.EXITING, exit_wanted=wanted))


def follow_price(bracket: Bracket, now: Circumstances) -> Step | None:
    """Where we hold the exit plan: tiers touched, the stop raised, left where the venue's stop is too low."""
    price = now.last_price
    if price is None or not now.session_open or bracket.exit_wanted is not None or venue_sells(bracket):
        return None
    if bracket.phase not in OPEN_PHASES or bracket.held <= ZERO:
        return None
    after = follow(bracket, price, price)
    if after is not None:
        return Step(after) if after != bracket else None
    resting = [leg.spec.stop_price for leg in awake_stops(bracket) if leg.state is OrderState.WORKING]
    seen = any(stop is not None and stop >= price for stop in resting)
    if seen or bracket.cover < to_cover(bracket, now):
        # The venue's stop is at its work, or `unprotectable` decides.
        return None
    return Step(replace(bracket, exit_wanted=ExitReason.STOP))


def target_reached(bracket: Bracket, now: Circumstances) -> Step | None:
    """The last tier sells everything that is left: that is an exit."""
    if bracket.phase not in OPEN_PHASES or bracket.exit_wanted is not None or bracket.held <= ZERO:
        return None
    if bracket.progress.tiers_done == 0 or unsold(bracket, now.lot_size) < bracket.held:
        return None
    return Step(replace(bracket, exit_wanted=ExitReason.TARGET))


def time_due(bracket: Bracket, now: Circumstances) -> Step | None:
    """With a running clock the last session is left before its close, while the venue takes the order."""
    due = time_exit_us(bracket, now)
    if due is None or now.now_us < due:
        return None
    return Step(replace(bracket, exit_wanted=ExitReason.TIME))


def time_exit_us(bracket: Bracket, now: Circumstances) -> int | None:
    """When the time exit of this session is due; None: not in this one, or the close itself tells."""
    most = bracket.max_sessions
    if most is None or now.close_us is None or not now.session_open or bracket.sessions_held + 1 < most:
        return None
    if bracket.exit_wanted is not None or bracket.phase not in OPEN_PHASES or bracket.held <= ZERO:
        return None
    return now.close_us - bracket.exit_plan.close_lead_us


def wanted(bracket: Bracket, now: Circumstances) -> Step | None:
    """A reason to leave: the venue's legs go first."""
    if bracket.exit_wanted is None or bracket.phase not in OPEN_PHASES or not may_exit(bracket, now):
        return None
    return Step(replace(bracket, phase=BracketPhase.EXITING))


def exiting(bracket: Bracket, now: Circumstances) -> Step | None:
    """Everything else ends first, then exits sell what is held then, never more."""
    if bracket.phase is not BracketPhase.EXITING:
        return None
    live = live_legs(bracket)
    others = [leg for leg in live if leg.role is not OrderRole.EXIT or leg.spec.side is OrderSide.BUY]
    if others:
        return cancel(bracket, others, now) or Step(bracket)
    if (step := impatient(bracket, live, now)) is not None:
        return step
    rest = bracket.held - sum((leg.remaining for leg in live), ZERO)
    if rest > ZERO:
        # Beside a tier that is being sold goes what it leaves: together they are what is held.
        return send_exit(bracket, OrderSide.SELL, rest, now)
    return Step(bracket)


def impatient(bracket: Bracket, sales: Sequence[Leg], now: Circumstances) -> Step | None:
    """A limited sale that rests too long is canceled; the next one goes at market.

    So is one that waits for the close when a more urgent reason came.
    """
    urgent = bracket.exit_wanted is not ExitReason.TIME
    slow = [
        leg
        for leg in sales
        if (leg.spec.tif is TimeInForce.CLS and urgent)
        or ((due := patience_us(bracket, leg)) is not None and now.now_us >= due)
    ]
    return cancel(bracket, slow, now)


def patience_us(bracket: Bracket, leg: Leg) -> int | None:
    """Until when a limited sale may rest; None for any other order."""
    if leg.spec.type is not OrderType.LIMIT or leg.state is not OrderState.WORKING:
        return None
    is_news = bracket.exit_wanted is ExitReason.NEWS
    return leg.changed_us + (NEWS_PATIENCE_US if is_news else PATIENCE_US)


def send_exit(bracket: Bracket, side: OrderSide, quantity: Decimal, now: Circumstances) -> Step:
    """The next exit, after a pause when the venue refused the last one."""
    exits = bracket.of_role(OrderRole.EXIT)
    if exits and was_refused(exits[-1]) and exits[-1].changed_us >= bracket.retry_exit_us:
        return _back_off(bracket, exits, side, quantity, now)
    if not has_number(bracket, OrderRole.EXIT):
        # A resting stop is the best that is left.
        return Step(replace(bracket, phase=BracketPhase.PROTECTED) if side is OrderSide.SELL else bracket)
    if now.now_us < bracket.retry_exit_us:
        return Step(bracket)
    number = bracket.next_n(OrderRole.EXIT)
    tif = TimeInForce.CLS if side is OrderSide.SELL and _at_close(bracket, now) else TimeInForce.DAY
    limit = _limit(bracket, now) if side is OrderSide.SELL and tif is TimeInForce.DAY else None
    spec = exit_spec(bracket.ticket, bracket.instrument, number, side, quantity, tif, limit)
    leg = sending(spec, OrderRole.EXIT, number, now.now_us)
    return Step(bracket.with_new(leg), (SendOrder(spec),))


def _at_close(bracket: Bracket, now: Circumstances) -> bool:
    """Only a time exit near the close, and only its first try; otherwise the next price will do."""
    tried = any(leg.spec.tif is TimeInForce.CLS for leg in bracket.of_role(OrderRole.EXIT))
    if bracket.exit_wanted is not ExitReason.TIME or tried:
        return False
    if now.close_us is None:
        return not now.session_open
    left = now.close_us - now.now_us
    return now.session_open and CLOSE_CUTOFF_US <= left <= bracket.exit_plan.close_lead_us


def _limit(bracket: Bracket, now: Circumstances) -> Decimal | None:
    """The least that an exit takes; None: at market, where no price is known or a limit did not fill."""
    if _was_slow(bracket, now) or not now.session_open:
        return None
    if bracket.exit_wanted is ExitReason.NEWS and now.bid is not None:
        return round_down(now.bid * NEWS_LIMIT, now.tick_size)
    return None if now.last_price is None else round_down(now.last_price * COLLAR, now.tick_size)


def _was_slow(bracket: Bracket, now: Circumstances) -> bool:
    """A limited sale did not fill: the last one, or lately one beside it, where a tier is sold as well."""
    exits = bracket.of_role(OrderRole.EXIT)
    slow = [leg for leg in exits if leg.spec.type is OrderType.LIMIT and leg.cancel_us is not None]
    return bool(slow) and (
        slow[-1] is exits[-1] or now.now_us < max(leg.cancel_us or 0 for leg in slow) + NEWS_PATIENCE_US
    )


def _back_off(
    bracket: Bracket, exits: Sequence[Leg], side: OrderSide, quantity: Decimal, now: Circumstances
) -> Step:
    refusals = sum(was_refused(leg) for leg in exits)
    verb = "sell" if side is OrderSide.SELL else "buy back"
    text = f"{bracket.instrument}: the venue refused to {verb} {quantity}: {exits[-1].reason}"
    last_stop = side is OrderSide.SELL and not has_number(bracket, OrderRole.STOP, LAST_STOP_SPARE)
    out = last_stop or not has_number(bracket, OrderRole.EXIT)
    if out:
        text += f". No order number is left after {len(exits)} tries: {verb} by hand"
    pause = min(RETRY_EXIT_US << min(refusals - 1, 5), LONGEST_RETRY_US)
    phase = BracketPhase.PROTECTED if side is OrderSide.SELL else bracket.phase
    again = replace(bracket, phase=phase, retry_exit_us=now.now_us + pause)
    return Step(again, (RaiseAlarm(text, page=out or refusals >= PAGE_REFUSALS),))
