"""The adapter of the simulated venue: `ports.Broker` in wire v1, every trouble of the way in our words."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from brokers.simvenue.link import Link, NoAnswer, StreamEnded, Unreachable
from brokers.simvenue.requests import (
    BANNED,
    MISSING,
    OK,
    REFUSED,
    TOO_MANY,
    AskAccount,
    AskExecutions,
    AskOpen,
    AskOrder,
    AskTime,
    Cancel,
    OrderTerms,
    Question,
    Replace,
    Response,
    Submit,
    encode,
)
from brokers.wire.v1 import (
    Unread,
    read_account,
    read_fills,
    read_message,
    read_order,
    read_orders,
    read_refusal,
    read_time,
)
from engine.errors import BadAnswer, BrokerUnavailable, OrderOutcomeUnknown, OrderRejected
from engine.model.ids import AccountId, ClientOrderId
from engine.model.orders import BracketSpec, Fill, OrderSpec, VenueOrder, VenueUpdate
from engine.model.positions import AccountSnapshot
from engine.ports import Capabilities

T = TypeVar("T")


class SimBroker:
    """One account over one link. `now_us`: the venue's time, which stamps requests for their expiry.

    `too_many_is_final`: the venue promises that 429 means the order was not taken.
    """

    def __init__(
        self,
        account: AccountId,
        capabilities: Capabilities,
        link: Link,
        now_us: Callable[[], int],
        *,
        too_many_is_final: bool,
    ) -> None:
        self.capabilities = capabilities
        self._account = account
        self._link = link
        self._now_us = now_us
        self._too_many_is_final = too_many_is_final

    async def submit_bracket(self, spec: BracketSpec) -> None:
        """Entry with sleeping exits (OTOCO), or exits alone (OCO). See `ports.Broker`."""
        exits = (_terms(spec.stop), _terms(spec.target))
        if spec.entry is None:
            await self._submit("oco", exits)
        else:
            await self._submit("otoco", (_terms(spec.entry), *exits))

    async def submit(self, spec: OrderSpec) -> None:
        """A single order. See `ports.Broker`."""
        await self._submit("single", (_terms(spec),))

    async def cancel(self, order: ClientOrderId) -> None:
        """End an order. See `ports.Broker`."""
        body = await self._write(Cancel(self._account, self._now_us(), order))
        _believed(lambda: read_order(body, self._account))

    async def replace(self, order: ClientOrderId, new: OrderSpec) -> None:
        """Put an order in the place of another. See `ports.Broker`."""
        body = await self._write(Replace(self._account, self._now_us(), order, _terms(new)))
        _believed(lambda: read_order(body, self._account))

    async def order(self, order: ClientOrderId) -> VenueOrder | None:
        """One order by its client id."""
        return read_order(await self._read(AskOrder(self._account, self._now_us(), order)), self._account)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """All orders that work or sleep."""
        return read_orders(await self._read(AskOpen(self._account, self._now_us())), self._account)

    async def executions(self, since_us: int) -> tuple[Fill, ...]:
        """Fills since a venue time."""
        question = AskExecutions(self._account, self._now_us(), since_us)
        return read_fills(await self._read(question), self._account)

    async def account(self) -> AccountSnapshot:
        """Cash and positions."""
        return read_account(await self._read(AskAccount(self._account, self._now_us())))

    async def venue_time_us(self) -> int | None:
        """The venue's clock."""
        return read_time(await self._read(AskTime(self._account, self._now_us())), self._account)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        """The venue's stream until it ends; one message that cannot be read ends it."""
        try:
            stream = await self._link.open_stream()
        except Unreachable as error:
            raise BrokerUnavailable("the venue's stream cannot be reached") from error
        while True:
            try:
                frame = await stream.next()
            except StreamEnded:
                return
            message = read_message(frame, self._account)
            if not isinstance(message, Unread):
                yield message

    async def _submit(self, link: str, orders: tuple[OrderTerms, ...]) -> None:
        body = await self._write(Submit(self._account, self._now_us(), link, orders))
        _believed(lambda: read_orders(body, self._account))

    async def _write(self, question: Question) -> bytes:
        try:
            response = await self._link.call(encode(question), True)
        except Unreachable as error:
            raise BrokerUnavailable("no connection to the venue, nothing was sent") from error
        except NoAnswer as error:
            raise OrderOutcomeUnknown("no answer from the venue") from error
        if response.status == OK:
            return response.body
        if response.status in (REFUSED, MISSING):
            refusal = _believed(lambda: read_refusal(response.body, self._account))
            raise OrderRejected(refusal.code, refusal.reason)
        if response.status == TOO_MANY and self._too_many_is_final:
            raise OrderRejected("429", "too many requests")
        if response.status == BANNED:
            raise BrokerUnavailable("the venue refuses all requests for a while (418)")
        raise OrderOutcomeUnknown(f"the venue answered with status {response.status}")

    async def _read(self, question: Question) -> bytes:
        try:
            response: Response = await self._link.call(encode(question), False)
        except (Unreachable, NoAnswer) as error:
            raise BrokerUnavailable("the venue does not answer") from error
        if response.status != OK:
            raise BrokerUnavailable(f"the venue answered with status {response.status}")
        return response.body


def _believed(read: Callable[[], T]) -> T:
    """The answer to a write; one that cannot be read says nothing about what was done."""
    try:
        return read()
    except BadAnswer as error:
        raise OrderOutcomeUnknown(error.message, error.hint) from error


def _terms(spec: OrderSpec) -> OrderTerms:
    return OrderTerms(
        spec.client_order_id,
        spec.instrument,
        spec.side.value,
        spec.type.value,
        spec.quantity,
        spec.limit_price,
        spec.stop_price,
        spec.tif.value,
    )
