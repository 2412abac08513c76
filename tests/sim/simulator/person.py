"""The people at the console: approve late, twice, together or never, halt, resume and leave by hand."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from engine.core import Engine
from engine.execution.bracket import BracketPhase
from engine.model.commands import (
    Actor,
    ApproveTicket,
    AskVenue,
    CancelEntry,
    ClosePosition,
    Halt,
    RejectTicket,
    Resume,
    ShrinkTicket,
    SnoozeTicket,
)
from engine.model.events import EngineStateChanged, Event, TicketChanged
from engine.model.ids import TicketId
from engine.model.orders import OrderState
from engine.model.positions import ExitReason
from engine.model.tickets import ProposalState
from engine.parts import EngineState
from simulator.history import Switched
from simulator.station import Station

SWITCH_S = 1.0
"""Within this the kill switch has sent its cancels (R12)."""

ANN, BOB = Actor("ann", "pts/1"), Actor("bob", "pts/2")


@dataclass(frozen=True, slots=True)
class Habits:
    """How these people work; ratios are shares of tickets."""

    delay_s: tuple[float, float] = (0.2, 6.0)
    rejects: float = 0.05
    forgets: float = 0.05
    presses_twice: float = 0.2
    both_at_once: float = 0.1
    stale_price: float = 0.1
    forged: float = 0.02
    halts_a_minute: float = 0.2
    exits_a_minute: float = 0.5
    cancels_a_minute: float = 0.0
    """Entries that a person drops, whatever is known of them."""
    shrinks: float = 0.0
    """Of the tickets: somebody makes them smaller while another decides on them."""
    snoozes: float = 0.0
    asks_a_minute: float = 0.0
    """Questions about orders of unknown fate."""
    resumes_after_s: tuple[float, float] = (2.0, 15.0)
    tries: int = 20
    """So often an approval that is refused is tried again."""
    halts_at_once: float = 0.0
    """Of the approvals that are answered with ok: how often somebody throws the switch in that instant."""


class People:
    """At one station."""

    def __init__(self, station: Station, habits: Habits, random: Random) -> None:
        self._station = station
        self._habits = habits
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._known: set[TicketId] = set()
        self._nonces = 0
        self._is_resuming = False
        self.counts: Counter[str] = Counter()
        self.is_active = True
        station.listen = self.hear
        station.ready = self.look

    def start(self) -> None:
        """Spontaneous commands."""
        for rate, act in (
            (self._habits.halts_a_minute, self._halt),
            (self._habits.exits_a_minute, self._leave),
            (self._habits.cancels_a_minute, self._cancel),
            (self._habits.asks_a_minute, self._ask),
        ):
            if rate:
                self._later(self._random.expovariate(rate / 60), act, rate)

    def hear(self, event: Event) -> None:
        """What the console shows."""
        if isinstance(event, TicketChanged):
            if event.state is ProposalState.PENDING:
                self._decide(event.ticket.id)
        elif isinstance(event, EngineStateChanged) and event.state == EngineState.HALTED:
            self._station.history.halted()
            self._plan_resume()

    def look(self) -> None:
        """After a restart: what waits, and whether it is halted."""
        for entry in self._station.waiting():
            self._decide(entry.ticket.id)
        engine = self._station.engine
        if engine is not None and engine.state is EngineState.HALTED:
            self._plan_resume()

    def leave_all(self) -> None:
        """Every position is ended by hand, and every ticket refused."""

        def leave(engine: Engine) -> None:
            for entry in engine.tickets.waiting():
                engine.give(RejectTicket(entry.ticket.id, "the day is over", ANN))
            for bracket in engine.brackets.open():
                if bracket.phase in (BracketPhase.ENTERING, BracketPhase.PROTECTED):
                    engine.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)

        self._station.ask(leave)

    def _later(self, seconds: float, call: object, *arguments: object) -> None:
        self._loop.call_later(seconds, call, *arguments)  # type: ignore[arg-type]

    def _decide(self, ticket: TicketId) -> None:
        if ticket in self._known or not self.is_active:
            return
        self._known.add(ticket)
        random, habits = self._random, self._habits
        drawn = random.random()
        delay = random.uniform(*habits.delay_s)
        if habits.shrinks and random.random() < habits.shrinks:
            self._later(random.uniform(0, delay), self._shrink, ticket)
        if habits.snoozes and random.random() < habits.snoozes:
            self._later(random.uniform(0, delay), self._snooze, ticket)
        if drawn < habits.forgets:
            return
        if drawn < habits.forgets + habits.rejects:
            self._later(delay, self._reject, ticket)
            return
        self._later(delay, self._approve, ticket, ANN, self._nonce(), 0)

    def _nonce(self) -> str:
        self._nonces += 1
        return f"nonce-{self._nonces}"

    def _reject(self, ticket: TicketId) -> None:
        self._station.ask(lambda engine: engine.give(RejectTicket(ticket, "not now", ANN)))

    def _shrink(self, ticket: TicketId) -> None:
        """To some number of shares, also one that is refused; pressed twice now and then."""

        def shrink(engine: Engine) -> None:
            entry = engine.tickets.get(ticket)
            if entry is None:
                return
            size = int(entry.ticket.order.stop.quantity)
            wanted = Decimal(self._random.randint(0, size + 1))
            command = ShrinkTicket(ticket, entry.sha256, wanted, BOB)
            for _ in range(self._random.choice((1, 1, 2))):
                answer = engine.give(command)
                self.counts["shrink" if answer.ok else "shrink_refused"] += 1
                self._station.say(f"shrink {ticket} to {wanted}: {answer.code} {answer.text}")

        self._station.ask(shrink)

    def _snooze(self, ticket: TicketId) -> None:
        def snooze(engine: Engine) -> None:
            answer = engine.give(SnoozeTicket(ticket, BOB))
            self.counts["snooze" if answer.ok else "snooze_refused"] += 1

        self._station.ask(snooze)

    def _approve(self, ticket: TicketId, actor: Actor, nonce: str, tries: int) -> None:
        engine = self._station.engine
        if not self.is_active:
            return
        if engine is None:
            self._later(2.0, self._approve, ticket, actor, nonce, tries)
            return
        entry = engine.tickets.get(ticket)
        if entry is None or entry.state is not ProposalState.PENDING:
            return
        habits, random = self._habits, self._random
        quote = engine.picture.quote(entry.ticket.instrument)
        shown = None if quote is None else quote.ask
        if shown is not None and random.random() < habits.stale_price:
            self.counts["stale_price"] += 1
            shown *= random.choice((0.97, 1.03))
        sha256 = entry.sha256
        if random.random() < habits.forged:
            self.counts["forged_hash"] += 1
            sha256 = "0" * 64
        clock_us = engine.parts.clock.now_us()
        command = ApproveTicket(ticket, sha256, nonce, shown, actor, clock_us)
        again = random.random() < habits.presses_twice
        both = random.random() < habits.both_at_once
        answer = self._give(command)
        if again:
            self.counts["double_key"] += 1
            self._give(command)
        if both:
            self.counts["two_operators"] += 1
            self._give(ApproveTicket(ticket, entry.sha256, self._nonce(), shown, BOB, clock_us))
        if answer is not None and not answer and tries < self._habits.tries:
            self._later(random.uniform(0.5, 6.0), self._approve, ticket, actor, self._nonce(), tries + 1)

    def _give(self, command: ApproveTicket) -> bool | None:
        self._station.history.commanded[command.ticket].add(command.sha256)
        answer = self._station.ask(lambda engine: engine.give(command))
        if answer is None:
            return None
        self._station.say(f"approve {command.ticket} by {command.actor}: {answer.code} {answer.text}")
        if answer.ok:
            self._station.history.approved.setdefault(command.ticket, command.sha256)
            if self._habits.halts_at_once and self._random.random() < self._habits.halts_at_once:
                self.counts["halt_at_once"] += 1
                self._station.ask(self._throw_switch)
        return bool(answer.ok)

    def _halt(self, rate: float) -> None:
        if not self.is_active:
            return
        self.counts["halt_by_hand"] += 1
        self._station.ask(self._throw_switch)
        self._later(self._random.expovariate(rate / 60), self._halt, rate)

    def _throw_switch(self, engine: Engine) -> None:
        """The kill switch: what works then must be on its way to its end within a second."""
        working = tuple(
            str(bracket.entry.id)
            for bracket in engine.brackets.open()
            if bracket.entry.state is OrderState.WORKING and bracket.entry.cancel_us is None
        )
        life = self._station.life
        if engine.give(Halt(ANN, "a look around")).ok and life is not None:
            now = self._station.now_us()
            self._station.history.switched.append(Switched(now, life.number, working))
            self._loop.call_later(SWITCH_S, self._station.check_switch, now)

    def _plan_resume(self) -> None:
        if not self._is_resuming:
            self._is_resuming = True
            self._later(self._random.uniform(*self._habits.resumes_after_s), self._resume)

    def _resume(self) -> None:
        engine = self._station.engine
        self._is_resuming = False
        if engine is None or engine.state is not EngineState.HALTED:
            return
        answer = self._station.ask(lambda engine: engine.give(Resume(ANN)))
        if answer is not None and answer.ok:
            self._station.history.resumed()
        else:
            self._plan_resume()

    def _leave(self, rate: float) -> None:
        if not self.is_active:
            return

        def leave(engine: Engine) -> None:
            held = [b for b in engine.brackets.open() if b.phase is BracketPhase.PROTECTED]
            if held:
                self.counts["exit_by_hand"] += 1
                engine.give(ClosePosition(self._random.choice(held).ticket, ANN))

        self._station.ask(leave)
        self._later(self._random.expovariate(rate / 60), self._leave, rate)

    def _cancel(self, rate: float) -> None:
        if not self.is_active:
            return

        def cancel(engine: Engine) -> None:
            entering = [bracket for bracket in engine.brackets.open() if bracket.entry.is_live]
            if entering:
                self.counts["cancel_by_hand"] += 1
                engine.give(CancelEntry(self._random.choice(entering).ticket, ANN))

        self._station.ask(cancel)
        self._later(self._random.expovariate(rate / 60), self._cancel, rate)

    def _ask(self, rate: float) -> None:
        if not self.is_active:
            return

        def ask(engine: Engine) -> None:
            for bracket in engine.brackets.open():
                if bracket.has_unknown:
                    self.counts["ask_by_hand"] += 1
                    engine.give(AskVenue(bracket.ticket, BOB))
                    engine.give(ClosePosition(bracket.ticket, BOB))

        self._station.ask(ask)
        self._later(self._random.expovariate(rate / 60), self._ask, rate)
