"""Carries out an emergency shutdown (SPEC 4.10, `engine.execution.shutdown`), step after step.

Each step is bounded in time: what it cannot bring about is a note of the alert that ends the sequence, and
the plan of each bracket goes on trying. A line that cannot be journalled delays no step.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar

from engine.clock import US_PER_S, Clock
from engine.errors import BrokerError, BrokerUnavailable, StorageError
from engine.execution.books import Books
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.evidence import Found, NotFound
from engine.execution.halts import Halts
from engine.execution.orders import Brackets
from engine.execution.shutdown import META_KEY, Shutdown, ShutdownStep, from_json, to_json
from engine.execution.snapshot import snapshot
from engine.model.commands import Actor
from engine.model.events import Alarm, Event
from engine.model.ids import ClientOrderId, CorrelationId, InstrumentId, symbol_of
from engine.model.orders import OrderRole, OrderState, VenueOrder
from engine.model.positions import AccountSnapshot, ExitReason
from engine.money import ZERO
from engine.ports import AuditEntry, Broker, Journal, JournalRow, Snapshots

KIND = "emergency_shutdown"
"""Of the alert that ends a sequence."""
CANCEL_WAIT_US = 10 * US_PER_S
"""How long the cancelled entries get to end before the stops are looked at."""
VERIFY_WAIT_US = 30 * US_PER_S
"""How long missing stops get to rest: three questions, and a new order where one was lost."""
VERIFY_EVERY_US = US_PER_S
ANSWER_US = 10 * US_PER_S
"""How long the venue may take to answer; its link may be up and mute."""
LOOK_US = 250_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EmergencyDesk:
    """What the sequence works with. `snapshots` None: none are written."""

    journal: Journal
    broker: Broker
    clock: Clock
    brackets: Brackets
    books: Books
    halts: Halts
    last: Callable[[InstrumentId], float | None]
    snapshots: Snapshots | None
    publish: Callable[[Event], None]


class Emergency:
    """The one shutdown of an account: `begin` and `end` are called by the engine, `run` is a task of it."""

    def __init__(self, desk: EmergencyDesk) -> None:
        self._desk = desk
        self.shutdown: Shutdown | None = None
        self.is_running = False
        self._steps: Mapping[ShutdownStep, Callable[[Shutdown], Awaitable[tuple[str, ...]]]] = {
            ShutdownStep.HALT: self._halt,
            ShutdownStep.CANCEL: self._cancel,
            ShutdownStep.VERIFY: self._verify,
            ShutdownStep.FLATTEN: self._flatten,
            ShutdownStep.SNAPSHOT: self._snapshot,
            ShutdownStep.ALERT: self._alert,
        }

    def restore(self) -> None:
        """Take over where the last process stood. Raises StorageError for what makes no sense."""
        self.shutdown = from_json(self._desk.journal.meta(META_KEY))

    @property
    def is_due(self) -> bool:
        """Steps are left to do."""
        return self.shutdown is not None and self.shutdown.next_step is not None

    def begin(self, actor: Actor, reason: str, flatten: bool) -> None:
        """Halt now, and keep what is to follow in the same transaction; `run` does the rest.

        A sequence that is on goes on, extended by `flatten`; one that is done is not done again for less.
        """
        known = self.shutdown
        if known is None:
            self.shutdown = Shutdown(self._desk.clock.now_us(), str(actor), reason, flatten)
        elif flatten and not known.flatten:
            self.shutdown = known.flattening()
        if self.shutdown == known:
            self._desk.halts.halt(actor, reason)
            return
        body = {"reason": reason, "flatten": flatten}
        line = AuditEntry(self._desk.clock.now_us(), str(actor), "shutdown", "", body)
        self._desk.halts.halt(actor, reason, rows=(_row(self.shutdown),), audit=(line,))

    def forgotten(self) -> tuple[JournalRow, ...]:
        """What the journal must hold once the account is resumed."""
        return () if self.shutdown is None else (_row(None),)

    def forget(self) -> None:
        """The account is resumed: what is left of the sequence is not done."""
        self.shutdown = None

    async def run(self) -> None:
        """Every step that is left. Where the account is resumed meanwhile, the rest is not done."""
        self.is_running = True
        try:
            while (shutdown := self.shutdown) is not None and (step := shutdown.next_step) is not None:
                notes = await self._steps[step](shutdown)
                if self.shutdown is None or self.shutdown.began_us != shutdown.began_us:
                    continue
                self.shutdown = self.shutdown.after(step, notes)
                self._keep(step, notes)
        finally:
            self.is_running = False

    def _keep(self, step: ShutdownStep, notes: tuple[str, ...]) -> None:
        body = {"step": step.value, "notes": list(notes)}
        line = AuditEntry(self._desk.clock.now_us(), "engine", "shutdown_step", "", body)
        try:
            self._desk.journal.commit((_row(self.shutdown),), (line,), True)
        except StorageError as error:
            # The next step's line says all that is done; a crash before it repeats this step, harmlessly.
            self._tell(f"emergency shutdown: {step.value} is done and not written down: {error}", page=False)

    async def _halt(self, shutdown: Shutdown) -> tuple[str, ...]:
        """Halted already, and tried again until it is durable; the disk does not hold up what follows."""
        if self._desk.halts.account is None:
            self._desk.halts.halt(Actor(shutdown.by, ""), shutdown.reason)
        return () if self._desk.halts.is_written else ("the halt is not written down yet",)

    async def _cancel(self, shutdown: Shutdown) -> tuple[str, ...]:
        self._attempt(self._desk.brackets.review_all)
        await self._until(lambda: not self._entries(), CANCEL_WAIT_US)
        return tuple(
            f"{symbol_of(bracket.instrument)}: the entry is {bracket.entry.state.value}, its cancel goes on"
            for bracket in self._entries()
        )

    def _entries(self) -> list[Bracket]:
        return [bracket for bracket in self._desk.brackets.open() if bracket.entry.is_live]

    async def _verify(self, shutdown: Shutdown) -> tuple[str, ...]:
        clock = self._desk.clock
        deadline_us = clock.now_us() + VERIFY_WAIT_US
        while True:
            try:
                missing, foreign = await self._answered(self._uncovered())
            except BrokerError as error:
                missing, foreign = (f"the venue could not be asked for its stops: {error.message}",), ()
            if not missing or clock.now_us() >= deadline_us:
                return (*missing, *foreign)
            await clock.sleep_until(min(clock.now_us() + VERIFY_EVERY_US, deadline_us))

    async def _uncovered(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Positions without enough resting stops at the venue, and those that are not ours, in words."""
        desk = self._desk
        resting = {order.client_order_id: order for order in await desk.broker.open_orders()}
        venue = await desk.broker.account()
        missing = []
        for bracket in desk.brackets.open():
            await self._ask_for_lost(bracket, resting)
            self._attempt(partial(desk.brackets.review, bracket.ticket))
            current = desk.brackets.get(bracket.ticket) or bracket
            stops = [leg for leg in current.of_role(OrderRole.STOP) if current.is_awake(leg)]
            covered = sum((_remaining(resting[leg.id]) for leg in stops if leg.id in resting), ZERO)
            if current.phase is not BracketPhase.EXITING and covered < current.held:
                symbol = symbol_of(current.instrument)
                missing.append(f"{symbol}: {current.held} held, {covered} under a stop at the venue")
        return tuple(missing), self._foreign(venue)

    async def _ask_for_lost(self, bracket: Bracket, resting: Mapping[ClientOrderId, VenueOrder]) -> None:
        """Stops that we count and the venue does not list: their fate is asked, the plan does the rest."""
        for leg in bracket.of_role(OrderRole.STOP):
            if leg.state is OrderState.WORKING and bracket.is_awake(leg) and leg.id not in resting:
                report = await self._desk.broker.order(leg.id)
                fact = NotFound(leg.id) if report is None else Found(report)
                self._attempt(partial(self._desk.brackets.tell, bracket.ticket, fact))

    def _foreign(self, venue: AccountSnapshot) -> tuple[str, ...]:
        ours = {bracket.instrument for bracket in self._desk.brackets.open()}
        return tuple(
            f"{symbol_of(position.instrument)}: the venue holds {position.quantity}, no bracket of ours does"
            for position in venue.positions
            if position.instrument not in ours
        )

    async def _flatten(self, shutdown: Shutdown) -> tuple[str, ...]:
        notes = []
        for bracket in self._desk.brackets.open():
            try:
                self._desk.brackets.want_exit(bracket.ticket, ExitReason.EMERGENCY)
            except StorageError as error:
                notes.append(f"{symbol_of(bracket.instrument)} is not sold: {error.message}")
        return tuple(notes)

    async def _snapshot(self, shutdown: Shutdown) -> tuple[str, ...]:
        desk = self._desk
        if desk.snapshots is None:
            return ()
        try:
            venue: AccountSnapshot | str = await self._answered(desk.broker.account())
        except BrokerError as error:
            venue = error.message
        document = snapshot(
            shutdown, desk.clock.now_us(), desk.halts, desk.books, desk.brackets.open(), desk.last, venue
        )
        try:
            place = desk.snapshots.write(f"halt-{shutdown.began_us}.json", document)
        except StorageError as error:
            return (f"no snapshot: {error.message}",)
        return (f"snapshot {place}",)

    async def _alert(self, shutdown: Shutdown) -> tuple[str, ...]:
        held = [bracket for bracket in self._desk.brackets.open() if bracket.held > ZERO]
        kept = sum(bracket.cover >= bracket.held for bracket in held)
        selling = sum(bracket.phase is BracketPhase.EXITING for bracket in held)
        words = [f"{kept} of {len(held)} positions have their stop" if held else "no position is open"]
        if selling:
            words.append(f"{selling} being sold")
        text = f"Emergency shutdown by {shutdown.by} ({shutdown.reason}): no new orders, {', '.join(words)}"
        self._tell("; ".join((text, *shutdown.texts)), page=True)
        return ()

    async def _answered(self, work: Coroutine[object, object, T]) -> T:
        """Raises BrokerUnavailable when no answer comes."""
        task = asyncio.ensure_future(work)
        await _first(task, self._desk.clock.sleep_until(self._desk.clock.now_us() + ANSWER_US))
        if not task.done():
            raise BrokerUnavailable(f"no answer in {ANSWER_US // US_PER_S} s")
        return task.result()

    async def _until(self, is_so: Callable[[], bool], bound_us: int) -> None:
        """Wait for answers, then for time to pass: in a paused replay only the first of them goes on."""
        clock = self._desk.clock
        deadline_us = clock.now_us() + bound_us
        while not is_so() and (now_us := clock.now_us()) < deadline_us:
            if self._desk.brackets.in_flight:
                await _first(self._desk.brackets.idle(), clock.sleep_until(deadline_us))
            else:
                await clock.sleep_until(min(now_us + LOOK_US, deadline_us))

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StorageError as error:
            # The bracket writer has halted and said so; its timers try again.
            self._tell(f"emergency shutdown: {error.message}", page=False)

    def _tell(self, text: str, page: bool) -> None:
        self._desk.publish(Alarm(text, page, CorrelationId(""), self._desk.clock.now_us(), KIND))


async def _first(*works: Awaitable[object]) -> None:
    """Until one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _row(shutdown: Shutdown | None) -> JournalRow:
    return JournalRow("meta", {"k": META_KEY, "v": to_json(shutdown)})


def _remaining(order: VenueOrder) -> Decimal:
    return order.quantity - order.cum_filled
