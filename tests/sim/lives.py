"""Short lives of one account, from a candidate to a closed position, on the real engine in stepped time.

A `Stage` holds what outlives a process: the venue with its truth, the clock, and the journal's file. Each
`run` is a process: it opens the journal, builds an engine, recovers and goes on where the journal says. A
process may die at any journal write, or find its disk failing; what must hold afterwards is `faults_of`.
"""

import asyncio
import importlib.util
import random
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from brokers.paper.broker import PaperBroker
from engine.clock import US_PER_S, TestClock
from engine.core import Engine
from engine.errors import OrderRejected, StorageError
from engine.execution.bracket import Bracket
from engine.execution.gating import StrategyTerms
from engine.execution.matching import NAIVE
from engine.execution.orders import ticket_of
from engine.execution.policies import ApprovalPolicy, PaperAuto
from engine.model.candidates import Verdict
from engine.model.commands import ENGINE, Actor, Halt
from engine.model.events import Alarm, Event
from engine.model.exits import Tier
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, StrategyName
from engine.model.market import Bar, MarketBatch, Provenance, Quote, Session, SessionPhase, Trade
from engine.model.orders import BracketSpec, Fill, OrderRole, OrderSpec, VenueOrder, VenueUpdate
from engine.model.positions import AccountKind, AccountSnapshot, ExitReason, RoundTrip
from engine.money import ZERO
from engine.parts import Parts
from engine.ports import Capabilities, JournalRow, VenueStore
from engine.risk.limits import DATASET
from engine.strategies.base import StrategyContext
from storage.degraded import LastingJournal, open_lasting_journal
from storage.journal import read_journal, verify_audit

ABC = InstrumentId("ABC.US")
GAPS = StrategyName("gaps")
ACCOUNT = AccountId("lives")
CASH = Decimal(100_000)
MONDAY = date(2016, 1, 4)
HOUR_US = 3600 * US_PER_S
NINA = Actor("nina", "pts/7")
SETTLE_US = 180 * US_PER_S
"""Quiet time after the last batch: longer than the drain before CLOSED."""
PROTECTED_US = 30 * US_PER_S
"""R2: no share is without a stop for longer."""


@cache
def builders() -> ModuleType:
    """The builders of the execution tests, by path: another distribution installs a package `tests`."""
    path = Path(__file__).resolve().parents[1] / "unit" / "execution" / "world.py"
    spec = importlib.util.spec_from_file_location("lives_world", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules["lives_world"] = module
    spec.loader.exec_module(module)
    return module


class Days:
    """A session on every calendar day, 14:30 to 21:00 UTC."""

    def between(self, first: date, last: date) -> Sequence[Session]:
        return [self.on(first + timedelta(days=n)) for n in range((last - first).days + 1)]

    def on(self, day: date) -> Session:
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * US_PER_S
        return Session(day, midnight + 29 * HOUR_US // 2, midnight + 21 * HOUR_US)

    def next_after(self, ts: int) -> Session:
        day = datetime.fromtimestamp(ts // US_PER_S, UTC).date()
        today = self.on(day)
        return today if today.close_us > ts else self.on(day + timedelta(days=1))


DAYS = Days()
OPEN_US = DAYS.on(MONDAY).open_us


def opening(price: float, day: int = 0) -> MarketBatch:
    """The first instant of a session."""
    session = DAYS.on(MONDAY + timedelta(days=day))
    ts = session.open_us
    return MarketBatch(
        ts,
        trades=(Trade(ABC, price, ts, ts, Provenance.LIVE, is_open=True),),
        quotes=(Quote(ABC, price, price, ts, ts, Provenance.LIVE),),
        session=session.day,
        phase=SessionPhase.OPEN,
    )


def minute(
    n: int, price: float, low: float | None = None, high: float | None = None, volume: float = 1e9
) -> MarketBatch:
    """The n-th minute of the first session: a bar that ends at `price`, and the quote after it."""
    ts = OPEN_US + n * 60 * US_PER_S
    bar = Bar(
        ABC,
        price if low is None or low > price else max(low, price),
        price if high is None else high,
        price if low is None else low,
        price,
        volume,
        ts - 60 * US_PER_S,
        ts,
        Provenance.LIVE,
    )
    return MarketBatch(ts, bars=(bar,), quotes=(Quote(ABC, price, price, ts, ts, Provenance.LIVE),))


def closing_of(price: float, day: int = 0) -> MarketBatch:
    """The last instant of a session."""
    session = DAYS.on(MONDAY + timedelta(days=day))
    bar = Bar(ABC, price, price, price, price, 1e9, session.open_us, session.close_us, Provenance.LIVE)
    return MarketBatch(session.close_us, bars=(bar,), session=session.day, phase=SessionPhase.CLOSE)


@dataclass(frozen=True)
class Life:
    """`deeds[i]`: what a person does just before batch i; done again when a crash made it a second time."""

    name: str
    batches: tuple[MarketBatch, ...]
    deeds: Mapping[int, Callable[[Engine], object]]
    refuses: bool = False
    """The venue refuses every entry."""
    sessions: int = 5
    terms: Mapping[str, Any] = field(default_factory=dict)
    """Of the exit plan, where they differ: tiers, breakeven, trail."""
    policy: ApprovalPolicy | None = None
    """Who approves; None: everything at once."""


def _halt(engine: Engine) -> None:
    engine.give(Halt(NINA, "enough"))


def _sell(engine: Engine) -> None:
    for bracket in engine.brackets.open():
        engine.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)


def random_life(seed: int) -> Life:
    """A life that nobody thought of: a market that jumps, thin bars, a person who interferes, a night."""
    chance = random.Random(seed)
    batches = [opening(chance.choice((100, 100, 100.3)))]
    for n in range(1, chance.randint(3, 7)):
        price, volume = chance.choice((99, 100, 101, 102, 91.5, 85, 107)), chance.choice((1e9, 1e9, 40, 70))
        low, high = min(price, chance.choice((price, 98, 91))), max(price, chance.choice((price, 102, 107)))
        batches.append(minute(n, price, low, high, volume))
    if chance.random() < 0.3:
        batches += [closing_of(99), opening(chance.choice((99, 80, 110)), 1), closing_of(99, 1)]
    deeds = {}
    if chance.random() < 0.4:
        deeds[chance.randrange(1, len(batches))] = chance.choice((_halt, _sell))
    return Life(
        f"random {seed}", tuple(batches), deeds, refuses=chance.random() < 0.05, sessions=chance.randint(1, 2)
    )


LIVES = (
    Life("stopped", (opening(100), minute(1, 99), minute(2, 91.5, low=91), minute(3, 91)), {}),
    Life("target", (opening(100), minute(1, 101), minute(2, 106.5, high=107), minute(3, 107)), {}),
    Life(
        "partial",
        (opening(100.3), minute(1, 99, volume=40), minute(2, 99), minute(3, 91.5, low=91), minute(4, 91)),
        {},
    ),
    Life(
        "time exit",
        (opening(100), closing_of(101), opening(101, 1), closing_of(102, 1), opening(102, 2)),
        {},
        sessions=2,
    ),
    Life("sold by hand", (opening(100), minute(1, 101), minute(2, 102), minute(3, 102)), {2: _sell}),
    Life(
        "halted while held", (opening(100), minute(1, 99), minute(2, 91.5, low=91), minute(3, 91)), {1: _halt}
    ),
    Life("halted while entering", (opening(100.3), minute(1, 100.3), minute(2, 100.3)), {1: _halt}),
    Life("rejected", (opening(100), minute(1, 100)), {}, refuses=True),
    Life(
        "trailed",
        (opening(100), minute(1, 103), minute(2, 105), minute(3, 100, low=99), minute(4, 99)),
        {},
        terms={"trail_ratio": Decimal("0.05")},
    ),
    Life(
        "in tiers",
        (opening(100), minute(1, 105), minute(2, 109, high=109.5), minute(3, 99, low=98), minute(4, 98)),
        {},
        terms={
            "targets": (Tier(Decimal(104), Decimal("0.5")), Tier(Decimal(108), Decimal("0.3"))),
            "breakeven_after": 0,
        },
    ),
    Life("canceled", (opening(100.3), minute(5, 100.3), minute(12, 100.3)), {}),
)
"""Stop, target, partial fill, time exit, exit by hand, halts, reject, trailing stop, tiers, cancel."""


class Crash(BaseException):
    """The process is gone: nothing of it may go on."""


class _Once:
    """A strategy that proposes one trade at the first opening."""

    name = GAPS

    def __init__(self, life: Life) -> None:
        self._life = life

    def universe(self, context: StrategyContext) -> Sequence[InstrumentId]:
        return [ABC]

    def required_features(self) -> Sequence[str]:
        return []

    def propose(self, context: StrategyContext) -> Sequence[Verdict]:
        if context.session != MONDAY:
            return []
        verdict = builders().make_verdict()
        proposal = verdict.proposal
        plan = replace(proposal.exit_plan, max_sessions=self._life.sessions, **self._life.terms)
        return [replace(verdict, proposal=replace(proposal, exit_plan=plan))]

    def exit_plan(self, proposal: Any) -> Any:
        return proposal.exit_plan

    def on_outcome(self, outcome: RoundTrip) -> None:
        pass


class _Nothing:
    def load(self) -> Mapping[str, str]:
        return {}

    def put(self, changed: Mapping[str, str]) -> None:
        pass


class Line:
    """One process's way to the venue. Dead with the process; it looks up each intent before it sends."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage
        self._venue = stage.venue
        self.capabilities: Capabilities = stage.venue.capabilities
        self.is_dead = False

    async def _alive(self) -> None:
        await asyncio.sleep(0)
        if self.is_dead:
            await asyncio.get_running_loop().create_future()  # no answer ever

    async def submit_bracket(self, spec: BracketSpec) -> None:
        await self._alive()
        orders = [order for order in (spec.entry, spec.stop, spec.target) if order is not None]
        self._stage.sends(orders)
        if self._stage.life.refuses and spec.entry is not None:
            raise OrderRejected("403", "not today")
        await self._venue.submit_bracket(spec)

    async def submit(self, spec: OrderSpec) -> None:
        await self._alive()
        self._stage.sends([spec])
        await self._venue.submit(spec)

    async def replace(self, order: ClientOrderId, new: OrderSpec) -> None:
        await self._alive()
        self._stage.sends([new])
        await self._venue.replace(order, new)

    async def cancel(self, order: ClientOrderId) -> None:
        await self._alive()
        await self._venue.cancel(order)

    async def order(self, order: ClientOrderId) -> VenueOrder | None:
        await self._alive()
        return await self._venue.order(order)

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        await self._alive()
        return await self._venue.open_orders()

    async def executions(self, since_us: int) -> tuple[Fill, ...]:
        await self._alive()
        return await self._venue.executions(since_us)

    async def account(self) -> AccountSnapshot:
        await self._alive()
        return await self._venue.account()

    async def venue_time_us(self) -> int | None:
        return await self._venue.venue_time_us()

    def updates(self) -> AsyncIterator[VenueUpdate]:
        return self._venue.updates()


class Swift(sqlite3.Connection):
    """Nothing here waits for the disk: only processes die, the machine goes on."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(
            "PRAGMA synchronous=OFF" if sql.startswith("PRAGMA synchronous") else sql, *values
        )


OpenJournal = Callable[[Path], LastingJournal]


def open_swift(path: Path) -> LastingJournal:
    """A simulation's journal without a reserve."""
    return open_lasting_journal(path, ACCOUNT, AccountKind.SIMULATION, factory=Swift)


def new_journal(path: Path, template: Path) -> None:
    """A fresh journal at `path`: a copy of one that was made once."""
    if not template.exists():
        with open_swift(template) as journal:
            journal.commit([JournalRow("meta", {"k": "initial_cash", "v": str(CASH)})], ())
    shutil.copyfile(template, path)


class Stage:
    """What outlives the processes of one life. `journal` opens the file for each of them."""

    def __init__(
        self,
        path: Path,
        life: Life,
        journal: OpenJournal = open_swift,
        store: VenueStore | None = None,
        kind: AccountKind = AccountKind.SIMULATION,
    ) -> None:
        self.path = path
        self.life = life
        self.kind = kind
        self.open_journal = journal
        self.clock = TestClock(OPEN_US - HOUR_US)
        self.venue = PaperBroker(
            ACCOUNT,
            kind,
            _Nothing() if store is None else store,
            self.clock,
            DAYS,
            initial_cash=CASH,
            rules=replace(NAIVE, max_volume_share=Decimal("0.1")),
        )
        self.faults: list[str] = []
        """Rules that were seen broken."""
        self.alarms: list[str] = []
        self.sent: list[ClientOrderId] = []
        self.journal: LastingJournal | None = None
        self.engine: Engine | None = None
        self.processes = 0
        self._line: Line | None = None
        self._moved_us = 0
        self._died = asyncio.Event()
        self.on_batch: Callable[[int], None] = lambda index: None
        """Told of each batch before anybody sees it."""

    @property
    def is_dead(self) -> bool:
        """The process is gone, whatever of it still runs."""
        return self._died.is_set()

    def die(self) -> None:
        """End the process here and now."""
        if self._line is not None:
            self._line.is_dead = True
        self._died.set()
        raise Crash

    async def run(self) -> bool:
        """One process from start to the end of the life; False when it died on the way.

        Raises StorageError when the journal cannot be opened or the engine cannot start on it.
        """
        self._died.clear()
        self.processes += 1
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        living = asyncio.ensure_future(self._live())
        died = asyncio.ensure_future(self._died.wait())
        await asyncio.wait({living, died}, return_when=asyncio.FIRST_COMPLETED)
        is_dead = self._died.is_set()
        others = asyncio.all_tasks() - {asyncio.current_task(), living if not is_dead else None}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if is_dead:
            await asyncio.wait({living})
            living.cancelled() or living.exception()  # whatever it died of, nobody hears of it
        self.venue.disconnect()
        journal, self.journal = self.journal, None
        try:
            if not is_dead:
                await living
        finally:
            if journal is not None:
                sqlite3.Connection.close(journal._connection) if is_dead else journal.close()
        return not is_dead

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self._died.is_set() and not isinstance(context.get("exception"), Crash):
            self.faults.append(f"unhandled: {context.get('exception') or context['message']!r}")

    async def _live(self) -> None:
        self.journal = journal = self.open_journal(self.path)
        last = max(int(journal.meta("market_us") or 0), journal.latest_us() or 0)
        self.clock.advance_to(max(self.clock.now_us(), last))
        self._line = Line(self)
        self.engine = engine = Engine(self._parts(journal, self._line))
        self.watch_disk(engine, journal)
        await engine.start()
        await self._settled()
        self._moved_us = self.clock.now_us()
        handled = engine.market_us()
        for index, batch in enumerate(self.life.batches):
            if handled is not None and batch.ts < handled:
                continue
            self.on_batch(index)
            if batch.ts == handled:
                engine.prime(batch)
                self.venue.on_market(batch)
                await self._settled()
                continue
            await self._reach(batch.ts)
            self._check_cover(engine)
            if index in self.life.deeds:
                self._try(lambda deed=self.life.deeds[index]: deed(engine))  # type: ignore[misc]
                await self._settled()
            await self._handle(batch)
        await self._reach(self.clock.now_us() + SETTLE_US)
        await engine.stop()

    def watch_disk(self, engine: Engine, journal: LastingJournal) -> None:
        """A trouble of the journal halts, soon: it is told in the middle of a commit."""
        loop = asyncio.get_running_loop()

        def halt_soon(why: str) -> None:
            if why:
                loop.call_soon(engine.halt, ENGINE, why)

        journal.watch(halt_soon)

    async def _handle(self, batch: MarketBatch) -> None:
        """As a daemon does it: an instant that cannot be written down is over all the same."""
        engine, self._moved_us = self.engine, self.clock.now_us()
        assert engine is not None
        self._try(lambda: engine.restate(batch))
        self.venue.on_market(batch)
        await self._settled()
        self._try(lambda: engine.take(batch))
        await self._settled()
        self._try(lambda: engine.decide(batch))
        await self._settled()
        self._try(lambda: engine.finish(batch))

    def _try(self, work: Callable[[], object]) -> None:
        with suppress(StorageError):
            work()

    async def _settled(self) -> None:
        assert self.engine is not None
        await self.engine.settled(lambda: self.venue.has_undelivered)

    async def _reach(self, ts: int) -> None:
        assert self.engine is not None
        while (due := self.engine.scheduler.next_due()) is not None and due <= ts:
            self.clock.advance_to(max(due, self.clock.now_us()))
            self.engine.scheduler.run_due()
            await self._settled()
        self.clock.advance_to(max(ts, self.clock.now_us()))
        await self._settled()

    def _parts(self, journal: LastingJournal, line: Line) -> Parts:
        return Parts(
            account=ACCOUNT,
            kind=self.kind,
            clock=self.clock,
            journal=journal,
            broker=line,
            strategies=(_Once(self.life),),
            terms={GAPS: StrategyTerms("paper", "naive", 8, 3)},
            sessions=DAYS,
            history=lambda day: _NoHistory(),
            index=lambda name, day: None,
            instruments={},
            switches=DATASET,
            max_positions_total=20,
            dataset=True,
            policy=self.life.policy or PaperAuto(self.kind),
            random_bits=random.Random(self.processes).getrandbits,
            publish=self._heard,
            config_hash="lives",
        )

    def _heard(self, event: Event) -> None:
        if isinstance(event, Alarm):
            self.alarms.append(event.text)

    def sends(self, orders: Sequence[OrderSpec]) -> None:
        """Each order must be known to the journal before the venue hears of it; an entry to its file."""
        assert self.journal is not None
        with read_journal(self.path) as file:
            durable = {row["cid"] for row in file.rows("ord")}
        known = durable if not self.journal.kept else {row["cid"] for row in self.journal.rows("ord")}
        for order in orders:
            is_entry = role_of(order.client_order_id) is OrderRole.ENTRY
            if order.client_order_id not in (durable if is_entry else known):
                self.faults.append(f"{order.client_order_id} was sent without an intent")
        self.sent += [order.client_order_id for order in orders]

    def _check_cover(self, engine: Engine) -> None:
        """Half a minute after the market moved or the process began every share has a resting stop."""
        if self.clock.now_us() - self._moved_us < PROTECTED_US:
            return
        for bracket in engine.brackets.open():
            leaving = sum((leg.remaining for leg in bracket.of_role(OrderRole.EXIT) if leg.is_live), ZERO)
            # An exit at market that waits for volume sells what a stop would.
            if bracket.position != bracket.cover + leaving:
                self.faults.append(f"{bracket.ticket}: {bracket.position} held, {bracket.cover} covered")


class _NoHistory:
    def instruments(self) -> Sequence[InstrumentId]:
        return []

    def daily(self, instrument: InstrumentId, bars: int) -> None:
        return None


def role_of(order: ClientOrderId) -> OrderRole:
    """`td<ulid><role><nn>`."""
    return OrderRole(order[-3])


async def finish(stage: Stage) -> None:
    """Whatever the process died of, the next ones go on to the end; a person resumes what was halted."""
    for _ in range(4):
        if await stage.run():
            return
    raise AssertionError("it dies without a reason")


async def faults_of(stage: Stage) -> list[str]:
    """What is wrong once a life is over: doubled or naked orders, books that differ, a broken audit log."""
    engine, found = stage.engine, list(stage.faults)
    assert engine is not None
    if not verify_audit(stage.path).ok:
        found.append("the audit chain is broken")
    account = await stage.venue.account()
    ours = {b.instrument: b.position for b in engine.brackets if b.position}
    theirs = {held.instrument: held.quantity for held in account.positions}
    if ours != theirs:
        found.append(f"we hold {ours}, the venue says {theirs}")
    if account.cash != engine.books.cash:
        found.append(f"our cash is {engine.books.cash}, the venue's {account.cash}")
    orders = stage.venue._book.orders
    entries = [order for order in orders if role_of(order) is OrderRole.ENTRY]
    if len(entries) > 1 or len([order for order in stage.sent if role_of(order) is OrderRole.ENTRY]) > 1:
        found.append(f"{len(entries)} entries at the venue, sent {stage.sent}")
    found += [fault for bracket in engine.brackets for fault in _bracket_faults(bracket, orders)]
    with closing(sqlite3.connect(stage.path)) as file:
        if file.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            found.append("the file is damaged")
    return found


def _bracket_faults(bracket: Bracket, orders: Mapping[ClientOrderId, Any]) -> list[str]:
    found = []
    if bracket.entry.attempts != 1:
        found.append(f"{bracket.entry.id} was sent {bracket.entry.attempts} times")
    if bracket.position < ZERO or bracket.position != bracket.cover:
        found.append(f"{bracket.position} held, {bracket.cover} covered at the end")
    live = {
        i for i, order in orders.items() if ticket_of(i) == bracket.ticket and not order.state.is_terminal
    }
    if bracket.position == ZERO and live:
        found.append(f"flat, and {sorted(live)} still rest")
    return found
