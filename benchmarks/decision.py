"""P16: one decision of a running engine, from the opening batch to the journalled intent of its order.

Real strategy, agents, gates, sizing and journal (each commit waits for the disk); 250 days of returns of each
position held. What is durable is named apart: the disk of a shared machine decides it. The venue refuses each
entry after the clock stopped, so that every decision sees the same positions.

A decision waits for the disk twice: its ticket is durable before anybody may approve it, its intent before it
is sent. A policy approves at once here; a person does so minutes later, so each half has a figure of its own.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from far_venue import FarVenue
from restart import ticket_of

from engine.agents.panel import Panel
from engine.clock import TestClock
from engine.core import Engine
from engine.errors import OrderRejected
from engine.execution.approvals import Tickets
from engine.execution.gating import Gatekeeper, StrategyTerms
from engine.execution.policies import PolicyName, policy_of
from engine.execution.ticketbook import Entry, ticket_row
from engine.features.history import StoredHistory, known_before
from engine.model.ids import AccountId, InstrumentId
from engine.model.market import MarketBatch, Provenance, Quote, Session, SessionPhase, Trade
from engine.model.orders import BracketSpec
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState
from engine.parts import Parts
from engine.ports import BarColumns, JournalRow
from engine.risk.limits import FULL, RiskConfig
from engine.sources.sessions import ExchangeSessions
from engine.strategies import gaps as strategy
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig
from storage.journal import SqliteJournal, open_journal

POSITIONS = 8
DECISIONS = 20
"""Of each round, each at the opening of its own session."""
BARS = 300
ACCOUNT = AccountId("BENCH-1")
FIRST, LAST = date(2022, 1, 3), date(2025, 12, 31)
STAGES = ("features", "sizing", "agents", "gates", "commit")
"""In the order of the work; what is left is the ticket: hashes, rows, audit lines."""
PROPOSED, APPROVED, WHOLE = "opening to ticket", "approval to intent", "whole"
GOALS_MS = {PROPOSED: 20.0, APPROVED: 20.0, WHOLE: 20.0}


def run(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_desks:
        sessions = ExchangeSessions(Path(folder) / "calendar", datetime.now(UTC).date())
        desks = {
            times: open_desks.enter_context(_desk(Path(folder), times * POSITIONS, sessions))
            for times in (1, 4, 16)
        }
        floor = open_desks.enter_context(open_journal(Path(folder) / "floor.db", ACCOUNT, AccountKind.PAPER))
        taken: dict[int, dict[str, list[float]]] = {times: defaultdict(list) for times in desks}
        commits: list[float] = []
        loop = asyncio.new_event_loop()
        try:
            for desk in desks.values():
                loop.run_until_complete(desk.begin())
                loop.run_until_complete(desk.decide(3, defaultdict(list)))  # warms up
            for _ in range(rounds):
                for times, desk in desks.items():
                    loop.run_until_complete(desk.decide(DECISIONS, taken[times]))
                    commits += [_commit(floor, number) for number in range(DECISIONS)]
            for desk in desks.values():
                loop.run_until_complete(desk.engine.stop())
        finally:
            loop.close()
    for times, stages in taken.items():
        for stage, seconds in stages.items():
            _report(f"{stage} at {times}x", seconds, commits, GOALS_MS.get(stage))


def _report(figure: str, seconds: list[float], commits: list[float], goal_ms: float | None) -> None:
    """Floor: one durable commit of one row, in the same rounds."""
    floor, middle = statistics.median(commits), statistics.median(seconds)
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    line = {"bench": "decision", "id": "P16", "figure": figure, "unit": "ms", "floor": "one durable commit"}
    line |= {"floor_median": _ms(floor), "ratio": round(middle / floor, 3)}
    line |= {"min": _ms(min(seconds)), "median": _ms(middle), "p95": _ms(p95), "max": _ms(max(seconds))}
    line |= {"rounds": len(seconds)}
    if goal_ms is not None:
        line |= {"goal_ms": goal_ms, "reached": 1000 * p95 <= goal_ms}
    print(json.dumps(line), flush=True)


class _Venue(FarVenue):
    """Takes the positions that a decision begins with, and refuses what is decided."""

    is_full = False

    async def submit_bracket(self, spec: BracketSpec) -> None:
        if self.is_full:
            raise OrderRejected("full", "takes nothing more")
        await super().submit_bracket(spec)


class _Watch:
    """Adds up what each stage of one decision took."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.seconds[stage] += time.perf_counter() - began

        return measured


class Desk:
    """One engine with its positions; each decision is about a stock that it never saw before."""

    def __init__(self, journal: SqliteJournal, positions: int, sessions: ExchangeSessions) -> None:
        self._journal = journal
        self._sessions = list(sessions.between(FIRST, LAST))
        self._calendar = sessions
        self._watch = _Watch()
        self._next = 1
        self._held = [InstrumentId(f"A{number:04d}.US") for number in range(1, positions + 1)]
        self._clock = TestClock(self._sessions[0].open_us)
        self._venue = _Venue(ACCOUNT, AccountKind.PAPER)
        names = [*self._held, *(_candidate(number) for number in range(len(self._sessions)))]
        bars = {name: _bars(name, seed) for seed, name in enumerate(names)}
        self._history = StoredHistory(bars, FIRST)
        days = np.array([session.day for session in self._sessions], dtype="datetime64[D]")
        days = np.concatenate([bars[names[0]].day, days])
        self._index = {name: _columns(InstrumentId(f"{name}.US"), days) for name in ("VIX", "SPY")}

    async def begin(self) -> None:
        """Every position is bought at 100."""
        now = self._clock.now_us()
        tickets = [ticket_of(number, now, FIRST) for number in range(1, len(self._held) + 1)]
        rows = [ticket_row(Entry(t, ProposalState.APPROVED, "0" * 64), "paper") for t in tickets]
        stored = {"initial_cash": "10000000", "market_session": FIRST.isoformat(), "market_phase": "open"}
        rows += [JournalRow("meta", {"k": key, "v": value}) for key, value in stored.items()]
        self._journal.commit(rows, ())
        self.engine = self._make_engine()
        await self.engine.start()
        for ticket in tickets:
            self.engine.brackets.start(ticket, (), ())
        await self.engine.brackets.idle()
        for bracket in self.engine.brackets.open():
            self._venue.fill(bracket.entry.id, now)
        while any(bracket.position == 0 for bracket in self.engine.brackets.open()):  # noqa: ASYNC110 - the venue's stream has no end to wait for
            await asyncio.sleep(0)
        self._venue.is_full = True

    async def decide(self, count: int, taken: dict[str, list[float]]) -> None:
        """So many decisions, and what each of their stages took."""
        with self._stages():
            for _ in range(count):
                await self._decide(taken)

    async def _decide(self, taken: dict[str, list[float]]) -> None:
        session, engine = self._sessions[self._next % len(self._sessions)], self.engine
        batch = self._opening(session, _candidate(self._next))
        self._next += 1
        self._clock.advance_to(session.open_us)
        engine.take(batch)
        before = len(tuple(engine.brackets))
        self._watch.seconds.clear()
        began, busy = time.perf_counter(), time.process_time()
        engine.decide(batch)
        whole, busy = time.perf_counter() - began, time.process_time() - busy
        stages = {stage: self._watch.seconds[stage] for stage in STAGES}
        if len(tuple(engine.brackets)) != before + 1:
            raise RuntimeError(f"nothing was sent: {[(e.state, e.reason) for e in engine.tickets][-1:]}")
        await engine.brackets.idle()
        stages["ticket"] = whole - sum(stages.values())
        approval = self._watch.seconds[APPROVED]
        stages |= {PROPOSED: whole - approval, APPROVED: approval}
        stages |= {WHOLE: whole, "whole without the commits": whole - stages["commit"]}
        stages["whole, processor time"] = busy
        for stage, seconds in stages.items():
            taken[stage].append(seconds)

    def _opening(self, session: Session, candidate: InstrumentId) -> MarketBatch:
        now = session.open_us
        bars = self._history.at(session.day).daily(candidate, 1)
        prices = dict.fromkeys(self._held, 100.0)
        if bars is not None:
            prices[candidate] = round(0.94 * float(bars.close[-1]), 2)
        live = Provenance.LIVE
        quotes = tuple(Quote(name, price, price, now, now, live) for name, price in prices.items())
        trades = tuple(Trade(name, price, now, now, live, True) for name, price in prices.items())
        return MarketBatch(now, trades=trades, quotes=quotes, session=session.day, phase=SessionPhase.OPEN)

    @contextmanager
    def _stages(self) -> Iterator[None]:
        """Stopwatches around the steps of this desk's engine, taken off at the end."""
        places: list[tuple[Any, str, str]] = [
            (strategy, "instrument_features", "features"),
            (strategy, "read_regime", "features"),
            (Panel, "judge", "agents"),
            (Gaps, "_agent_context", "sizing"),
            (Gatekeeper, "run", "gates"),
            (SqliteJournal, "commit", "commit"),
            (Tickets, "approve", APPROVED),
        ]
        kept = [getattr(owner, name) for owner, name, _ in places]
        for (owner, name, stage), work in zip(places, kept, strict=True):
            setattr(owner, name, self._watch.timed(stage, work))
        try:
            yield
        finally:
            for (owner, name, _), work in zip(places, kept, strict=True):
                setattr(owner, name, work)

    def _make_engine(self) -> Engine:
        gaps, kind = GapsConfig(), AccountKind.PAPER
        terms = StrategyTerms("paper", "naive", gaps.max_concurrent, gaps.entries_per_session)
        return Engine(
            Parts(
                account=ACCOUNT,
                kind=kind,
                clock=self._clock,
                journal=self._journal,
                broker=self._venue,
                strategies=(Gaps(gaps, RiskConfig(), lambda: time.perf_counter_ns() // 1000),),
                terms={Gaps.name: terms},
                sessions=self._calendar,
                history=self._history.at,
                index=lambda name, session: known_before(self._index[name], session),
                instruments={},
                switches=FULL,
                max_positions_total=10_000,
                dataset=True,
                policy=policy_of(PolicyName.PAPER_AUTO, kind, {}),
                random_bits=random.Random(1).getrandbits,  # noqa: S311 - ids of a benchmark
                publish=lambda event: None,
                config_hash="benchmark",
            )
        )


@contextmanager
def _desk(folder: Path, positions: int, sessions: ExchangeSessions) -> Iterator[Desk]:
    with open_journal(folder / f"{positions}.db", ACCOUNT, AccountKind.PAPER) as journal:
        yield Desk(journal, positions, sessions)


def _candidate(number: int) -> InstrumentId:
    return InstrumentId(f"C{number:04d}.US")


def _bars(name: InstrumentId, seed: int) -> BarColumns:
    """A walk of 3 % a day that ends near 10, of 2 million shares a day, until the day before FIRST."""
    steps = 0.03 * np.random.default_rng(seed).standard_normal(BARS)
    close = 10 * np.exp(np.cumsum(steps) - steps.sum())
    days = np.busday_offset(np.datetime64(FIRST), np.arange(-BARS, 0), roll="forward")
    return BarColumns(name, days, close, close * 1.01, close * 0.99, close, np.full(BARS, 2e6), np.ones(BARS))


def _columns(name: InstrumentId, days: np.ndarray) -> BarColumns:
    close = 20 + np.sin(np.arange(len(days)) / 9)
    return BarColumns(name, days, close, close, close, close, np.zeros(len(days)), np.ones(len(days)))


def _commit(journal: SqliteJournal, number: int) -> float:
    """Seconds; another value than the last one, for SQLite writes no page that stays as it is."""
    began = time.perf_counter()
    journal.set_meta("bench", str(number))
    return time.perf_counter() - began


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
