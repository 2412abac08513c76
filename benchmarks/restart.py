"""P14, R11: how long a restart takes until the engine is ready, with 50 brackets working at the venue.

Real clock, real loop, a durable journal on the disk. The venue answers after 50 ms, as one over the internet
does. Two looks lie two seconds apart by design (RELIABILITY 7), so the floor has that pause too.
"""

import asyncio
import json
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from far_venue import ANSWER_S, FarVenue
from harness import Figure, interleaved, report

from engine.clock import LiveClock
from engine.core import Engine
from engine.execution.bracket import entry_spec
from engine.execution.policies import PolicyName, policy_of
from engine.execution.ticketbook import Entry, ticket_row
from engine.execution.watch import LOOK_AGAIN_US
from engine.loop import VirtualLoop
from engine.model.candidates import Regime
from engine.model.exits import single_target
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, TicketId, encode_ulid
from engine.model.market import Provenance, Quote, Session, SessionPhase
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState, Ticket
from engine.parts import Parts
from engine.ports import JournalRow
from engine.risk.limits import FULL
from storage.journal import open_journal

BRACKETS = 50
ACCOUNT = AccountId("BENCH-1")
SECONDS = 1_000_000
QUESTIONS = 4
"""Of one look: executions, open orders, account, and the venue's clock."""
READ = tuple(f"SELECT * FROM {table}" for table in ("bracket", "ord", "fill", "ticket"))  # noqa: S608 - names of ours
MOST_ROUNDS = 5
"""Each round takes half a minute."""


def run(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, _prepared(Path(folder)) as lives:
        floor = "a pause, the questions, the rows read"
        contenders: dict[str, Callable[[], float]] = {floor: lives[1].floor}
        names = {times: f"restart with {times * BRACKETS} brackets" for times in lives}
        contenders |= {names[times]: life.restart for times, life in lives.items()}
        taken = interleaved(contenders, max(2, min(rounds, MOST_ROUNDS)))
    for times, name in names.items():
        goal = 5000.0 if times == 1 else None
        report(Figure("restart", "P14", f"ready at {times}x", name, floor, goal_ms=goal), taken)
    p95 = statistics.quantiles(taken[names[1]], n=20, method="inclusive")[-1]
    line = {"bench": "restart", "id": "R11", "figure": "ready at 1x, p95", "unit": "ms"}
    print(
        json.dumps({**line, "p95": round(1000 * p95, 2), "goal_ms": 15000.0, "reached": p95 <= 15}),
        flush=True,
    )


class AlwaysOpen:
    """A session around now, whatever the day and the hour of the measurement."""

    def __init__(self) -> None:
        now, hour = round(time.time() * SECONDS), 3600 * SECONDS
        self._session = Session(datetime.now(UTC).date(), now - hour, now + 6 * hour)

    def between(self, first: date, last: date) -> Sequence[Session]:
        return [self._session] if first <= self._session.day <= last else []

    def on(self, day: date) -> Session | None:
        return self._session

    def next_after(self, ts: int) -> Session | None:
        return self._session


class Life:
    """One journal and the venue that it belongs to; both are as before after each restart."""

    def __init__(self, folder: Path, brackets: int, sessions: AlwaysOpen) -> None:
        self._folder = folder
        self._sessions = sessions
        self._venue = FarVenue(ACCOUNT, AccountKind.PAPER)
        folder.mkdir()
        asyncio.run(self._trade(brackets))

    def restart(self) -> float:
        """Seconds from opening the journal until new entries are allowed."""
        return asyncio.run(self._ready(time.perf_counter, LiveClock))

    def restart_in_virtual_time(self) -> float:
        """The same in seconds of a clock that counts only what was waited for."""
        now = round(time.time() * SECONDS)
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(self._ready(runner.get_loop().time, lambda: LiveClock(now)))

    def floor(self) -> float:
        """Seconds of what no restart can do without."""
        return asyncio.run(self._least())

    async def _trade(self, brackets: int) -> None:
        """Every entry fills, and its stop and target work."""
        with closing(open_journal(self._folder / "journal.db", ACCOUNT, AccountKind.PAPER)) as journal:
            clock = LiveClock()
            today = datetime.now(UTC).date()
            tickets = [ticket_of(number, clock.now_us(), today) for number in range(1, brackets + 1)]
            rows = [ticket_row(Entry(t, ProposalState.APPROVED, "0" * 64), "paper") for t in tickets]
            market = {
                "market_session": tickets[0].session.isoformat(),
                "market_phase": SessionPhase.OPEN.value,
            }
            rows += [JournalRow("meta", {"k": key, "v": value}) for key, value in market.items()]
            journal.commit(rows, ())
            engine = self._engine(journal, clock)
            await engine.start()
            for ticket in tickets:
                # One after the other: a send that stands behind hundreds of commits is called off.
                engine.brackets.start(ticket, (), ())
                await engine.brackets.idle()
            for bracket in engine.brackets.open():
                self._venue.fill(bracket.entry.id, clock.now_us())
            while any(b.cover < b.quantity for b in engine.brackets.open()):  # noqa: ASYNC110 - a short look
                await asyncio.sleep(0.05)
            await engine.stop()

    async def _ready(self, now_s: Callable[[], float], make_clock: Callable[[], LiveClock]) -> float:
        copy = self._folder / "copy.db"
        shutil.copy(self._folder / "journal.db", copy)
        began = now_s()
        with closing(open_journal(copy, ACCOUNT, AccountKind.PAPER)) as journal:
            engine = self._engine(journal, make_clock())
            await engine.start()
            await engine.watch.ready()
            taken = now_s() - began
            await engine.stop()
        return taken

    async def _least(self) -> float:
        began = time.perf_counter()
        with closing(sqlite3.connect(self._folder / "journal.db")) as database:
            for query in READ:
                database.execute(query).fetchall()
        for _ in range(2 * QUESTIONS):
            await asyncio.sleep(ANSWER_S)
        await asyncio.sleep(LOOK_AGAIN_US / SECONDS)
        return time.perf_counter() - began

    def _engine(self, journal: object, clock: LiveClock) -> Engine:
        return Engine(
            Parts(
                account=ACCOUNT,
                kind=AccountKind.PAPER,
                clock=clock,
                journal=journal,
                broker=self._venue,
                strategies=(),
                terms={},
                sessions=self._sessions,
                history=lambda session: _NoBars(),
                index=lambda name, session: None,
                instruments={},
                switches=FULL,
                max_positions_total=BRACKETS,
                dataset=False,
                policy=policy_of(PolicyName.HOLD, AccountKind.PAPER, {}),
                random_bits=random.getrandbits,
                publish=lambda event: None,
                config_hash="benchmark",
                live=True,
            )
        )


class _NoBars:
    def daily(self, instrument: InstrumentId, count: int) -> None:
        return None


@contextmanager
def _prepared(folder: Path) -> Iterator[dict[int, Life]]:
    sessions = AlwaysOpen()
    yield {times: Life(folder / str(times), times * BRACKETS, sessions) for times in (1, 4, 16)}


def ticket_of(number: int, now_us: int, session: date) -> Ticket:
    """Ten shares at 100, stop at 92, target at 106."""
    identifier = TicketId(encode_ulid(now_us // 1000, number))
    instrument = InstrumentId(f"A{number:04d}.US")
    limit, stop, target = Decimal(100), Decimal(92), Decimal(106)
    return Ticket(
        id=identifier,
        number=number,
        correlation=CorrelationId(encode_ulid(1, number)),
        strategy=StrategyName("bench"),
        account=ACCOUNT,
        instrument=instrument,
        session=session,
        created_us=now_us,
        expires_us=now_us + 600 * SECONDS,
        order=entry_spec(identifier, ACCOUNT, instrument, Decimal(10), limit, stop, target),
        exit_plan=single_target(stop, target, 5),
        entry_ttl_us=600 * SECONDS,
        decision_price=100.0,
        atr=4.0,
        quote=Quote(instrument, 100.0, 100.0, now_us, now_us, Provenance.REPLAY),
        regime=Regime.NORMAL,
        features=(),
        reports=(),
        gates=(),
        equity=Decimal(100_000),
        cash_after=Decimal(99_000),
        size_binding="strategy",
        policy_id="default",
        model_id=None,
        candidate_gap=-0.06,
        prev_close=106.0,
    )
