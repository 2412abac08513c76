"""What each fault on the way to the simulated venue looks like to the adapter, and what it did there."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from brokers.simvenue.book import Identity
from brokers.simvenue.broker import SimBroker
from brokers.simvenue.card import CALM, VenueCard
from brokers.simvenue.faults import CALM_MIX, READ_FAULTS, Fault, FaultMix, FaultPlan
from brokers.simvenue.link import LATEST_S, TIMEOUT_S, Link
from brokers.simvenue.venue import Venue
from engine.errors import BadAnswer, BrokerError, BrokerUnavailable, OrderOutcomeUnknown, OrderRejected
from engine.loop import run_virtual
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, TicketId
from engine.model.orders import BracketSpec, Fill, OrderSide, OrderSpec, OrderState, OrderType, VenueOrder

ABC = InstrumentId("ABC.US")
SIM = AccountId("SIM-1")
START_US = 1_451_917_800_000_000
D = Decimal


class Scripted(FaultPlan):
    """Gives the faults of a list, then none."""

    def __init__(self) -> None:
        super().__init__(CALM_MIX, Random(1))
        self.writes: deque[Fault] = deque()
        self.reads: deque[Fault] = deque()
        self.events: deque[Fault] = deque()
        self.lag = 0

    def on_write(self) -> Fault | None:
        return self.writes.popleft() if self.writes else None

    def on_read(self) -> Fault | None:
        return self.reads.popleft() if self.reads else None

    def on_event(self) -> Fault | None:
        return self.events.popleft() if self.events else None

    def lag_us(self, bound_us: int) -> int:
        return self.lag


class Way:
    """An adapter, its link and the venue behind it."""

    def __init__(self, card: VenueCard) -> None:
        self.loop = asyncio.get_running_loop()
        self.plan = Scripted()
        self.venue = Venue(Identity(SIM, "paper"), card, D(10_000), self.plan, self.now_us)
        self.venue.book.price(ABC, D("10.00"))
        self.link = Link(self.venue, self.plan)
        self.venue.listeners.append(self.link.push)
        self.broker = SimBroker(
            SIM, card.capabilities, self.link, self.now_us, too_many_is_final=card.too_many_is_final
        )

    def now_us(self) -> int:
        return START_US + round(self.loop.time() * 1_000_000)

    async def sends(self, fault: Fault | None = None, order: OrderSpec | None = None) -> BrokerError | None:
        """What the adapter raised."""
        if fault is not None:
            self.plan.writes.append(fault)
        try:
            await self.broker.submit(ENTRY if order is None else order)
        except BrokerError as error:
            return error
        return None

    @property
    def held(self) -> Decimal:
        return self.venue.book.positions[ABC]


def order(name: str, side: OrderSide = OrderSide.BUY, stop: str | None = None) -> OrderSpec:
    kind = OrderType.MARKET if stop is None else OrderType.STOP
    price = None if stop is None else D(stop)
    return OrderSpec(ClientOrderId(name), ABC, side, kind, D(10), stop_price=price)


ENTRY = order("E1")
Story = Callable[[Way], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[..., None]:
    """Tells a story in virtual time."""

    def run(story: Story, card: VenueCard = CALM) -> None:
        async def main() -> None:
            await story(Way(card))

        run_virtual(main())

    return run


@pytest.mark.parametrize(
    ("fault", "raised", "held"),
    [
        (None, type(None), 10),
        (Fault.LOST_REQUEST, OrderOutcomeUnknown, 0),
        (Fault.LOST_RESPONSE, OrderOutcomeUnknown, 10),
        (Fault.ERROR_BEFORE, OrderOutcomeUnknown, 0),
        (Fault.ERROR_AFTER, OrderOutcomeUnknown, 10),
        (Fault.TOO_MANY, OrderRejected, 0),
        (Fault.BANNED, BrokerUnavailable, 0),
        (Fault.REFUSED, OrderRejected, 0),
        (Fault.DUPLICATE, OrderRejected, 10),
        (Fault.DIES_AFTER_ACCEPT, OrderOutcomeUnknown, 10),
        (Fault.BAD_FIELD, OrderOutcomeUnknown, 10),
        (Fault.WRONG_ACCOUNT, OrderOutcomeUnknown, 10),
        (Fault.GAP_AT_EXIT, type(None), 10),
    ],
)
def test_each_fault_of_a_write(play: Any, fault: Fault | None, raised: type, held: int) -> None:
    async def story(way: Way) -> None:
        assert type(await way.sends(fault)) is raised
        assert way.held == held

    play(story)


def test_too_many_proves_nothing_where_the_venue_does_not_say_so(play: Any) -> None:
    async def story(way: Way) -> None:
        assert isinstance(await way.sends(Fault.TOO_MANY), OrderOutcomeUnknown)

    play(story, replace(CALM, too_many_is_final=False))


@pytest.mark.parametrize(("expiry_us", "held"), [(1_000_000, 0), (None, 10)])
def test_a_late_request_is_bounded_by_its_expiry(play: Any, expiry_us: int | None, held: int) -> None:
    async def story(way: Way) -> None:
        await way.sends(Fault.LATE_REQUEST)
        await asyncio.sleep(LATEST_S)
        assert way.held == held

    play(story, replace(CALM, capabilities=replace(CALM.capabilities, request_expiry_us=expiry_us)))


def test_a_ban_lasts_and_says_that_nothing_was_sent(play: Any) -> None:
    async def story(way: Way) -> None:
        await way.sends(Fault.BANNED)
        assert not way.link.is_reachable
        with pytest.raises(BrokerUnavailable):
            await way.broker.open_orders()
        await asyncio.sleep(31)
        assert await way.broker.open_orders() == ()

    play(story)


@pytest.mark.parametrize("fault", [fault for fault in READ_FAULTS if fault is not Fault.BAD_FIELD])
def test_each_fault_of_a_question_leaves_it_unanswered(play: Any, fault: Fault) -> None:
    async def story(way: Way) -> None:
        way.plan.reads.append(fault)
        with pytest.raises((BrokerUnavailable, BadAnswer)):
            await way.broker.open_orders()
        assert way.loop.time() <= TIMEOUT_S + 0.1

    play(story)


def test_an_account_that_is_another_is_told_as_it_is(play: Any) -> None:
    async def story(way: Way) -> None:
        way.plan.reads.append(Fault.WRONG_ACCOUNT)
        assert (await way.broker.account()).account != SIM
        assert (await way.broker.account()).account == SIM

    play(story)


def test_a_field_that_cannot_be_true_is_not_believed(play: Any) -> None:
    async def story(way: Way) -> None:
        await way.sends()
        failed = 0
        for _ in range(40):
            way.plan.reads.append(Fault.BAD_FIELD)
            try:
                await way.broker.executions(0)
            except BadAnswer:
                failed += 1
        assert failed >= 35

    play(story)


def test_questions_are_answered(play: Any) -> None:
    async def story(way: Way) -> None:
        await way.sends()
        await way.broker.submit(order("S1", OrderSide.SELL, "9.00"))
        found = await way.broker.order(ClientOrderId("S1"))
        assert found is not None
        assert (found.state, found.stop_price) == (OrderState.WORKING, D("9.00"))
        assert await way.broker.order(ClientOrderId("nobody")) is None
        assert await way.broker.open_orders() == (found,)
        assert [fill.quantity for fill in await way.broker.executions(0)] == [D(10)]
        account = await way.broker.account()
        assert (account.cash, account.positions[0].quantity) == (D(9900), D(10))
        assert await way.broker.venue_time_us() == pytest.approx(way.now_us(), abs=100_000)

    play(story)


def test_a_query_may_show_the_venue_as_it_was(play: Any) -> None:
    async def story(way: Way) -> None:
        await way.sends()
        await way.broker.submit(order("S1", OrderSide.SELL, "9.00"))
        way.plan.lag = 1_000_000
        assert await way.broker.order(ClientOrderId("S1")) is None
        assert await way.broker.open_orders() == ()
        await asyncio.sleep(1.1)
        assert len(await way.broker.open_orders()) == 1

    play(story)


def test_groups_cancels_and_replacements_go_through(play: Any) -> None:
    async def story(way: Way) -> None:
        stop = order("S1", OrderSide.SELL, "9.00")
        limit = D("11.00")
        target = OrderSpec(
            ClientOrderId("T1"), ABC, OrderSide.SELL, OrderType.LIMIT, D(10), limit_price=limit
        )
        entry = OrderSpec(
            ClientOrderId("E1"), ABC, OrderSide.BUY, OrderType.LIMIT, D(10), limit_price=D("10.00")
        )
        await way.broker.submit_bracket(BracketSpec(TicketId("t"), SIM, entry, stop, target))
        assert way.held == 10
        new = order("S2", OrderSide.SELL, "9.50")
        await way.broker.replace(stop.client_order_id, new)
        await way.broker.cancel(new.client_order_id)
        assert way.venue.book.live() == []
        with pytest.raises(OrderRejected):
            await way.broker.cancel(new.client_order_id)
        other = replace(target, client_order_id=ClientOrderId("T3"))
        pair = BracketSpec(TicketId("t"), SIM, None, order("S3", OrderSide.SELL, "9.00"), other)
        await way.broker.submit_bracket(pair)
        assert len(way.venue.book.live()) == 2

    play(story)


def test_the_market_falls_as_the_exit_arrives(play: Any) -> None:
    async def story(way: Way) -> None:
        way.venue.move_market = lambda name: way.venue.book.price(name, D("5.00"))
        await way.sends()
        await way.broker.submit(order("S1", OrderSide.SELL, "9.00"))
        way.plan.writes.append(Fault.GAP_AT_EXIT)
        with pytest.raises(OrderRejected):
            await way.broker.cancel(ClientOrderId("S1"))
        assert way.held == 0
        await way.sends(order=order("E2"))
        await way.sends(Fault.GAP_AT_EXIT, order("X2", OrderSide.SELL))
        assert way.venue.book.executions[-1].price == D("5.00")

    play(story)


async def heard(way: Way, seconds: float) -> list[object]:
    """What the stream tells in a while."""
    found: list[object] = []

    async def listen() -> None:
        async for update in way.broker.updates():
            found.append(update)

    task = asyncio.ensure_future(listen())
    await asyncio.sleep(0.1)
    await way.sends()
    await asyncio.sleep(seconds)
    if task.done() and (error := task.exception()) is not None:
        found.append(error)
    task.cancel()
    return found


@pytest.mark.parametrize(
    ("faults", "kinds"),
    [
        ([], [VenueOrder, Fill, VenueOrder]),
        ([Fault.EVENT_DROPPED], [Fill, VenueOrder]),
        ([Fault.EVENT_DOUBLED], [VenueOrder, Fill, VenueOrder, VenueOrder]),
        ([Fault.EVENT_DELAYED], [Fill, VenueOrder, VenueOrder]),
    ],
)
def test_each_fault_of_the_stream(play: Any, faults: list[Fault], kinds: list[type]) -> None:
    async def story(way: Way) -> None:
        way.plan.events.extend(faults)
        assert [type(update) for update in await heard(way, 12)] == kinds

    play(story)


def test_a_message_for_another_account_ends_the_stream(play: Any) -> None:
    async def story(way: Way) -> None:
        way.plan.events.extend([Fault.WRONG_ACCOUNT] * 3)
        assert [type(update) for update in await heard(way, 1)] == [BadAnswer]

    play(story)


def test_a_mute_stream_stays_connected_and_says_nothing(play: Any) -> None:
    async def story(way: Way) -> None:
        way.link.mute(60)
        assert await heard(way, 30) == []
        assert way.link.stream is not None

    play(story)


def test_a_disconnect_ends_the_stream_and_cuts_off_what_is_under_way(play: Any) -> None:
    async def story(way: Way) -> None:
        changes: list[bool] = []
        way.link.changed = lambda: changes.append(way.link.is_reachable)
        sending = asyncio.ensure_future(way.sends())
        await asyncio.sleep(0.001)
        way.link.disconnect(5)
        assert isinstance(await sending, OrderOutcomeUnknown)
        assert isinstance(await way.sends(order=order("E2")), BrokerUnavailable)
        with pytest.raises(BrokerUnavailable):
            await anext(way.broker.updates())
        await asyncio.sleep(6)
        assert await way.sends(order=order("E3")) is None
        assert changes == [False, True]
        way.link.disconnect(50)
        way.link.heal()
        assert way.link.is_reachable

    play(story)


def test_a_stream_that_the_link_ends_ends_without_an_error(play: Any) -> None:
    async def story(way: Way) -> None:
        asyncio.get_running_loop().call_later(0.2, way.link.close)
        assert [update async for update in way.broker.updates()] == []

    play(story)


def test_a_plan_draws_by_its_weights_and_stops_when_told() -> None:
    mix = FaultMix(0.5, {Fault.LOST_REQUEST: 1.0, Fault.REFUSED: 3.0}, partial_ratio=0.5, lag=True)
    plan = FaultPlan(mix, Random(3))
    drawn = [plan.on_write() for _ in range(4000)]
    assert 0.4 < sum(fault is not None for fault in drawn) / len(drawn) < 0.6
    assert 2 < drawn.count(Fault.REFUSED) / drawn.count(Fault.LOST_REQUEST) < 4
    assert {plan.on_read() for _ in range(100)} == {None, Fault.LOST_REQUEST}
    assert {plan.on_event() for _ in range(100)} == {None}
    assert 0 < max(plan.lag_us(1000) for _ in range(50)) <= 1000
    assert {plan.part_of(2) for _ in range(50)} == {1, 2}
    assert plan.counts[Fault.REFUSED] == drawn.count(Fault.REFUSED)
    plan.active = False
    assert {plan.on_write() for _ in range(100)} == {None}
    assert (plan.lag_us(1000), plan.part_of(9)) == (0, 9)
