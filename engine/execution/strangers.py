"""Working orders that the journal does not know: ours by name, or somebody else's (RELIABILITY 4, 7).

An order with our prefix and of this very account is an orphan: told, journalled, and canceled unless it
protects what is held. Everything else is shown and never touched.
"""

from collections.abc import Iterable, Mapping

from engine.errors import BrokerError
from engine.execution.findings import Post
from engine.execution.orders import ticket_of
from engine.model.ids import ClientOrderId
from engine.model.orders import OrderSide, VenueOrder
from engine.model.positions import AccountSnapshot
from engine.money import ZERO


class Strangers:
    """Each is told once in a run."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._told: set[ClientOrderId] = set()

    def is_ours(self, report: VenueOrder) -> bool:
        """By name and by account: another account of ours gives its orders the same prefix."""
        return ticket_of(report.client_order_id) is not None and report.account in (None, self._post.account)

    async def sweep(
        self, orphans: Iterable[VenueOrder], account: AccountSnapshot
    ) -> tuple[tuple[ClientOrderId, ...], tuple[ClientOrderId, ...]]:
        """Those that are kept, because they protect shares beyond those of our brackets, and those that end.

        Raises StorageError, and BrokerError only when it is not about the one order.
        """
        theirs = {position.instrument: position.quantity for position in account.positions}
        kept: list[ClientOrderId] = []
        ending: list[ClientOrderId] = []
        for report in orphans:
            brackets = [b for b in self._post.brackets.open() if b.instrument == report.instrument]
            beyond = theirs.get(report.instrument, ZERO) - sum((b.held for b in brackets), ZERO)
            protects = report.side is OrderSide.SELL and beyond > ZERO
            self._tell(report, protects)
            (kept if protects else ending).append(report.client_order_id)
            if not protects:
                await self._end(report.client_order_id)
        return tuple(kept), tuple(ending)

    def _tell(self, report: VenueOrder, protects: bool) -> None:
        order = report.client_order_id
        if order in self._told:
            return
        body = {"order": order, "instrument": report.instrument, "side": report.side.value, "kept": protects}
        self._post.brackets.write((), (self._post.audit("orphan", body),), protective=True)
        self._told.add(order)
        done = "kept, it protects what is held" if protects else "canceled"
        text = f"{report.instrument}: order {order} has our name, but the journal does not know it: {done}"
        self._post.alarm(text, True, "orphan")

    async def _end(self, order: ClientOrderId) -> None:
        try:
            await self._post.broker.cancel(order)
        except BrokerError as error:
            # It is asked again at the next look, as long as it works.
            self._post.alarm(f"cancel of orphan {order}: {error.message}", False, "orphan")

    def show(self, reports: Iterable[VenueOrder]) -> Mapping[ClientOrderId, str]:
        """Orders of others, in words."""
        found = {
            r.client_order_id: f"{r.instrument}: {r.side} {r.quantity}, order {r.client_order_id}"
            for r in reports
        }
        for order, text in found.items():
            self.meet(order, text)
        return found

    def meet(self, order: ClientOrderId, text: str) -> None:
        """Tell of an order of somebody else, once."""
        if order not in self._told:
            self._told.add(order)
            self._post.alarm(f"{text} is not ours: left alone", False, "foreign")
