"""What leaves the process: sends, cancels and questions run as tasks and come back to the writer as facts.

Nothing is decided here but one thing: an entry whose gates no longer hold when its turn comes is not sent.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine.clock import US_PER_S
from engine.errors import BrokerError, OrderRejected
from engine.execution.bracket import Bracket
from engine.execution.desk import Desk
from engine.execution.evidence import Accepted, AnswerLost, Fact, Found, NotFound, Refused
from engine.execution.fates import FILLS_MARGIN_US
from engine.execution.steps import (
    Action,
    AskFills,
    AskOrder,
    CancelOrder,
    ReplaceOrder,
    SendBracket,
    SendOrder,
)
from engine.model.ids import ClientOrderId, TicketId
from engine.model.orders import Fill, OrderSpec, OrderState, VenueOrder

NOT_SENT = "not sent"
"""Code of our own refusal, in the place where a venue's would stand."""
ABANDON_S = 1.0
SEND_WITHIN_US = US_PER_S
"""An entry goes out so soon after its gates passed, or not at all: a machine may be suspended in between."""
DUPLICATE = "duplicate"
"""Code of a venue's answer that the id is in use: the order exists, its fate is asked (RELIABILITY 5.2)."""


@dataclass(frozen=True, slots=True)
class Writer:
    """The one writer of brackets, as the sends see it."""

    bracket: Callable[[TicketId], Bracket]
    """As it is now. Raises KeyError for one that is not in memory."""
    tell: Callable[[TicketId, Fact], None]
    tell_venue: Callable[[VenueOrder | Fill], bool]


@dataclass(frozen=True, slots=True)
class _Gated:
    """An entry whose gates have passed, and how far the machine's clock was off then."""

    bracket: Bracket
    jumped_us: int


class Outbox:
    """Carries out what the plan says, once it is durable."""

    def __init__(self, desk: Desk, writer: Writer) -> None:
        self._desk = desk
        self._writer = writer
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """Sends and questions whose answers are still out."""
        return len(self._tasks)

    async def idle(self) -> None:
        """Wait for the answers that are out, and for those to what follows from them."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def abandon(self) -> None:
        """Give up on the answers that are still out: the process ends, the next start asks the venue."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            # One that does not even end when it is cancelled is left behind.
            await asyncio.wait(tuple(self._tasks), timeout=ABANDON_S)

    def perform(self, bracket: Bracket, actions: Iterable[Action], jumped_us: int = 0) -> None:
        """Begin all that is to be sent or asked; alarms are told by the writer, after the new state.

        `jumped_us`: of the clock, when an entry's gates passed.
        """
        broker, ticket = self._desk.broker, bracket.ticket
        for action in actions:
            match action:
                case SendOrder(order):
                    send = partial(broker.submit, order)
                    begins = _Gated(bracket, jumped_us) if order == bracket.entry.spec else None
                    self._spawn(self._send(ticket, (order.client_order_id,), send, begins))
                case SendBracket(group):
                    orders = (group.entry, group.stop, group.target)
                    ids = tuple(order.client_order_id for order in orders if order is not None)
                    send = partial(broker.submit_bracket, group)
                    begins = None if group.entry is None else _Gated(bracket, jumped_us)
                    self._spawn(self._send(ticket, ids, send, begins))
                case ReplaceOrder(order_id, new):
                    self._spawn(self._replace(ticket, order_id, new))
                case CancelOrder(order_id):
                    self._spawn(self._cancel(ticket, order_id))
                case AskOrder(order_id):
                    self.ask(ticket, order_id)
                case AskFills(since_us):
                    self._spawn(self._ask_fills(ticket, since_us))
                case _:
                    pass

    def ask(self, ticket: TicketId, order: ClientOrderId) -> None:
        """Ask the venue for an order now; the answer comes as a fact."""
        self._spawn(self._ask(ticket, order))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A fact could not be journalled, or a rule of ours broke: nothing new may start.
            self._desk.halt(f"{type(error).__name__}: {error}", None)

    async def _send(
        self,
        ticket: TicketId,
        orders: tuple[ClientOrderId, ...],
        call: Callable[[], Coroutine[Any, Any, None]],
        begins: _Gated | None = None,
    ) -> None:
        """`begins`: an entry goes, which a halt or a pause after its intent forbids."""
        facts: list[Fact]
        try:
            if begins is not None and (why := self._why_not_now(begins)):
                # Nothing left this process: that is proof, and no question is needed.
                raise OrderRejected(NOT_SENT, why)
            await call()
            facts = [Accepted(order) for order in orders]
        except OrderRejected as error:
            reason = f"{error.reason} ({error.code})"
            fate = AnswerLost if error.code == DUPLICATE else Refused
            facts = [fate(order, reason) for order in orders]
        except BrokerError as error:
            # Also when the adapter says nothing was sent: only the venue's books prove that.
            facts = [AnswerLost(order, error.message) for order in orders]
        for fact in facts:
            self._writer.tell(ticket, fact)

    def _why_not_now(self, entry: _Gated) -> str:
        """What came between an entry's intent and its send, so that its gates do not hold any more."""
        clock = self._desk.clock
        if self._desk.is_halted(entry.bracket.instrument):
            return "halted before the send"
        # A suspended machine stops the time of the engine, so that only its wall clock shows it.
        jumped = abs(clock.jumped_us() - entry.jumped_us)
        late = max(clock.now_us() - entry.bracket.opened_us, jumped)
        if late > SEND_WITHIN_US:
            return f"the send came {late / US_PER_S:.1f} s after its gates"
        return ""

    async def _replace(self, ticket: TicketId, order: ClientOrderId, new: OrderSpec) -> None:
        """A refusal leaves the old order with its old terms, or says that it is over: it is asked."""
        replace_it = partial(self._desk.broker.replace, order, new)
        await self._send(ticket, (new.client_order_id,), replace_it)
        if self._writer.bracket(ticket).leg(new.client_order_id).state is OrderState.REJECTED:
            await self._ask(ticket, order)

    async def _cancel(self, ticket: TicketId, order: ClientOrderId) -> None:
        try:
            await self._desk.broker.cancel(order)
        except BrokerError as error:
            self._tell_of(ticket, f"cancel of {order}: {error.message}")
        await self._ask(ticket, order)

    async def _ask(self, ticket: TicketId, order: ClientOrderId) -> None:
        broker = self._desk.broker
        try:
            report = await broker.order(order)
            if report is None:
                # One question is no proof: it must be missing from the open orders and the executions too.
                report = next((o for o in await broker.open_orders() if o.client_order_id == order), None)
                first = self._writer.bracket(ticket).leg(order).first_send_us
                fills = await broker.executions(first - FILLS_MARGIN_US)
                self._take_fills(fill for fill in fills if fill.client_order_id == order)
        except BrokerError as error:
            self._tell_of(ticket, f"question about {order}: {error.message}")
            return
        self._writer.tell(ticket, NotFound(order) if report is None else Found(report))

    async def _ask_fills(self, ticket: TicketId, since_us: int) -> None:
        try:
            self._take_fills(await self._desk.broker.executions(since_us))
        except BrokerError as error:
            self._tell_of(ticket, f"question about executions: {error.message}")

    def _take_fills(self, fills: Iterable[Fill]) -> None:
        for fill in fills:
            self._writer.tell_venue(fill)

    def _tell_of(self, ticket: TicketId, text: str) -> None:
        self._desk.alarm(self._writer.bracket(ticket), text, page=False)
