"""7, at the venues that lose answers: whatever is lost on the way, one stop rests for every share, never two.

The scripted venue of the execution tests and the simulated venue in its wire format, through the port alone.
"""

import asyncio
import importlib.util
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from brokers.simvenue.book import Identity
from brokers.simvenue.broker import SimBroker
from brokers.simvenue.card import CALM
from brokers.simvenue.faults import CALM_MIX, Fault, FaultPlan
from brokers.simvenue.link import Link
from brokers.simvenue.venue import Venue
from engine.errors import BrokerError, OrderRejected
from engine.loop import run_virtual
from engine.model.ids import AccountId, ClientOrderId, InstrumentId
from engine.model.orders import OrderSide, OrderSpec, OrderState, OrderType
from engine.ports import REPLACED

ABC = InstrumentId("ABC.US")
START_US = 1_451_917_800_000_000
TROUBLES = ("lost", "answer lost", "late")


def load() -> ModuleType:
    """By path: tests are no package."""
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[2] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class ScriptedPlan(FaultPlan):
    """Gives the faults of a list, then none."""

    def __init__(self) -> None:
        super().__init__(CALM_MIX, Random(1))
        self.writes: deque[Fault] = deque()

    def on_write(self) -> Fault | None:
        return self.writes.popleft() if self.writes else None

    def on_read(self) -> Fault | None:
        return None

    def on_event(self) -> Fault | None:
        return None


class Simulated:
    """The simulated venue with 10 shares bought at 100."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.plan = ScriptedPlan()

        def now_us() -> int:
            return START_US + round(loop.time() * 1e6)

        account = AccountId("SIM-1")
        card = replace(
            CALM, capabilities=replace(CALM.capabilities, can_replace=True, request_expiry_us=None)
        )
        self.venue = Venue(Identity(account, "paper"), card, D(10_000), self.plan, now_us)
        self.venue.book.price(ABC, D(100))
        self.venue.book.open_session()
        link = Link(self.venue, self.plan)
        self.broker = SimBroker(account, card.capabilities, link, now_us, too_many_is_final=False)

    def trouble(self, kind: str) -> None:
        faults = {"lost": Fault.LOST_REQUEST, "answer lost": Fault.LOST_RESPONSE, "late": Fault.LATE_REQUEST}
        self.plan.writes.append(faults[kind])

    async def drop_to(self, price: str) -> None:
        self.venue.book.price(ABC, D(price))

    async def arrive(self) -> None:
        await asyncio.sleep(60)


class Scripted:
    """The scripted venue with the same."""

    def __init__(self) -> None:
        self.world = load()
        self.broker = self.world.FakeVenue(self.world.card(can_replace=True))

    def trouble(self, kind: str) -> None:
        names = {"lost": self.world.LOST, "answer lost": self.world.ANSWER_LOST, "late": self.world.LATE}
        self.broker.faults["replace"].append(names[kind])

    async def drop_to(self, price: str) -> None:
        for order in list(self.broker.live()):
            stop = self.broker.orders[order].spec.stop_price
            if stop is not None and stop >= D(price):
                self.broker.fill(order, price=price)

    async def arrive(self) -> None:
        self.broker.arrive_late()


def order(name: str, side: OrderSide, quantity: int, stop: str | None = None) -> OrderSpec:
    kind = OrderType.MARKET if stop is None else OrderType.STOP
    price = None if stop is None else D(stop)
    identifier = ClientOrderId(f"td0123456789ABCDEFGHJKMNPQRS{name}")
    return OrderSpec(identifier, ABC, side, kind, D(quantity), stop_price=price)


OLD, NEW = order("S00", OrderSide.SELL, 10, "90"), order("S01", OrderSide.SELL, 10, "95")


async def held(at: Any) -> Any:
    buy = order("E00", OrderSide.BUY, 10)
    await at.broker.submit(buy)
    if isinstance(at, Scripted):
        at.broker.fill(buy.client_order_id)
    await at.broker.submit(OLD)
    return at


async def resting(at: Any) -> dict[ClientOrderId, D]:
    return {
        found.client_order_id: found.quantity - found.cum_filled for found in await at.broker.open_orders()
    }


async def position(at: Any) -> D:
    return sum((found.quantity for found in (await at.broker.account()).positions), D(0))


@pytest.fixture(params=[Scripted, Simulated])
def at(request: pytest.FixtureRequest) -> Callable[[Callable[[Any], Coroutine[Any, Any, None]]], None]:
    def run(test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            await test(await held(request.param()))

        run_virtual(main())

    return run


def test_old_one_ends_as_replaced_and_the_new_one_rests(at: Any) -> None:
    async def test(at: Any) -> None:
        await at.broker.replace(OLD.client_order_id, NEW)
        old = await at.broker.order(OLD.client_order_id)
        assert (old.state, old.reason) == (OrderState.CANCELED, REPLACED)
        assert await resting(at) == {NEW.client_order_id: 10}

    at(test)


@pytest.mark.parametrize("kind", TROUBLES)
def test_lost_or_late_there_is_one_stop_at_every_moment(at: Any, kind: str) -> None:
    async def test(at: Any) -> None:
        at.trouble(kind)
        with pytest.raises(BrokerError) as caught:
            await at.broker.replace(OLD.client_order_id, NEW)
        assert not isinstance(caught.value, OrderRejected)
        before = await resting(at)
        assert sum(before.values()) == 10
        await at.arrive()
        after = await resting(at)
        assert sum(after.values()) == 10
        expected = OLD if kind == "lost" else NEW
        assert after == {expected.client_order_id: 10}

    at(test)


def test_filled_in_flight_it_is_refused_and_nothing_is_sold_twice(at: Any) -> None:
    async def test(at: Any) -> None:
        await at.drop_to("89")
        with pytest.raises(OrderRejected):
            await at.broker.replace(OLD.client_order_id, NEW)
        assert await at.broker.order(NEW.client_order_id) is None
        assert await resting(at) == {}
        assert await position(at) == 0

    at(test)


def test_filled_before_a_late_replacement_arrives(at: Any) -> None:
    async def test(at: Any) -> None:
        at.trouble("late")
        with pytest.raises(BrokerError):
            await at.broker.replace(OLD.client_order_id, NEW)
        # The simulated request may be there already: then the new one is what fills.
        await at.drop_to("89")
        await at.arrive()
        assert await resting(at) == {}
        assert await position(at) == 0
        assert sum(fill.quantity for fill in await at.broker.executions(0)) == 20

    at(test)


def test_more_than_the_old_one_is_refused_and_it_rests_on(at: Any) -> None:
    async def test(at: Any) -> None:
        with pytest.raises(OrderRejected):
            await at.broker.replace(OLD.client_order_id, replace(NEW, quantity=D(11)))
        assert await resting(at) == {OLD.client_order_id: 10}
        assert await at.broker.order(NEW.client_order_id) is None

    at(test)


def test_venue_tells_its_time(at: Any) -> None:
    async def test(at: Any) -> None:
        told = await at.broker.venue_time_us()
        assert told is not None
        assert abs(told - START_US) < 10_000_000

    at(test)
