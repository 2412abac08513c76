"""What facts do to a bracket (RELIABILITY 5.2): `apply(bracket, fact, now_us) -> bracket`, pure."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import singledispatch

from engine.execution.bracket import Bracket, Leg
from engine.model.ids import ClientOrderId
from engine.model.market import CorporateAction, CorporateActionKind
from engine.model.orders import Fill, OrderState, VenueOrder
from engine.model.positions import ExitReason
from engine.money import ZERO, round_cents, to_decimal

FIRST_ASK_US = 500_000
"""An unknown order is first asked about after half a second."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue refused a send, in its own words."""

    order: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """A send may or may not have arrived."""

    order: ClientOrderId
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue took a send; its report may come before or after."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class NotFound:
    """A query by client order id found nothing."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The instrument traded in this session, which is now closed."""

    session: date


@dataclass(frozen=True, slots=True)
class ExitWanted:
    """The position must end for this reason."""

    reason: ExitReason


Fact = (
    VenueOrder
    | Fill
    | Refused
    | AnswerLost
    | Accepted
    | NotFound
    | SessionOver
    | ExitWanted
    | CorporateAction
)


@singledispatch
def apply(fact: Fact, bracket: Bracket, now_us: int) -> Bracket:
    """The bracket after a fact. Facts may come twice, late and in any order; cumulative fills never shrink.

    Raises TypeError for a kind of fact it does not know and KeyError for an order of another bracket.
    """
    raise TypeError(f"not a fact about a bracket: {fact!r}")


@apply.register
def _(fact: VenueOrder, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.client_order_id)
    spec = leg.spec if fact.quantity == leg.spec.quantity else replace(leg.spec, quantity=fact.quantity)
    cum = max(leg.cum, fact.cum_filled)
    state = fact.state
    if fact.state is OrderState.REJECTED and leg.attempts > 1 and leg.state is not OrderState.REJECTED:
        # A refusal of the second send says nothing about the first.
        state = OrderState.UNKNOWN
    if cum >= spec.quantity:
        state = OrderState.FILLED
    changed = replace(
        leg, spec=spec, cum=cum, venue_order_id=fact.venue_order_id, reason=fact.reason or leg.reason
    )
    return _filled(bracket.with_leg(_moved(changed, state, now_us)), leg, now_us)


@apply.register
def _(fact: Fill, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.client_order_id)
    if any(known.exec_id == fact.exec_id for known in leg.fills):
        return bracket
    fills = (*leg.fills, fact)
    cum = max(leg.cum, sum((fill.quantity for fill in fills), ZERO))
    changed = replace(leg, fills=fills, cum=cum)
    state = OrderState.FILLED if cum >= leg.spec.quantity else _shown_working(leg.state)
    return _filled(bracket.with_leg(_moved(changed, state, now_us)), leg, now_us)


@apply.register
def _(fact: Refused, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.order)
    state = OrderState.REJECTED if leg.attempts == 1 else OrderState.UNKNOWN
    if leg.state is not OrderState.SENDING:
        return bracket
    return bracket.with_leg(_moved(replace(leg, reason=fact.reason), state, now_us))


@apply.register
def _(fact: AnswerLost, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.order)
    if leg.state is not OrderState.SENDING:
        return bracket
    return bracket.with_leg(_moved(replace(leg, reason=fact.reason), OrderState.UNKNOWN, now_us))


@apply.register
def _(fact: Accepted, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.order)
    if leg.state is not OrderState.SENDING:
        return bracket
    return bracket.with_leg(_moved(leg, OrderState.WORKING, now_us))


@apply.register
def _(fact: NotFound, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.order)
    if leg.state is not OrderState.UNKNOWN:
        return bracket
    return bracket.with_leg(replace(leg, not_found=leg.not_found + 1))


@apply.register
def _(fact: SessionOver, bracket: Bracket, now_us: int) -> Bracket:
    if bracket.last_session is not None and fact.session <= bracket.last_session:
        return bracket
    held = bracket.sessions_held + 1
    ends = held >= bracket.max_sessions and bracket.exit_wanted is None
    return replace(
        bracket,
        sessions_held=held,
        last_session=fact.session,
        exit_wanted=ExitReason.TIME if ends else bracket.exit_wanted,
    )


@apply.register
def _(fact: ExitWanted, bracket: Bracket, now_us: int) -> Bracket:
    return bracket if bracket.exit_wanted is not None else replace(bracket, exit_wanted=fact.reason)


@apply.register
def _(fact: CorporateAction, bracket: Bracket, now_us: int) -> Bracket:
    if bracket.position <= ZERO or (bracket.last_action is not None and fact.ex_date <= bracket.last_action):
        return bracket
    shares, cash = restated(bracket.position, fact)
    return replace(
        bracket,
        ratio=bracket.ratio * to_decimal(fact.ratio),
        adjustment=bracket.adjustment + shares - bracket.position,
        cash_adjustment=bracket.cash_adjustment + cash,
        restating=True,
        last_action=fact.ex_date,
    )


def restated(position: Decimal, action: CorporateAction) -> tuple[Decimal, Decimal]:
    """Shares after a corporate action and the cash it pays (SPEC 3.9b).

    A split divides the shares by the ratio, the fraction is paid out at the prior close restated; a dividend
    pays prior close x (1 - ratio) a share.
    """
    ratio, prior_close = to_decimal(action.ratio), to_decimal(action.prior_close)
    if action.kind is CorporateActionKind.DIVIDEND:
        return position, round_cents(position * prior_close * (1 - ratio))
    exact = position / ratio
    whole = exact.to_integral_value(ROUND_FLOOR)
    return whole, round_cents((exact - whole) * prior_close * ratio)


def _shown_working(state: OrderState) -> OrderState:
    """A fill proves an order that was not known to work; a finished one keeps its state."""
    return (
        OrderState.WORKING
        if state in (OrderState.SENDING, OrderState.UNKNOWN, OrderState.NOTPLACED)
        else state
    )


def _moved(leg: Leg, state: OrderState, now_us: int) -> Leg:
    """The leg in `state` when that is a legal move, else as it was."""
    if state is leg.state or not leg.state.can_become(state):
        return leg
    if state is OrderState.UNKNOWN:
        return replace(
            leg, state=state, changed_us=now_us, asked=0, not_found=0, ask_us=now_us + FIRST_ASK_US
        )
    return replace(leg, state=state, changed_us=now_us)


def _filled(bracket: Bracket, before: Leg, now_us: int) -> Bracket:
    """Note when the entry first filled."""
    entry_filled = bracket.entry.cum > ZERO and bracket.first_fill_us is None
    return (
        replace(bracket, first_fill_us=now_us) if entry_filled and before.id == bracket.entry.id else bracket
    )
