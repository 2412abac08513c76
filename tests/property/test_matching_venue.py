"""Whatever is sent and whatever the market does: what must hold at the paper venue after every step."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.broker import PaperBroker
from engine.clock import TestClock
from engine.errors import OrderRejected
from engine.execution.matching import NAIVE, STANDARD, MatchRules, Resting
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, TicketId, client_order_id
from engine.model.market import (
    Bar,
    CorporateAction,
    CorporateActionKind,
    MarketBatch,
    Provenance,
    Quote,
    Session,
    SessionPhase,
    Trade,
)
from engine.model.orders import BracketSpec, Fill, OrderSide, OrderSpec, OrderType, TimeInForce, VenueOrder
from engine.model.positions import AccountKind

ABC = InstrumentId("ABC.US")
CASH = Decimal(100_000)
HOUR_US = 3_600_000_000
RULES = (NAIVE, replace(STANDARD, resting=Resting.BARS), STANDARD)


class Days:
    def between(self, first: date, last: date) -> list[Session]:
        return [self.on(first + timedelta(days=n)) for n in range((last - first).days + 1)]

    def on(self, day: date) -> Session:
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
        return Session(day, midnight + 14 * HOUR_US, midnight + 21 * HOUR_US)

    def next_after(self, ts: int) -> Session:
        day = datetime.fromtimestamp(ts // 1_000_000, UTC).date()
        today = self.on(day)
        return today if today.close_us > ts else self.on(day + timedelta(days=1))


class Store:
    def __init__(self) -> None:
        self.records: dict[str, str] = {}

    def load(self) -> Mapping[str, str]:
        return dict(self.records)

    def put(self, changed: Mapping[str, str]) -> None:
        self.records.update(changed)


step = st.one_of(
    st.tuples(st.just("bracket"), st.integers(1, 300), st.integers(-60, 60), st.booleans()),
    st.tuples(st.just("exits"), st.integers(1, 300), st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.just("buy"), st.integers(1, 300), st.integers(-60, 60)),
    st.tuples(st.just("sell"), st.integers(1, 300), st.sampled_from(["market", "limit", "stop", "close"])),
    st.tuples(st.just("again"), st.integers(0, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("open"), st.integers(-150, 150), st.sampled_from([1.0, 0.5, 10.0, 0.98])),
    st.tuples(st.just("tick"), st.integers(-100, 100), st.integers(0, 5)),
    st.tuples(st.just("bar"), *[st.integers(-150, 150)] * 3, st.integers(0, 5000)),
    st.tuples(st.just("restart")),
)


@dataclass
class World:
    """A venue, what was sent to it, and what it said."""

    rules: MatchRules
    holds: bool
    price: int = 1000
    count: int = 0
    sent: list[BracketSpec | OrderSpec] = field(default_factory=list)
    cums: dict[ClientOrderId, Decimal] = field(default_factory=dict)
    paid: Decimal = Decimal(0)
    shares: Decimal = Decimal(0)
    streamed: list[Fill] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.days = Days()
        self.session = self.days.on(date(2016, 1, 4))
        self.clock = TestClock(self.session.open_us - HOUR_US)
        self.store = Store()
        self.last: MarketBatch | None = None
        self.start()

    def start(self) -> None:
        self.broker = PaperBroker(
            AccountId("p"), AccountKind.SIMULATION, self.store, self.clock, self.days,
            initial_cash=CASH, rules=self.rules, holds=self.holds,
        )  # fmt: skip
        self.stream = self.broker.updates()

    def deliver(self, batch: MarketBatch) -> None:
        self.last = batch
        self.clock.advance_to(max(batch.ts, self.clock.now_us()))
        self.broker.on_market(batch)

    def ticket(self) -> TicketId:
        self.count += 1
        return TicketId(f"{self.count:026d}")

    def cents(self, offset: int) -> Decimal:
        return Decimal(max(self.price + offset, 20)) / 100

    def order(
        self, ticket: TicketId, role: str, side: OrderSide, quantity: int, **terms: object
    ) -> OrderSpec:
        kind = OrderType.MARKET
        if "limit_price" in terms:
            kind = OrderType.LIMIT
        elif "stop_price" in terms:
            kind = OrderType.STOP
        return OrderSpec(
            client_order_id(ticket, role, 0),
            ABC,
            side,
            kind,
            Decimal(quantity),
            **terms,  # type: ignore[arg-type]
        )

    async def send(self, spec: BracketSpec | OrderSpec) -> None:
        self.sent.append(spec)
        try:
            if isinstance(spec, BracketSpec):
                await self.broker.submit_bracket(spec)
            else:
                await self.broker.submit(spec)
        except OrderRejected:
            return

    async def do_bracket(self, quantity: int, offset: int, day: bool) -> None:
        ticket, limit = self.ticket(), self.cents(offset)
        tif = TimeInForce.DAY if day else TimeInForce.GTC
        entry = self.order(ticket, "E", OrderSide.BUY, quantity, limit_price=limit, tif=tif)
        stop = self.order(ticket, "S", OrderSide.SELL, quantity, stop_price=limit * Decimal("0.92"))
        target = self.order(ticket, "T", OrderSide.SELL, quantity, limit_price=limit * Decimal("1.06"))
        await self.send(BracketSpec(ticket, AccountId("p"), entry, stop, target))

    async def do_exits(self, quantity: int, below: int, above: int) -> None:
        ticket = self.ticket()
        stop = self.order(ticket, "S", OrderSide.SELL, quantity, stop_price=self.cents(-below))
        high = max(self.cents(above), self.cents(-below) + 1)
        target = self.order(ticket, "T", OrderSide.SELL, quantity, limit_price=high)
        await self.send(BracketSpec(ticket, AccountId("p"), None, stop, target))

    async def do_buy(self, quantity: int, offset: int) -> None:
        price = self.cents(offset)
        await self.send(self.order(self.ticket(), "X", OrderSide.BUY, quantity, limit_price=price))

    async def do_sell(self, quantity: int, how: str) -> None:
        terms: dict[str, object] = {"tif": TimeInForce.CLS} if how == "close" else {}
        if how == "limit":
            terms["limit_price"] = self.cents(20)
        if how == "stop":
            terms["stop_price"] = self.cents(-20)
        await self.send(self.order(self.ticket(), "X", OrderSide.SELL, quantity, **terms))

    async def do_again(self, which: int) -> None:
        if self.sent:
            spec = self.sent[which % len(self.sent)]
            await self.send(spec)

    async def do_cancel(self, which: int) -> None:
        if self.cums:
            try:
                await self.broker.cancel(sorted(self.cums)[which % len(self.cums)])
            except OrderRejected:
                return

    async def do_open(self, offset: int, ratio: float) -> None:
        if self.clock.now_us() >= self.session.open_us:
            return
        held = (await self.broker.account()).positions
        cash = (await self.broker.account()).cash
        ts, actions = self.session.open_us, ()
        if ratio != 1.0:
            kind = CorporateActionKind.DIVIDEND if ratio == 0.98 else CorporateActionKind.SPLIT
            actions = (CorporateAction(ABC, kind, ratio, self.price / 100, self.session.day, ts),)
            # Alone in a batch, so that what it pays and gives is seen apart from executions.
            self.deliver(MarketBatch(ts - 1, actions=actions))
            account = await self.broker.account()
            self.paid += account.cash - cash
            self.shares += sum(p.quantity for p in account.positions) - sum(p.quantity for p in held)
        self.price = max(self.price + offset, 20)
        value = self.price / 100
        self.deliver(
            MarketBatch(
                ts,
                trades=(Trade(ABC, value, ts, ts, Provenance.SYNTHETIC, is_open=True),),
                quotes=(Quote(ABC, value, value, ts, ts, Provenance.SYNTHETIC),),
                session=self.session.day,
                phase=SessionPhase.OPEN,
            )
        )

    async def do_tick(self, offset: int, spread: int) -> None:
        ts = self.clock.now_us() + 1
        if not self.session.open_us < ts < self.session.close_us:
            return
        self.price = max(self.price + offset, 20)
        bid, ask = self.price / 100, (self.price + spread) / 100
        quote = Quote(ABC, bid, ask, ts, ts, Provenance.SYNTHETIC)
        trade = Trade(ABC, bid, ts, ts, Provenance.SYNTHETIC)
        self.deliver(MarketBatch(ts, trades=(trade,), quotes=(quote,), session=self.session.day))

    async def do_bar(self, a: int, b: int, c: int, volume: int) -> None:
        now = self.session
        points = [self.price, *(max(self.price + offset, 20) for offset in (a, b, c))]
        bar = Bar(
            ABC, points[0] / 100, max(points) / 100, min(points) / 100, points[3] / 100, float(volume),
            now.open_us, now.close_us, Provenance.SYNTHETIC,
        )  # fmt: skip
        self.price = points[3]
        self.session = self.days.on(now.day + timedelta(days=1))
        self.deliver(MarketBatch(now.close_us, bars=(bar,), session=now.day, phase=SessionPhase.CLOSE))

    async def do_restart(self) -> None:
        before = (await self.broker.open_orders(), await self.broker.executions(0))
        money = await self.broker.account()
        self.start()
        assert (await self.broker.open_orders(), await self.broker.executions(0)) == before
        after = await self.broker.account()
        assert (after.cash, after.positions) == (money.cash, money.positions)
        if self.last is not None:
            self.broker.on_market(self.last)
        assert (await self.broker.open_orders(), await self.broker.executions(0)) == before

    async def check(self) -> None:
        fills = await self.broker.executions(0)
        account = await self.broker.account()
        held = sum((position.quantity for position in account.positions), Decimal(0))
        assert held >= 0
        assert held == sum((f.side.sign * f.quantity for f in fills), Decimal(0)) + self.shares
        cash = CASH + self.paid - sum((f.side.sign * f.quantity * f.price + f.fee for f in fills), Decimal(0))
        assert account.cash == cash >= 0
        assert len({fill.exec_id for fill in fills}) == len(fills)
        for spec in self.sent:
            if isinstance(spec, BracketSpec):
                await self.check_group(spec)
            else:
                await self.seen(spec)
        await self.check_stream()
        if self.holds:
            live = await self.broker.open_orders()
            stops = sum((o.quantity - o.cum_filled for o in live if _reserves(o, live)), Decimal(0))
            assert stops <= held

    async def check_group(self, spec: BracketSpec) -> None:
        entry = None if spec.entry is None else await self.seen(spec.entry)
        stop, target = await self.seen(spec.stop), await self.seen(spec.target)
        if entry is not None and stop is None:
            assert entry.state == "rejected"
            return
        if stop is None or target is None:
            return
        assert not (stop.state == "filled" and target.state == "filled")
        assert stop.cum_filled + target.cum_filled <= spec.stop.quantity
        if entry is not None and entry.state != "filled":
            assert stop.cum_filled == target.cum_filled == 0
        if "filled" in (stop.state, target.state):
            assert {stop.state.is_terminal, target.state.is_terminal} == {True}

    async def seen(self, spec: OrderSpec) -> VenueOrder | None:
        order = await self.broker.order(spec.client_order_id)
        if order is not None:
            assert self.cums.get(order.client_order_id, 0) <= order.cum_filled <= order.quantity
            self.cums[order.client_order_id] = order.cum_filled
            fills = [f for f in await self.broker.executions(0) if f.client_order_id == order.client_order_id]
            assert sum((f.quantity for f in fills), Decimal(0)) == order.cum_filled
        return order

    async def check_stream(self) -> None:
        """Reconnect; what the old stream held plus what came before is every execution, once, in order."""
        old, self.stream = self.stream, self.broker.updates()
        self.streamed += [update async for update in old if isinstance(update, Fill)]
        assert self.streamed == list(await self.broker.executions(0))


def _reserves(order: VenueOrder, live: tuple[VenueOrder, ...]) -> bool:
    if order.side is OrderSide.BUY or order.reason.startswith("held"):
        return False
    stop = order.client_order_id[:-3] + "S00"
    is_target = order.client_order_id[-3] == "T"
    return not (is_target and any(other.client_order_id == stop for other in live))


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(step, max_size=25), rules=st.sampled_from(RULES), holds=st.booleans())
def test_books_stay_whole(steps: list[tuple[object, ...]], rules: MatchRules, holds: bool) -> None:
    async def run() -> None:
        world = World(rules, holds)
        await world.do_open(0, 1.0)
        for name, *arguments in steps:
            await getattr(world, f"do_{name}")(*arguments)
            await world.check()

    asyncio.run(run())
