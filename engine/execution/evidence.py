"""What facts do to a bracket (RELIABILITY 5.2): `apply(bracket, fact, now_us) -> bracket`, pure."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import singledispatch

from engine.execution.bracket import ONE, Bracket, Leg, fill_order, sending
from engine.execution.following import follow, venue_sells
from engine.execution.matching import split_shares
from engine.model.ids import ClientOrderId
from engine.model.market import CorporateAction, CorporateActionKind
from engine.model.orders import Fill, OrderRole, OrderSpec, OrderState, OrderType, VenueOrder
from engine.model.positions import ExitReason
from engine.money import ZERO, round_cents, to_decimal
from engine.ports import REPLACED

FIRST_ASK_US = 500_000
"""An unknown order is first asked about after half a second."""
WAKING_US = 4_000_000
"""After a complete fill the legs of its group count until a query so much later shows none."""
NOT_FOUND_PROOF = 3
"""So often a query must find nothing before an order may be called absent."""


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
class Found:
    """A query by client order id found this: unlike a report of the stream it is about all sends of it."""

    report: VenueOrder


@dataclass(frozen=True, slots=True)
class Adopted:
    """An exit of this bracket that executed at the venue and that no row knows: its intent was lost.

    Protective intents that the disk refuses are kept in memory, and with the process they are gone.
    """

    report: VenueOrder
    role: OrderRole
    n: int


@dataclass(frozen=True, slots=True)
class NotFound:
    """A query by client order id found nothing."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The instrument traded in this session, which is now closed."""

    session: date


@dataclass(frozen=True, slots=True)
class Restatement:
    """A corporate action of an instrument that several brackets may hold.

    `ahead`: shares of the older ones. The venue rounds the whole position once; each bracket's part is the
    difference that it makes, so that the parts add up to the venue's shares and cash.
    """

    action: CorporateAction
    ahead: Decimal


@dataclass(frozen=True, slots=True)
class ExitWanted:
    """The position must end for this reason."""

    reason: ExitReason


@dataclass(frozen=True, slots=True)
class EntryUnwanted:
    """A person dropped the entry."""


@dataclass(frozen=True, slots=True)
class AskWanted:
    """A person wants to know now what became of the orders whose fate is not known."""


@dataclass(frozen=True, slots=True)
class Traded:
    """The instrument traded between these prices, today's dollars: a bar of the regular session."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class VenueHolds:
    """The venue holds so many shares of this bracket, not what the bracket counts.

    Proved by two passes at least 2 s apart while no order of the bracket was unknown or touched. Told again
    when the difference changes; a quantity that is not below the bracket's own count ends it. Not believed
    while executions are still to come.
    """

    quantity: Decimal


Fact = (
    VenueOrder
    | Fill
    | Refused
    | AnswerLost
    | Accepted
    | Found
    | Adopted
    | NotFound
    | SessionOver
    | ExitWanted
    | EntryUnwanted
    | AskWanted
    | Restatement
    | VenueHolds
    | Traded
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
    if fact.state is OrderState.REJECTED and leg.attempts > 1 and leg.state is not OrderState.REJECTED:
        # A refusal of the second send says nothing about the first.
        return _reported(bracket, leg, replace(fact, state=OrderState.UNKNOWN), now_us)
    return _reported(bracket, leg, fact, now_us)


@apply.register
def _(fact: Found, bracket: Bracket, now_us: int) -> Bracket:
    return _reported(bracket, bracket.leg(fact.report.client_order_id), fact.report, now_us)


@apply.register
def _(fact: Adopted, bracket: Bracket, now_us: int) -> Bracket:
    report = fact.report
    if bracket.has_leg(report.client_order_id):
        return bracket
    limit = report.limit_price if report.stop_price is None else None
    priced = OrderType.LIMIT if limit is not None else OrderType.MARKET
    spec = OrderSpec(
        report.client_order_id,
        report.instrument,
        report.side,
        priced if report.stop_price is None else OrderType.STOP,
        report.quantity,
        limit,
        report.stop_price,
    )
    leg = sending(spec, fact.role, fact.n, now_us)
    return _reported(bracket.with_new(leg), leg, report, now_us)


def _reported(bracket: Bracket, leg: Leg, fact: VenueOrder, now_us: int) -> Bracket:
    known = fact.quantity == leg.spec.quantity or fact.quantity <= ZERO
    spec = leg.spec if known else replace(leg.spec, quantity=fact.quantity)
    cum = max(leg.cum, fact.cum_filled)
    state, reason = fact.state, fact.reason or leg.reason
    if cum >= spec.quantity:
        state = OrderState.FILLED
    elif state is OrderState.FILLED:
        # The count is what shares are protected and sold by: no more is believed, and the venue is asked.
        state = _doubted(leg.state)
        reason = f"the venue says filled and counts {cum:f} of {spec.quantity:f}"
    changed = replace(
        leg,
        spec=spec,
        cum=cum,
        venue_order_id=fact.venue_order_id,
        changed_us=leg.changed_us if known else now_us,
        not_found=0,
        reason=reason,
    )
    moved = _moved(changed, state, now_us)
    if cum > leg.cum and moved.unbooked > ZERO:
        moved = replace(moved, asked=0, ask_us=now_us + FIRST_ASK_US)
    return _filled(_kept(bracket, moved, now_us), leg, now_us)


@apply.register
def _(fact: Fill, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.client_order_id)
    if any(known.exec_id == fact.exec_id for known in leg.fills):
        return bracket
    fills = tuple(sorted((*leg.fills, fact), key=fill_order))
    cum = max(leg.cum, sum((fill.quantity for fill in fills), ZERO))
    changed = replace(leg, fills=fills, cum=cum)
    # It works, if no more is known; one that ended works no more: that is no legal move.
    state = OrderState.FILLED if cum >= leg.spec.quantity else OrderState.WORKING
    if bracket.missing > ZERO and fact.ts_event < bracket.missing_us:
        # The venue's lower count had it already, ours had not: a sale is what was missing.
        missing = bracket.missing + fact.side.sign * fact.quantity
        bracket = replace(bracket, missing=max(missing, ZERO))
    return _filled(_kept(bracket, _moved(changed, state, now_us), now_us), leg, now_us)


@apply.register
def _(fact: Refused, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.order)
    if leg.state not in _UNDER_WAY:
        return bracket
    state = OrderState.REJECTED if leg.attempts == 1 else OrderState.UNKNOWN
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
    if leg.state not in _UNDER_WAY:
        return bracket
    return _kept(bracket, _moved(leg, OrderState.WORKING, now_us), now_us)


@apply.register
def _(fact: NotFound, bracket: Bracket, now_us: int) -> Bracket:
    leg = bracket.leg(fact.order)
    if leg.state not in (OrderState.UNKNOWN, OrderState.WORKING) or _is_waking(bracket, leg, now_us):
        return bracket
    counted = replace(leg, not_found=leg.not_found + 1)
    if leg.state is OrderState.WORKING and counted.not_found >= NOT_FOUND_PROOF:
        return bracket.with_leg(_moved(counted, OrderState.UNKNOWN, now_us))
    return bracket.with_leg(counted)


@apply.register
def _(fact: SessionOver, bracket: Bracket, now_us: int) -> Bracket:
    counted = bracket.last_session is not None and fact.session <= bracket.last_session
    if counted or fact.session < bracket.session:
        return bracket
    held = bracket.sessions_held + 1
    most = bracket.max_sessions
    ends = most is not None and held >= most and bracket.exit_wanted is None
    return replace(
        bracket,
        sessions_held=held,
        last_session=fact.session,
        exit_wanted=ExitReason.TIME if ends else bracket.exit_wanted,
    )


@apply.register
def _(fact: ExitWanted, bracket: Bracket, now_us: int) -> Bracket:
    if bracket.exit_wanted in (None, ExitReason.TIME):
        # A time exit may wait for the close; any other reason is more urgent.
        return replace(bracket, exit_wanted=fact.reason)
    return bracket


@apply.register
def _(fact: EntryUnwanted, bracket: Bracket, now_us: int) -> Bracket:
    return replace(bracket, entry_unwanted=True)


@apply.register
def _(fact: AskWanted, bracket: Bracket, now_us: int) -> Bracket:
    # Never later than it was due: when an order was last asked about is told from when it is due again, and
    # only what was asked late enough proves an absence.
    for leg in bracket.legs:
        if leg.state is OrderState.UNKNOWN and now_us < leg.ask_us:
            bracket = bracket.with_leg(replace(leg, ask_us=now_us))
    return bracket


@apply.register
def _(fact: VenueHolds, bracket: Bracket, now_us: int) -> Bracket:
    missing = max(bracket.position - fact.quantity, ZERO)
    if missing == bracket.missing or any(leg.unbooked for leg in bracket.legs):
        return bracket
    return replace(bracket, missing=missing, missing_us=now_us, missing_told=False)


@apply.register
def _(fact: Restatement, bracket: Bracket, now_us: int) -> Bracket:
    action, position = fact.action, bracket.held
    if position <= ZERO or (bracket.last_action is not None and action.ex_date <= bracket.last_action):
        return bracket
    ahead_shares, ahead_cash = restated(fact.ahead, action)
    shares, cash = restated(fact.ahead + position, action)
    return replace(
        bracket,
        ratio=bracket.ratio * to_decimal(action.ratio),
        adjustment=bracket.adjustment + shares - ahead_shares - position,
        cash_adjustment=bracket.cash_adjustment + cash - ahead_cash,
        restating=True,
        last_action=action.ex_date,
    )


@apply.register
def _(fact: Traded, bracket: Bracket, now_us: int) -> Bracket:
    if bracket.held <= ZERO or venue_sells(bracket):
        return bracket
    # A stop inside the bar is the venue's to fill; the review at the close sees where the price went.
    return follow(bracket, fact.low, fact.high) or bracket


def restated(position: Decimal, action: CorporateAction) -> tuple[Decimal, Decimal]:
    """Shares after a corporate action and the cash it pays (SPEC 3.9b).

    A split divides the shares by the ratio that is meant, as at the venue; the fraction is paid out at the
    prior close restated. A dividend pays prior close x (1 - ratio) a share.
    """
    ratio, prior_close = to_decimal(action.ratio), to_decimal(action.prior_close)
    if action.kind is CorporateActionKind.DIVIDEND:
        return position, round_cents(position * prior_close * (1 - ratio))
    whole, fraction = split_shares(position, action.ratio, ONE)
    return whole, round_cents(fraction * prior_close * ratio)


_UNDER_WAY = frozenset({OrderState.SENDING, OrderState.UNKNOWN})
"""A late answer to a send still counts."""


def _doubted(state: OrderState) -> OrderState:
    """The venue has the order, and what it says of it contradicts itself."""
    is_open = state is OrderState.UNKNOWN or state.can_become(OrderState.UNKNOWN)
    return OrderState.UNKNOWN if is_open else OrderState.WORKING


def _moved(leg: Leg, state: OrderState, now_us: int) -> Leg:
    """The leg in `state` when that is a legal move, else as it was."""
    if state is leg.state or not leg.state.can_become(state):
        return leg
    if state is OrderState.UNKNOWN:
        return replace(
            leg, state=state, changed_us=now_us, asked=0, not_found=0, ask_us=now_us + FIRST_ASK_US
        )
    return replace(leg, state=state, changed_us=now_us)


def _kept(bracket: Bracket, leg: Leg, now_us: int) -> Bracket:
    """The bracket with a changed leg; an order that took another's place has ended it."""
    after = bracket.with_leg(leg)
    if leg.replaces is None or leg.state not in _STOOD:
        return after
    old = bracket.leg(leg.replaces)
    if not old.is_live:
        return after
    return after.with_leg(_moved(replace(old, reason=REPLACED), OrderState.CANCELED, now_us))


_STOOD = frozenset({OrderState.WORKING, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED})
"""An order in these states works at the venue, or did."""


def _is_waking(bracket: Bracket, leg: Leg, now_us: int) -> bool:
    """It slept for an entry that only just filled: a venue may show it a little later."""
    if leg.parent is None:
        return False
    entry = bracket.leg(leg.parent)
    return entry.state is OrderState.FILLED and now_us < entry.changed_us + WAKING_US


def _filled(bracket: Bracket, before: Leg, now_us: int) -> Bracket:
    """Note when the entry first filled; what a query missed before it filled is no proof after it."""
    entry = bracket.entry
    if before.id != entry.id:
        return bracket
    if entry.state is OrderState.FILLED and before.state is not OrderState.FILLED:
        for leg in bracket.legs:
            if leg.parent is not None and leg.not_found:
                bracket = bracket.with_leg(replace(leg, not_found=0))
    is_first = entry.cum > ZERO and bracket.first_fill_us is None
    return replace(bracket, first_fill_us=now_us) if is_first else bracket
