"""Every implementation of `ports.Broker`, each driven through the same small harness.

A harness owns one venue with one instrument and can move its market, restart it, lose a connection and make
its store fail. What a venue cannot do is in `lacks` with the reason, and skips the test that needs it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import pytest

from brokers.paper.broker import PaperBroker, unknown_liquidity
from engine.clock import TestClock
from engine.errors import StorageError
from engine.execution.fees import NoFees
from engine.execution.matching import NAIVE, STANDARD, MatchRules, Resting
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, TicketId, client_order_id
from engine.model.market import (
    Bar,
    CorporateAction,
    CorporateActionKind,
    Instrument,
    MarketBatch,
    Provenance,
    Quote,
    Session,
    SessionPhase,
    Trade,
)
from engine.model.orders import (
    BracketSpec,
    OrderSide,
    OrderSpec,
    OrderType,
    TimeInForce,
    VenueOrder,
    VenueUpdate,
)
from engine.model.positions import AccountKind
from engine.ports import Broker, VenueStore
from storage.database import Synchronous
from storage.paper_book import SqlitePaperBook, open_paper_book

ABC = InstrumentId("ABC.US")
ACCOUNT = AccountId("paper")
CENT = Decimal("0.01")
CASH = Decimal(10_000)
FIRST_DAY = date(2016, 1, 4)
HOUR_US = 3_600_000_000
D = Decimal


class Days:
    """A session on every calendar day, 14:30 to 21:00 UTC."""

    def between(self, first: date, last: date) -> Sequence[Session]:
        count = (last - first).days + 1
        return [self.on(first + timedelta(days=n)) for n in range(count)]

    def on(self, day: date) -> Session:
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
        return Session(day, midnight + 29 * HOUR_US // 2, midnight + 21 * HOUR_US)

    def next_after(self, ts: int) -> Session:
        day = datetime.fromtimestamp(ts // 1_000_000, UTC).date()
        today = self.on(day)
        return today if today.close_us > ts else self.on(day + timedelta(days=1))


class MemoryStore:
    """A store that can be told to fail before or after it wrote."""

    def __init__(self) -> None:
        self.records: dict[str, str] = {}
        self.puts = 0
        self.fail_before = False
        self.fail_after = False
        self.fail_load = False

    def load(self) -> Mapping[str, str]:
        if self.fail_load:
            raise StorageError("the disk is gone")
        return dict(self.records)

    def get(self, key: str) -> str | None:
        if self.fail_load:
            raise StorageError("the disk is gone")
        return self.records.get(key)

    def put(self, changed: Mapping[str, str]) -> None:
        if self.fail_before:
            raise StorageError("disk full", "free some space")
        self.records.update(changed)
        self.puts += 1
        if self.fail_after:
            raise StorageError("the disk is gone")


class Harness(Protocol):
    """What a test may do with a venue. Prices are of ABC; a test starts in an open session at 10.00."""

    lacks: Mapping[str, str]
    broker: Broker
    store: VenueStore
    file: Path | None

    def restart(self) -> None: ...
    def disconnect(self) -> None: ...
    def open_at(self, price: float) -> MarketBatch: ...
    def move_to(self, price: float, volume: float = 1e9) -> MarketBatch: ...
    def bar(self, o: float, h: float, low: float, c: float, volume: float = 1e9) -> MarketBatch: ...
    def close(self, price: float) -> MarketBatch: ...


class PaperHarness:
    """The paper broker. With a `file` it is opened anew from that SQLite file before every single step."""

    def __init__(self, rules: MatchRules, file: Path | None = None) -> None:
        self.store: VenueStore = MemoryStore()
        self.file = file
        self.rules = rules
        self.check_buying_power = True
        self.holds = True
        self.days = Days()
        self.session = self.days.on(FIRST_DAY)
        self.clock = TestClock(self.session.open_us - HOUR_US)
        self.is_open = False
        self.instruments = {ABC: Instrument(ABC, tick_size=CENT)}
        self.liquidity = unknown_liquidity
        self.last: MarketBatch | None = None
        self.lacks: dict[str, str] = {}
        if rules.resting is Resting.QUOTES:
            self.lacks["partial_fills"] = "quotes and prints carry no sizes"
            self.lacks["bars"] = "resting orders are matched against quotes and prints"
        if file is not None:
            self.lacks["stream"] = "a stream ends with its process"
        self.restart()

    def restart(self) -> None:
        if self.file is not None:
            self.end()
            self.store = open_paper_book(self.file, Synchronous.NORMAL)
        self._broker = PaperBroker(
            ACCOUNT,
            AccountKind.PAPER,
            self.store,
            self.clock,
            self.days,
            initial_cash=CASH,
            rules=self.rules,
            instruments=self.instruments,
            liquidity=self.liquidity,
            check_buying_power=self.check_buying_power,
            holds=self.holds,
        )
        if self.last is not None:
            # A feed goes on with what it said last.
            self._broker.on_market(self.last)

    @property
    def broker(self) -> PaperBroker:
        if self.file is not None:
            self.restart()
        return self._broker

    def end(self) -> None:
        if isinstance(self.store, SqlitePaperBook):
            self.store.close()

    def disconnect(self) -> None:
        self._broker.disconnect()

    def deliver(self, batch: MarketBatch) -> MarketBatch:
        if batch.ts > self.clock.now_us():
            self.clock.advance_to(batch.ts)
        self.broker.on_market(batch)
        self.last = batch
        return batch

    def quote(self, bid: float | None, ask: float | None, ts: int) -> Quote:
        return Quote(ABC, bid, ask, ts, ts, Provenance.REPLAY)

    def open_at(self, price: float, actions: tuple[CorporateAction, ...] = ()) -> MarketBatch:
        ts = self.session.open_us
        self.is_open = True
        return self.deliver(
            MarketBatch(
                ts,
                actions=actions,
                trades=(Trade(ABC, price, ts, ts, Provenance.REPLAY, is_open=True),),
                quotes=(self.quote(price, price, ts),),
                session=self.session.day,
                phase=SessionPhase.OPEN,
            )
        )

    def bar(self, o: float, h: float, low: float, c: float, volume: float = 1e9) -> MarketBatch:
        """The whole bar of the session, known at its close; the next call is in the next session."""
        now = self.session
        self.session = self.days.on(now.day + timedelta(days=1))
        self.is_open = False
        bar = Bar(ABC, o, h, low, c, volume, now.open_us, now.close_us, Provenance.REPLAY)
        return self.deliver(MarketBatch(now.close_us, bars=(bar,), session=now.day, phase=SessionPhase.CLOSE))

    def close(self, price: float) -> MarketBatch:
        return self.bar(price, price, price, price)

    def tick(self, bid: float | None, ask: float | None, last: float | None = None) -> MarketBatch:
        ts = self.clock.now_us() + 1_000_000
        trades = () if last is None else (Trade(ABC, last, ts, ts, Provenance.REPLAY),)
        quotes = () if bid is None and ask is None else (self.quote(bid, ask, ts),)
        return self.deliver(MarketBatch(ts, trades=trades, quotes=quotes, session=self.session.day))

    def move_to(self, price: float, volume: float = 1e9) -> MarketBatch:
        """The whole market trades at one price: resting orders that it reaches execute."""
        if self.rules.resting is Resting.QUOTES:
            return self.tick(price, price, price)
        if not self.is_open:
            self.open_at(price)
        return self.bar(price, price, price, price, volume)

    def act(self, kind: CorporateActionKind, ratio: float, prior_close: float, price: float) -> MarketBatch:
        day = self.session.day
        action = CorporateAction(ABC, kind, ratio, prior_close, day, self.session.open_us)
        return self.open_at(price, (action,))


QUIET = replace(STANDARD, fees=NoFees(), slippage=None)
ON_BARS = replace(QUIET, resting=Resting.BARS)
VENUES = ("paper on bars", "paper on quotes", "paper on bars, restarted", "paper on quotes, restarted")


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    rules = QUIET if "quotes" in request.param else ON_BARS
    harness = PaperHarness(rules, tmp_path / "venue.db" if "restarted" in request.param else None)
    harness.open_at(10.0)
    yield harness
    harness.end()


@pytest.fixture
def on_bars() -> PaperHarness:
    """Standard rules on whole bars, without fees and slippage; no session has opened yet."""
    return PaperHarness(ON_BARS)


@pytest.fixture
def on_quotes() -> PaperHarness:
    """The same on quotes and prints."""
    return PaperHarness(QUIET)


@pytest.fixture
def naive() -> PaperHarness:
    """The rules of `--rule naive`, prices without a tick."""
    harness = PaperHarness(NAIVE)
    harness.instruments = {}
    harness.restart()
    return harness


@pytest.fixture
def need() -> "Need":
    return Need()


class Need:
    """`need(venue, "thing")`: skip with the venue's own reason when it lacks the thing."""

    def __call__(self, venue: Harness, thing: str) -> None:
        if thing in venue.lacks:
            pytest.skip(f"not applicable: {venue.lacks[thing]}")


class Orders:
    """Order specs of one ticket after another."""

    instrument = ABC

    def __init__(self) -> None:
        self._tickets = 0

    def ticket(self) -> TicketId:
        self._tickets += 1
        return TicketId(f"{self._tickets:026d}")

    def bracket(
        self,
        quantity: str = "100",
        limit: str | None = "10",
        stop: str = "9.20",
        target: str = "10.60",
        *,
        tif: TimeInForce = TimeInForce.DAY,
        exit_tif: TimeInForce = TimeInForce.GTC,
        account: AccountId = ACCOUNT,
    ) -> BracketSpec:
        ticket = self.ticket()
        price = None if limit is None else D(limit)
        kind = OrderType.MARKET if limit is None else OrderType.LIMIT
        entry = OrderSpec(
            client_order_id(ticket, "E", 0), ABC, OrderSide.BUY, kind, D(quantity), limit_price=price, tif=tif
        )
        exits = self.exits(quantity, stop, target, ticket, exit_tif)
        return replace(exits, entry=entry, account=account)

    def exits(
        self,
        quantity: str = "100",
        stop: str = "9.20",
        target: str = "10.60",
        ticket: TicketId | None = None,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> BracketSpec:
        ticket = ticket or self.ticket()
        stop_order = OrderSpec(
            client_order_id(ticket, "S", 0), ABC, OrderSide.SELL, OrderType.STOP, D(quantity),
            stop_price=D(stop), tif=tif,
        )  # fmt: skip
        target_order = OrderSpec(
            client_order_id(ticket, "T", 0), ABC, OrderSide.SELL, OrderType.LIMIT, D(quantity),
            limit_price=D(target), tif=tif,
        )  # fmt: skip
        return BracketSpec(ticket, ACCOUNT, None, stop_order, target_order)

    def single(
        self,
        side: OrderSide,
        quantity: str,
        *,
        limit: str | None = None,
        stop: str | None = None,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> OrderSpec:
        kind = OrderType.LIMIT if limit else OrderType.STOP if stop else OrderType.MARKET
        return OrderSpec(
            client_order_id(self.ticket(), "X", 0), ABC, side, kind, D(quantity),
            limit_price=D(limit) if limit else None, stop_price=D(stop) if stop else None, tif=tif,
        )  # fmt: skip


@pytest.fixture
def orders() -> Orders:
    return Orders()


class Ask:
    """Short questions to a venue."""

    async def one(self, venue: Harness, order: OrderSpec | ClientOrderId) -> VenueOrder:
        found = await venue.broker.order(order if isinstance(order, str) else order.client_order_id)
        assert found is not None
        return found

    async def states(self, venue: Harness, spec: BracketSpec) -> tuple[str, ...]:
        legs = [leg for leg in (spec.entry, spec.stop, spec.target) if leg is not None]
        return tuple([str((await self.one(venue, leg)).state) for leg in legs])

    async def rest(self, stream: AsyncIterator[VenueUpdate]) -> list[VenueUpdate]:
        """What a stream still holds up to its end; a stream that does not end fails instead of hanging."""
        async with asyncio.timeout(10):
            return [update async for update in stream]

    async def position(self, venue: Harness) -> Decimal:
        held = (await venue.broker.account()).positions
        return sum((position.quantity for position in held), Decimal(0))


@pytest.fixture
def ask() -> Ask:
    return Ask()
