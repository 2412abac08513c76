"""What a venue may say of an order of ours and be believed: the one guard before the books (RELIABILITY 9).

A report that contradicts what was sent, or cannot be true, is not folded into a bracket: a person is told,
the symbol is halted and the venue is asked again. Nothing is refused that a race can make true: late fills,
older counts, and both exits of a pair filling are facts, however unwelcome.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from engine.clock import US_PER_S
from engine.execution.bracket import ONE, Bracket
from engine.execution.evidence import AnswerLost, Fact, Found, Refused
from engine.model.ids import ClientOrderId
from engine.model.orders import Fill, VenueOrder
from engine.model.text import clean
from engine.money import ZERO

MAX_QUANTITY = Decimal(10**12)
MAX_PRICE = Decimal(10**9)
MAX_MONEY = Decimal(10**15)
MIN_TIME_US, MAX_TIME_US = 946_684_800_000_000, 4_102_444_800_000_000
"""The years 2000 to 2099: an instant outside is in other units, or none."""
LEAST_FEE_BOUND = Decimal(100)
"""A fee may exceed what was traded by no more than this: minimum fees on tiny orders are real."""
REPEAT_US = 10 * US_PER_S
"""A venue that goes on saying impossible things of an order is told of and asked again no oftener."""


def problem(update: VenueOrder | Fill, bracket: Bracket) -> str:
    """Why a report must not be believed, with both numbers; "" when it may be."""
    leg = bracket.leg(update.client_order_id)
    named = update.exec_id if isinstance(update, Fill) else update.venue_order_id
    if clean(named) != named:
        return f"the venue's id {clean(named)!r} has characters that cannot be shown, or too many"
    said, sent = (update.instrument, update.side), (leg.spec.instrument, leg.spec.side)
    if said != sent:
        return f"it is {said[1]} {said[0]}, we sent {sent[1]} {sent[0]}"
    most = max(bracket.quantity, leg.spec.quantity)
    if bracket.ratio != ONE:
        most = max(most, bracket.quantity / bracket.ratio)
    if isinstance(update, VenueOrder):
        return _order_problem(update, most)
    filled = sum((fill.quantity for fill in leg.fills if fill.exec_id != update.exec_id), ZERO)
    return _fill_problem(update, most - filled)


def _order_problem(order: VenueOrder, most: Decimal) -> str:
    if not _is_within(order.quantity, ZERO, most):
        return f"quantity {order.quantity} is not between 0 and the {most:f} we sent"
    # Zero is a venue that does not say how much was ordered.
    bound = order.quantity or most
    if not _is_within(order.cum_filled, ZERO, bound):
        return f"{order.cum_filled} filled is not between 0 and {bound:f}"
    return ""


def _fill_problem(fill: Fill, left: Decimal) -> str:
    if not _is_within(fill.quantity, ZERO, left) or not fill.quantity:
        return f"an execution of {fill.quantity} is not above 0 and within the {left:f} that are left"
    if not _is_within(fill.price, ZERO, MAX_PRICE) or not fill.price:
        return f"an execution at {fill.price} is not above 0 and at most {MAX_PRICE:f}"
    dearest = fill.quantity * fill.price + LEAST_FEE_BOUND
    if not _is_within(fill.fee, ZERO, dearest):
        return f"a fee of {fill.fee} is not between 0 and {dearest:f}"
    if not MIN_TIME_US <= fill.ts_event < MAX_TIME_US:
        return f"an execution at instant {fill.ts_event} is not of the years 2000 to 2099"
    return ""


def _is_within(number: Decimal, least: Decimal, most: Decimal) -> bool:
    return number.is_finite() and least <= number <= most


def safe(fact: Fact) -> Fact:
    """The fact with the venue's own words cleaned: they are stored, logged and shown."""
    match fact:
        case Found(report) if clean(report.reason) != report.reason:
            return Found(replace(report, reason=clean(report.reason)))
        case VenueOrder() | Refused() | AnswerLost() if clean(fact.reason) != fact.reason:
            return replace(fact, reason=clean(fact.reason))
    return fact


class Screen:
    """Judges facts; remembers which order each execution is of, and when an order was last complained of."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._executions: dict[str, Fill] = {}
        self._complained: dict[ClientOrderId, int] = {}

    def note(self, bracket: Bracket) -> None:
        """Executions that were believed: their ids are used up."""
        for leg in bracket.legs:
            for fill in leg.fills:
                self._executions[fill.exec_id] = fill

    def forget(self, bracket: Bracket) -> None:
        """A bracket that is no longer in memory."""
        for leg in bracket.legs:
            self._complained.pop(leg.id, None)
            for fill in leg.fills:
                self._executions.pop(fill.exec_id, None)

    def doubt(self, fact: Fact, bracket: Bracket) -> tuple[ClientOrderId, str] | None:
        """Which order a fact that must not be believed is about, and why; None when it may be."""
        update = fact.report if isinstance(fact, Found) else fact
        if not isinstance(update, VenueOrder | Fill):
            return None
        why = problem(update, bracket)
        if not why and isinstance(update, Fill):
            known = self._executions.setdefault(update.exec_id, update)
            # Its fee and its time may be known better later; what was traded may not change.
            if _traded(known) != _traded(update):
                why = f"execution {update.exec_id} was {_words(known)}, and now is {_words(update)}"
        return (update.client_order_id, why) if why else None

    def is_news(self, order: ClientOrderId) -> bool:
        """Whether a person is told of this doubt: once in ten seconds for each order."""
        now, last = self._now_us(), self._complained.get(order)
        if last is not None and now - last < REPEAT_US:
            return False
        self._complained[order] = now
        return True


def _traded(fill: Fill) -> tuple[ClientOrderId, Decimal, Decimal]:
    return fill.client_order_id, fill.quantity, fill.price


def _words(fill: Fill) -> str:
    return f"{fill.quantity} at {fill.price} of {fill.client_order_id}"
