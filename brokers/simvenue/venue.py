"""The venue's counter: bytes of a request in, bytes of an answer out, reports streamed to whoever listens."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from brokers.simvenue.book import Book, BookOrder, Identity
from brokers.simvenue.card import VenueCard
from brokers.simvenue.faults import FaultPlan
from brokers.simvenue.requests import (
    DUPLICATE,
    MISSING,
    OK,
    REFUSED,
    TOO_LATE,
    AskAccount,
    AskExecutions,
    AskOpen,
    AskOrder,
    Cancel,
    Refusal,
    Replace,
    Response,
    Submit,
    answer,
    decode_request,
    encode,
    listed,
)
from engine.model.orders import OrderSide, OrderState, OrderType

FILTER = Refusal("filter", "a filter of the venue")


class Venue:
    """One account at a simulated venue. `now_us`: the time of the world, int microseconds UTC."""

    def __init__(
        self, identity: Identity, card: VenueCard, cash: Decimal, plan: FaultPlan, now_us: Callable[[], int]
    ) -> None:
        self.card = card
        self.plan = plan
        self.book = Book(identity, card, cash, now_us)
        self.book.tell = self._tell
        self.book.part_of = plan.part_of
        self.book.match_later = self._match_later
        self._now_us = now_us
        self._loop = asyncio.get_running_loop()
        self.listeners: list[Callable[[bytes], None]] = []
        self.move_market: Callable[[str], None] = lambda instrument: None
        """Moves the price of an instrument through its stops, at once."""
        self._account = identity.account

    def serve(self, request: bytes) -> Response:
        """Do what is asked."""
        asked = decode_request(request)
        if isinstance(asked, Submit | Cancel | Replace):
            expiry_us = self.card.capabilities.request_expiry_us
            if expiry_us is not None and self._now_us() > asked.sent_us + expiry_us:
                return self._refused(Refusal(TOO_LATE, "the request came after its expiry"))
            return self._write(asked)
        as_of = self._now_us() - self.plan.lag_us(self.card.capabilities.visibility_lag_us)
        if isinstance(asked, AskOrder):
            return self._order(asked.client_order_id, as_of)
        if isinstance(asked, AskOpen):
            return self._answer("orders", listed(self._open_at(as_of)))
        if isinstance(asked, AskExecutions):
            return self._answer("fills", listed(self.book.executions_since(asked.since_us, as_of)))
        if isinstance(asked, AskAccount):
            return self._answer("state", encode(self.book.account_at(as_of)))
        return self._answer("time_us", b"%d" % self.book.stamp_us())

    def serve_twice(self, request: bytes) -> Response:
        """The request came twice: an order is taken once, and the answer is to the second."""
        response = self.serve(request)
        if response.status != OK or not isinstance(decode_request(request), Submit):
            return response
        return self._refused(Refusal(DUPLICATE, "the order id is in use"))

    def refuse(self, request: bytes) -> Response:
        """A rule of the venue's own is against it."""
        asked = decode_request(request)
        if isinstance(asked, Submit):
            self._record(asked, FILTER)
        return self._refused(FILTER)

    def gap_against(self, request: bytes) -> None:
        """The market falls through the stops just as an exit, a cancel or a replacement arrives."""
        asked = decode_request(request)
        if isinstance(asked, Submit):
            first = asked.orders[0]
            if first.side == OrderSide.SELL:
                self.move_market(first.instrument)
        elif isinstance(asked, Cancel | Replace):
            order = self.book.by_id.get(asked.client_order_id)
            if order is not None:
                self.move_market(order.terms.instrument)

    def _write(self, asked: Submit | Cancel | Replace) -> Response:
        if isinstance(asked, Submit):
            done = self.book.submit(asked.link, asked.orders)
            if isinstance(done, Refusal):
                self._record(asked, done)
                return self._refused(done)
            return self._answer("orders", listed([_newest(order) for order in done]))
        if isinstance(asked, Cancel):
            ended = self.book.cancel(asked.client_order_id)
        else:
            ended = self.book.replace(asked.client_order_id, asked.order)
        return self._refused(ended) if isinstance(ended, Refusal) else self._answer("order", _newest(ended))

    def _record(self, asked: Submit, refusal: Refusal) -> None:
        if self.card.records_refusals:
            self.book.record_refusal(asked.orders, refusal.reason)

    def _order(self, client_order_id: str, as_of: int) -> Response:
        found = self.book.by_id.get(client_order_id)
        report = None if found is None else found.report_at(as_of)
        return self._answer("order", b"null" if report is None else report)

    def _open_at(self, as_of: int) -> list[bytes]:
        """What worked at an instant, as it was reported then."""
        if as_of >= self._now_us():
            return [_newest(order) for order in self.book.live()]
        reports = (order.report_at(as_of) for order in self.book.orders)
        return [report for report in reports if report is not None and _WORKING in report]

    def _answer(self, name: str, value: bytes) -> Response:
        return Response(OK, answer(self._account, name, value))

    def _refused(self, refusal: Refusal) -> Response:
        status = MISSING if refusal.code == "no_such_order" else REFUSED
        return Response(status, answer(self._account, "error", encode(refusal)))

    def _tell(self, frame: bytes) -> None:
        for listener in self.listeners:
            listener(frame)

    def _match_later(self, order: BookOrder) -> None:
        """The rest of an execution that came in parts."""
        if order.type is OrderType.LIMIT and order.side is OrderSide.SELL:
            return  # it rests; the next price decides
        delay_s = 0.1 + 3.0 * self.plan.random.random()
        self._loop.call_later(delay_s, self.book.match, order)


_WORKING = b'"state":"%s"' % OrderState.WORKING.value.encode()


def _newest(order: BookOrder) -> bytes:
    return order.versions[-1][1]
