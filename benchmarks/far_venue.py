"""A venue that keeps brackets and answers late: what a restart asks, without a simulator's own cost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

from engine.model.ids import AccountId, ClientOrderId, VenueOrderId
from engine.model.orders import (
    BracketKind,
    BracketSpec,
    Fill,
    OrderSpec,
    OrderState,
    VenueOrder,
    VenueUpdate,
)
from engine.model.positions import AccountKind, AccountSnapshot, VenuePosition
from engine.ports import Capabilities

ANSWER_S = 0.05


class FarVenue:
    """Implements `ports.Broker` for entries that fill whole."""

    capabilities = Capabilities(BracketKind.OTOCO, True, 0, 0, True, True, False, True)

    def __init__(self, account: AccountId, kind: AccountKind) -> None:
        self._identity = (account, kind)
        self._orders: dict[ClientOrderId, VenueOrder] = {}
        self._fills: list[Fill] = []
        self._line: asyncio.Queue[VenueUpdate]

    async def submit_bracket(self, spec: BracketSpec) -> None:
        await asyncio.sleep(ANSWER_S)
        for order in (spec.entry, spec.stop, spec.target):
            if order is not None:
                self._accept(order)

    async def submit(self, spec: OrderSpec) -> None:
        await asyncio.sleep(ANSWER_S)
        self._accept(spec)

    def _accept(self, spec: OrderSpec) -> None:
        order, number = spec.client_order_id, VenueOrderId(str(len(self._orders)))
        self._orders[order] = VenueOrder(
            order, number, spec.instrument, spec.side, OrderState.WORKING, spec.quantity, Decimal(0)
        )

    def fill(self, order: ClientOrderId, now_us: int) -> None:
        """An entry fills whole at its limit."""
        done = self._orders[order]
        self._orders[order] = replace(done, state=OrderState.FILLED, cum_filled=done.quantity)
        fill = Fill(
            f"X{order}", order, done.instrument, done.side, done.quantity, Decimal(100), Decimal(0), now_us
        )
        self._fills.append(fill)
        self._line.put_nowait(fill)
        self._line.put_nowait(self._orders[order])

    async def cancel(self, order: ClientOrderId) -> None:
        raise NotImplementedError

    async def replace(self, order: ClientOrderId, new: OrderSpec) -> None:
        raise NotImplementedError

    async def order(self, order: ClientOrderId) -> VenueOrder | None:
        await asyncio.sleep(ANSWER_S)
        return self._orders.get(order)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        await asyncio.sleep(ANSWER_S)
        return tuple(order for order in self._orders.values() if not order.state.is_terminal)

    async def executions(self, since_us: int) -> tuple[Fill, ...]:
        await asyncio.sleep(ANSWER_S)
        return tuple(fill for fill in self._fills if fill.ts_event >= since_us)

    async def account(self) -> AccountSnapshot:
        await asyncio.sleep(ANSWER_S)
        held = tuple(VenuePosition(fill.instrument, fill.quantity, fill.price) for fill in self._fills)
        cash = -sum((fill.quantity * fill.price for fill in self._fills), Decimal(0))
        return AccountSnapshot(*self._identity, "USD", cash, cash, Decimal(0), held)

    async def venue_time_us(self) -> int | None:
        await asyncio.sleep(ANSWER_S)
        return None

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        self._line = asyncio.Queue()
        while True:
            yield await self._line.get()
