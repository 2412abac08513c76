"""How fast this account sends orders, and how many in a row the venue rejects: read off its brackets."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from engine.clock import Clock
from engine.execution.bracket import Bracket, Leg
from engine.execution.orders import Brackets
from engine.model.ids import TicketId
from engine.model.orders import OrderState
from engine.risk.anomalies import Anomaly, order_rate, rejects
from engine.risk.rates import MINUTE_US, Window

TAKEN = frozenset({OrderState.WORKING, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED})
"""States of an order that the venue took."""
KEPT_US = 48 * 60 * MINUTE_US
"""How long an entry is remembered: longer than any day of an account."""


@dataclass(frozen=True, slots=True)
class _Count:
    """What was counted of the orders of a bracket."""

    sent: int
    rejected: int
    taken: int


_NOTHING = _Count(0, 0, 0)


class Pace:
    """Told of each change of a bracket; after a restart it counts what their orders hold."""

    def __init__(self, clock: Clock, brackets: Brackets, see: Callable[[Anomaly | None], None]) -> None:
        self._clock = clock
        self._brackets = brackets
        self._see = see
        self._opened: dict[TicketId, int] = {}
        self._counts: dict[TicketId, _Count] = {}
        self._orders = Window()
        self.rejects_in_a_row = 0

    def restore(self) -> None:
        """Take over what the brackets hold."""
        self._opened = {bracket.ticket: bracket.opened_us for bracket in self._brackets}
        self._counts = {bracket.ticket: _count(bracket) for bracket in self._brackets.open()}
        orders = [(bracket, leg) for bracket in self._brackets for leg in bracket.legs]
        since_us = self._clock.now_us() - MINUTE_US
        # Of an order that was sent twice in that minute only the last send is known.
        for ts in sorted(leg.last_send_us for _, leg in orders if leg.parent is None):
            if ts > since_us:
                self._orders.add(ts)
        known = [leg for bracket, leg in orders if leg.state in TAKEN or _is_rejected(bracket, leg)]
        newest = sorted(known, key=lambda leg: leg.changed_us, reverse=True)
        self.rejects_in_a_row = sum(1 for _ in takewhile(lambda leg: leg.state not in TAKEN, newest))

    def heed(self, ticket: TicketId) -> None:
        """Count what a change of a bracket says of its orders: sent, rejected, taken by the venue."""
        bracket, now = self._brackets.get(ticket), self._clock.now_us()
        if bracket is None:
            return
        self._opened.setdefault(ticket, bracket.opened_us)
        before, after = self._counts.get(ticket, _NOTHING), _count(bracket)
        self._counts[ticket] = after
        if after.taken > before.taken:
            self.rejects_in_a_row = 0
        if after.rejected > before.rejected:
            self.rejects_in_a_row += after.rejected - before.rejected
            self._see(rejects(self.rejects_in_a_row))
        if after.sent > before.sent:
            self._orders.add(now, after.sent - before.sent)
            self._see(order_rate(self._orders.count(now)))

    def entries(self, since_us: int) -> int:
        """Entries that began at `since_us` or later."""
        return sum(ts >= since_us for ts in self._opened.values())

    def orders(self) -> int:
        """Orders sent within the last minute."""
        return self._orders.count(self._clock.now_us())

    def forget(self) -> None:
        """Entries of days that are over, and the orders of what is over with them."""
        old_us = self._clock.now_us() - KEPT_US
        if self._opened and min(self._opened.values()) <= old_us:
            still = {bracket.ticket for bracket in self._brackets.open()}
            self._opened = {ticket: ts for ticket, ts in self._opened.items() if ts > old_us}
            kept = self._opened.keys() | still
            self._counts = {ticket: count for ticket, count in self._counts.items() if ticket in kept}


def _count(bracket: Bracket) -> _Count:
    """A group is one order: its sleeping legs count when they are sent again by themselves."""
    sent = sum(leg.attempts - (leg.parent is not None and leg.attempts > 0) for leg in bracket.legs)
    rejected = sum(_is_rejected(bracket, leg) for leg in bracket.legs)
    return _Count(sent, rejected, sum(leg.state in TAKEN for leg in bracket.legs))


def _is_rejected(bracket: Bracket, leg: Leg) -> bool:
    """The sleeping legs of an entry that is rejected were no orders."""
    if leg.state is not OrderState.REJECTED:
        return False
    return leg.parent is None or bracket.leg(leg.parent).state is not OrderState.REJECTED
