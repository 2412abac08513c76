"""One account: its venue, its journal, and one life of the real engine after another."""

import asyncio
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from brokers.simvenue.book import Identity
from brokers.simvenue.broker import SimBroker
from brokers.simvenue.card import VenueCard
from brokers.simvenue.faults import FaultMix, FaultPlan
from brokers.simvenue.link import Link
from brokers.simvenue.requests import AskAccount, Cancel, Question, Submit
from brokers.simvenue.venue import Venue
from engine.clock import US_PER_S, LiveClock
from engine.core import Engine
from engine.errors import DeckError, InvariantBroken
from engine.execution.gating import StrategyTerms
from engine.execution.policies import Hold
from engine.model.commands import ENGINE
from engine.model.events import EngineStateChanged, Event, TicketChanged
from engine.model.ids import (
    CLIENT_ORDER_PREFIX,
    ULID_LENGTH,
    AccountId,
    ClientOrderId,
    InstrumentId,
    VenueOrderId,
)
from engine.model.market import Session, SessionPhase
from engine.model.orders import OrderSide, OrderState, VenueOrder
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState
from engine.parts import EngineState, Parts
from engine.ports import AuditEntry, JournalRow
from engine.risk.limits import FULL
from simulator.disk import PATH, Crash, Disk, DiskMix, new_connection
from simulator.history import History, Sent, words_of
from simulator.market import ORIGIN_US, Market, instruments
from simulator.recovery import Recovery
from simulator.trader import SIM, Daily, Trader, TraderMix, no_index
from storage.degraded import LastingJournal
from storage.journal import claim_journal

CASH = Decimal(1_000_000)
RESTART_S = (0.5, 8.0)
"""How long a supervisor of processes takes to start it again."""
MEND_S = 5.0
TAKEN_OVER = "another process took over"
"""How the journal refuses the first of two processes."""
LIFE: ContextVar["Life | None"] = ContextVar("LIFE", default=None)


class HostClock(LiveClock):
    """The clock of a machine that may be suspended: its monotonic time stands still then."""

    def __init__(self, wall_us: Callable[[], int], latest_us: int) -> None:
        # Time never goes back, also not over a restart: what was written down lies before now.
        super().__init__(max(wall_us(), latest_us), wall_us)

    def lose(self, seconds: float) -> None:
        """It was suspended for so long."""
        self._origin_us -= round(seconds * US_PER_S)


class SeenJournal(LastingJournal):
    """Tells the history what it took."""

    history: History

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        super().commit(rows, audit, protective)
        self.history.committed(list(rows))


NEIGHBOR = VenueOrder(
    ClientOrderId(f"{CLIENT_ORDER_PREFIX}{'0' * ULID_LENGTH}S00"),
    VenueOrderId("neighbor"),
    InstrumentId("S00.US"),
    OrderSide.SELL,
    OrderState.WORKING,
    Decimal(5),
    Decimal(0),
    stop_price=Decimal(1),
    account=AccountId("SIM-9"),
)
"""Protects somebody else's shares."""


class SeenBroker(SimBroker):
    """Tells the station what it sends."""

    station: "Station"
    life: "Life"

    async def _write(self, question: Question) -> bytes:
        self.station.sends(self.life, question)
        return await super()._write(question)

    async def _read(self, question: Question) -> bytes:
        body = await super()._read(question)
        if isinstance(question, AskAccount):
            self.life.account_us = self.station.now_us()
        return body

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        listed = await super().open_orders()
        return (*listed, NEIGHBOR) if self.station.mix.neighbor else listed


@dataclass(eq=False)
class Life:
    """One start of the engine."""

    number: int
    engine: Engine
    link: Link
    journal: SeenJournal
    tasks: list["asyncio.Task[Any]"]
    clock: "HostClock"
    account_us: int | None = None
    is_ready: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class StationMix:
    """What one account's session is like."""

    account: str
    card: VenueCard
    faults: FaultMix
    disk: DiskMix
    trader: TraderMix
    neighbor: bool = False
    """The venue lists a working order of another account beside ours: same prefix, not ours to touch."""


def keep_tasks(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Any = None
) -> "asyncio.Task[Any]":
    """A task factory: what a life started is listed in order, so that it dies in order."""
    task = asyncio.Task(work, loop=loop, context=context)
    life = LIFE.get() if context is None else context.get(LIFE)
    if life is not None:
        if len(life.tasks) > 256:
            life.tasks[:] = [kept for kept in life.tasks if not kept.done()]
        life.tasks.append(task)
    return task


class Station:
    """Restarts what crashed. `listen` hears the events of every life."""

    def __init__(
        self, mix: StationMix, market: Market, random: Random, trace: Callable[[str], None] | None
    ) -> None:
        self.mix = mix
        self.market = market
        self.random = random
        self._loop = asyncio.get_running_loop()
        self._trace = trace
        self.clock_offset_us = 0
        self.plan = FaultPlan(mix.faults, Random(random.random()))
        identity = Identity(mix.account, AccountKind.PAPER.value)
        self.venue = Venue(identity, mix.card, CASH, self.plan, self.now_us)
        self.venue.move_market = lambda name: market.gap(InstrumentId(name), -self.random.uniform(0.02, 0.10))
        self.history = History(
            self.venue.book,
            self.now_us,
            None if trace is None else lambda text: trace(f"{mix.account} {text}"),
        )
        self.recovery = Recovery(self.now_us)
        self.connection = new_connection()
        self.disk = Disk(mix.disk, Random(random.random()), self.freeze)
        self.disk.on_crash = self._crashed
        self.connection.disk = self.disk
        self.lives = 0
        self.life: Life | None = None
        self.crashes = 0
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        """What must not be raised."""
        self.quote_seen: dict[InstrumentId, int] = {}
        """World time of the newest quote that this life was told."""
        self.mute_feed_until = 0
        self.skewed_since: int | None = None
        self.listen: Callable[[Event], None] = lambda event: None
        self.ready: Callable[[], None] = lambda: None
        self.decided: tuple[int, date] | None = None
        """The life and the session in which its strategy was asked last."""
        self._names = sorted(market.walks)
        self._ids = Random(random.random())
        self._trader = Trader(mix.trader, Random(random.random()))
        self._claim(first=True)

    @property
    def engine(self) -> Engine | None:
        """Of a life that is ready."""
        life = self.life
        return life.engine if life is not None and life.is_ready and not life.is_over else None

    def now_us(self) -> int:
        """The time of the world."""
        return ORIGIN_US + round(self._loop.time() * US_PER_S)

    def wall_us(self) -> int:
        """What the clock of the engine's machine shows."""
        return self.now_us() + self.clock_offset_us

    def say(self, text: str) -> None:
        self.history.say(text)

    def freeze(self, seconds: float) -> None:
        """Nothing runs for a while: the engine is not up."""
        self.history.counting(False)
        self.recovery.counting(False)
        self._loop.stall(seconds)  # type: ignore[attr-defined]
        self.counting()

    def _claim(self, first: bool = False) -> SeenJournal:
        epoch = claim_journal(
            self.connection, PATH, self.mix.account, AccountKind.PAPER, lambda: f"{self.mix.account}-instance"
        )
        journal = SeenJournal(self.connection, PATH, epoch)
        journal.history = self.history
        if first:
            cash = format(CASH, "f")
            rows = [JournalRow("meta", {"k": key, "v": cash}) for key in ("initial_cash", "peak_equity")]
            journal.commit([*rows, JournalRow("meta", {"k": "day_start_equity", "v": cash})], ())
        return journal

    def boot(self) -> None:
        """Start a life, and again and again until one starts."""
        self._loop.create_task(self._boot())

    async def _boot(self) -> None:
        self.lives += 1
        number = self.lives
        life: Life | None = None
        try:
            self.disk.revive()
            life = self._make(number)
            self.life = life
            self.say(f"life {number} starts")
            token = LIFE.set(life)
            try:
                await asyncio.shield(start := self._loop.create_task(life.engine.start()))
            finally:
                LIFE.reset(token)
                del start
        except (Crash, asyncio.CancelledError):
            return  # whoever ended it starts the next one
        except DeckError as error:
            self.say(f"life {number} did not start: {error}")
            self.recovery.failed()
            if life is not None and not life.is_over:
                self.kill(self.random.uniform(*RESTART_S))
            elif life is None:
                self._loop.call_later(self.random.uniform(*RESTART_S), self.boot)
            return
        except Exception as error:  # noqa: BLE001 - nothing but our own errors may end a start
            self.problems.append(f"start: {type(error).__name__}: {error} {where(error)}")
            if life is None:
                self._loop.call_later(self.random.uniform(*RESTART_S), self.boot)
            else:
                self.kill(self.random.uniform(*RESTART_S))
            return
        self._begin(life)

    def _make(self, number: int) -> Life:
        journal = self._claim()
        if not any(row["scope"] == "account" and row["why"] is not None for row in journal.rows("halt")):
            self.history.resumed()  # a halt that could never be written down is forgotten, and was told so
        link = Link(self.venue, self.plan)
        if self.life is not None:
            link.down_until_s = self.life.link.down_until_s
            link.banned_until_s = self.life.link.banned_until_s
            link.mute_until_s = self.life.link.mute_until_s
        self.venue.listeners = [link.push]
        account = AccountId(self.mix.account)
        card = self.mix.card
        broker = SeenBroker(
            account, card.capabilities, link, self.now_us, too_many_is_final=card.too_many_is_final
        )
        clock = HostClock(self.wall_us, journal.latest_us() or 0)
        tasks: list[asyncio.Task[Any]] = []
        engine = Engine(self._parts(account, clock, journal, broker))
        life = Life(number, engine, link, journal, tasks, clock)
        if number > 1:
            self.recovery.begins(engine.watch)
        broker.station, broker.life = self, life
        link.changed = self.counting
        self.life = life
        self.counting()
        return life

    def _parts(self, account: AccountId, clock: HostClock, journal: SeenJournal, broker: SimBroker) -> Parts:
        daily = Daily(self.market.first_prices)
        values: dict[str, Any] = {
            "account": account,
            "kind": AccountKind.PAPER,
            "clock": clock,
            "journal": journal,
            "broker": broker,
            "strategies": (self._trader,),
            "terms": {SIM: StrategyTerms("paper", "naive", 99, 999)},
            "sessions": self.market.calendar,
            "history": lambda session: daily,
            "index": no_index,
            "instruments": instruments(self._names),
            "switches": FULL,
            "max_positions_total": 99,
            "dataset": True,
            "policy": Hold(),
            "random_bits": self._ids.getrandbits,
            "publish": lambda event: self._publish(journal, event),
            "config_hash": "simulated",
            "live": True,
        }
        known = {field.name for field in fields(Parts)}
        return Parts(**{name: value for name, value in values.items() if name in known})

    def _begin(self, life: Life) -> None:
        if life.is_over:
            return
        life.is_ready = True
        self.say(f"life {life.number} is ready, {life.engine.state}")
        self._in_life(life, life.engine.run_timers)
        life.journal.watch(lambda why: self._loop.call_soon(self._disk_trouble, life, why))
        self._loop.call_later(MEND_S, self._mend, life)
        if self.market.session is not None:
            self.quote_seen.clear()
            self._told(self._names, self.now_us())
            batch = self._batch(SessionPhase.OPEN, self._names)
            self._in_life(life, lambda: life.engine.take(batch))
            self._decide()
        self.ready()

    def _disk_trouble(self, life: Life, why: str) -> None:
        self._in_life(life, lambda: life.engine.halt(ENGINE, why))

    def _mend(self, life: Life) -> None:
        """What the runtime does from time to time: the journal tries to write what it holds in memory."""
        if not life.is_over and self.life is life:
            self._in_life(life, life.journal.mend)
            self._loop.call_later(MEND_S, self._mend, life)

    def _in_life(self, life: Life, call: Callable[[], Any]) -> Any:
        """Run in the context of a life: what it starts belongs to it. None when it died of it."""
        if life.is_over:
            return None
        token = LIFE.set(life)
        try:
            return call()
        except Crash:
            return None
        except DeckError as error:
            self.say(f"raised {type(error).__name__}: {error}")
            if isinstance(error, InvariantBroken) and TAKEN_OVER not in error.message:
                self.problems.append(f"{error} {where(error)}")
            return None
        finally:
            LIFE.reset(token)

    def ask(self, call: Callable[[Engine], Any]) -> Any:
        """Something a person or a feed does with the engine; None while there is none."""
        engine, life = self.engine, self.life
        if engine is None or life is None:
            return None
        return self._in_life(life, lambda: call(engine))

    def _publish(self, journal: SeenJournal, event: Event) -> None:
        if self.disk.is_dead or self.life is None or self.life.journal is not journal:
            return  # a process that ended, or that another one took over from, shows nothing any more
        if self._trace is not None and not isinstance(event, TicketChanged):
            text = repr(event)
            if not text.startswith(("MarketMoved", "CandidatesJudged")):
                self.say(text[:300])
        if isinstance(event, EngineStateChanged) and event.state == EngineState.STOPPED:
            return
        if isinstance(event, EngineStateChanged) and event.state == EngineState.RUNNING:
            self._loop.call_soon(self._decide)
        if isinstance(event, TicketChanged | EngineStateChanged):
            self.listen(event)

    def kill(self, pause_s: float) -> None:
        """The process ends here and now; after a pause the next one starts."""
        life = self.life
        if life is None or life.is_over:
            return
        life.is_over = True
        self.disk.is_dead = True
        life.link.close()
        self.say(f"life {life.number} ends")
        self.counting()
        for task in tuple(life.tasks):
            task.cancel()
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._loop.call_later(pause_s, self.boot)

    def terminate(self) -> bool:
        """SIGTERM: the engine stops in order, and is started again."""
        life = self.life
        if life is None or not life.is_ready or life.is_over:
            return False
        self._loop.create_task(self._stop(life))
        return True

    async def _stop(self, life: Life) -> None:
        token = LIFE.set(life)
        try:
            async with asyncio.timeout(45):
                await asyncio.shield(self._loop.create_task(life.engine.stop()))
        except (Crash, asyncio.CancelledError, TimeoutError, DeckError) as error:
            self.say(f"the stop ended with {type(error).__name__}")
        finally:
            LIFE.reset(token)
        self.kill(self.random.uniform(*RESTART_S))

    def start_twice(self) -> bool:
        """A second process takes the journal over while the first still runs."""
        life = self.life
        if life is None or not life.is_ready or life.is_over:
            return False
        self.boot()
        return True

    def _crashed(self) -> None:
        self.crashes += 1
        life = self.life
        if life is not None:
            life.link.close()
        self._loop.call_soon(self._after_crash)

    def _after_crash(self) -> None:
        if self.life is None or self.life.is_over:
            # It died before there was an engine.
            self._loop.call_later(self.random.uniform(*RESTART_S), self.boot)
            return
        self.kill(self.random.uniform(*RESTART_S))

    def counting(self) -> None:
        """Time without a stop counts while the engine is up, the venue reachable and the market open."""
        life = self.life
        is_up = life is not None and not life.is_over
        self.recovery.counting(is_up and life.link.is_reachable)
        self.history.counting(
            is_up and life.link.is_reachable and self.market.is_open and not self.venue.book.halted
        )

    def priced(self, name: InstrumentId, price: Decimal) -> None:
        """The market moved."""
        self.history.priced(name, price)
        self.venue.book.price(name, price)

    def opened(self, session: Session) -> None:
        """The exchange opens."""
        self.venue.book.open_session()
        self.counting()
        self._told(self._names, self.now_us())
        self.decided = None
        self._handle(self._batch(SessionPhase.OPEN, self._names))
        self._decide()

    def closed(self, session: Session) -> None:
        """The exchange closes."""
        self.venue.book.end_session()
        self._handle(self._batch(SessionPhase.CLOSE, self._names))
        self._loop.call_soon(self.counting)

    def ticked(self, names: Sequence[InstrumentId]) -> None:
        """Quotes and trades."""
        if self.engine is None or self.now_us() < self.mute_feed_until:
            return
        self._told(names, self.now_us())
        batch = self._batch(None, names)
        self.ask(lambda engine: engine.take(batch))

    def _handle(self, batch: Any) -> None:
        def handle(engine: Engine) -> None:
            engine.take(batch)
            engine.finish(batch)

        self.ask(handle)

    def _decide(self) -> None:
        """Once in each session and life, as soon as new trades may begin."""
        engine, life = self.engine, self.life
        if engine is None or life is None or self.market.session is None or not self.plan.active:
            return
        if engine.state is not EngineState.RUNNING or self.decided == (life.number, self.market.session.day):
            return
        self.decided = (life.number, self.market.session.day)
        self._told(self._names, self.now_us())
        batch = self._batch(SessionPhase.OPEN, self._names)
        self._in_life(life, lambda: (engine.take(batch), engine.decide(batch)))

    def _told(self, names: Sequence[InstrumentId], ts: int) -> None:
        for name in names:
            self.quote_seen[name] = ts

    def _batch(self, phase: SessionPhase | None, names: Sequence[InstrumentId]) -> Any:
        stamp = self.venue.book.stamp_us()
        known = self.life.clock.now_us() if self.life is not None else stamp
        return self.market.batch(stamp, known, phase, names)

    def skew_us(self) -> int:
        """The engine's clock less the venue's."""
        return 0 if self.life is None else self.life.clock.now_us() - self.venue.book.stamp_us()

    def sends(self, life: Life, question: Question) -> None:
        """A request is about to leave."""
        if life.is_over or self.disk.is_dead:
            raise Crash
        now, skew = self.now_us(), self.skew_us()
        age = None
        if isinstance(question, Submit) and question.orders[0].side == OrderSide.BUY:
            seen = self.quote_seen.get(InstrumentId(question.orders[0].instrument))
            age = None if seen is None else now - seen
        if abs(skew) <= US_PER_S:
            self.skewed_since = None
        elif self.skewed_since is None:
            self.skewed_since = now
        history = self.history
        history.number += 1
        is_halted = bool(history.halts) and history.halts[-1][1] is None
        skewed_for = 0 if self.skewed_since is None else now - self.skewed_since
        history.sends.append(
            Sent(
                history.number,
                now,
                question,
                life.number,
                age,
                skew,
                skewed_for,
                life.account_us,
                is_halted,
                life.journal.kept,
            )
        )
        if history.trace is not None:
            history.trace(f"send {words_of(question)}")

    def check_switch(self, ts: int) -> None:
        """A second after the kill switch: its cancels are out, or there was nothing to cancel any more."""
        life, history = self.life, self.history
        switched = next(one for one in history.switched if one.ts == ts)
        if life is None or life.is_over or life.number != switched.life:
            return
        sent = {one.question.client_order_id for one in history.sends if isinstance(one.question, Cancel)}
        for entry in switched.entries:
            order = self.venue.book.by_id.get(entry)
            if entry not in sent and order is not None and order.is_live:
                history.uncanceled.append(f"{entry} works on a second after the kill switch")

    def heal(self) -> None:
        """Nothing goes wrong from now on."""
        self.plan.active = False
        self.disk.active = False
        self.mute_feed_until = 0
        if self.life is not None:
            self.life.link.heal()
        for name in tuple(self.venue.book.halted):
            self.venue.book.resume(name)
        self.counting()

    def waiting(self) -> list[Any]:
        """Tickets that wait for a person."""
        engine = self.engine
        return [] if engine is None else list(engine.tickets.waiting())

    def held(self) -> int:
        """Positions at the venue."""
        return sum(quantity != 0 for quantity in self.venue.book.positions.values())

    def is_quiet(self) -> bool:
        """Everything that began is over."""
        engine = self.engine
        return engine is not None and not engine.tickets.waiting() and not engine.brackets.open()


def is_pending(event: Event) -> bool:
    """A ticket waits for a person."""
    return isinstance(event, TicketChanged) and event.state is ProposalState.PENDING


def where(error: BaseException) -> str:
    """The innermost lines that an exception came through."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
