"""The whole engine on a few hand-made days: what a person relies on, from candidate to audit."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from brokers.paper.broker import PaperBroker
from engine.errors import BrokerUnavailable, ConfigError, StorageError
from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.model.commands import Actor, ApproveTicket, Halt, RejectTicket, Resume
from engine.model.events import Alarm, CandidatesJudged, EngineStateChanged, TicketChanged
from engine.model.ids import InstrumentId, StrategyName, instrument_id
from engine.model.tickets import ProposalState
from engine.parts import EngineState
from engine.ports import BarColumns
from engine.risk.limits import DATASET, FULL, NONE, LimitSwitches
from engine.sources.sessions import ExchangeSessions
from engine.strategies.gaps import Gaps
from storage.journal import SqliteJournal
from storage.memory import open_memory
from storage.paper_book import SqlitePaperBook
from tui.wiring.runtime import Runtime

NINA = Actor("nina", "pts/7")
FLAT_DAYS = 25
FIRST = date(2016, 2, 8)


@dataclass(frozen=True)
class Market:
    """Bars by instrument and the two indices."""

    bars: dict[InstrumentId, BarColumns]
    vix: BarColumns
    spy: BarColumns


Row = tuple[float, float, float, float]
"""Open, high, low, close."""


@pytest.fixture
def market(sessions: ExchangeSessions) -> Callable[..., Market]:
    """25 flat sessions at 10.00 before FIRST, then the rows given; `ratios` of the rows, 1.0 where short."""

    def columns(name: str, days: list[date], rows: list[Row], ratios: list[float]) -> BarColumns:
        table = np.array(rows, dtype=np.float64).T.copy()
        full = np.ones(len(rows))
        full[len(rows) - len(ratios) :] = ratios
        volume = np.full(len(rows), 1e6)
        return BarColumns(instrument_id(name), np.array(days, dtype="datetime64[D]"), *table, volume, full)

    def make(rows: dict[str, list[Row]], ratios: dict[str, list[float]] | None = None) -> Market:
        before = [session.day for session in sessions.between(date(2014, 10, 1), FIRST)][:-1]
        after = [session.day for session in sessions.between(FIRST, date(2016, 6, 30))]
        flat: list[Row] = [(10.0, 10.0, 10.0, 10.0)] * FLAT_DAYS
        bars = {}
        for name, tail in rows.items():
            days = [*before[-FLAT_DAYS:], *after[: len(tail)]]
            tail_ratios = (ratios or {}).get(name, [1.0] * len(tail))
            found = columns(name, days, [*flat, *tail], tail_ratios)
            bars[found.instrument] = found
        index_days = [*before, *after]
        level: list[Row] = [(15.0, 15.0, 15.0, 15.0)] * len(index_days)
        return Market(bars, columns("VIX", index_days, level, []), columns("SPY", index_days, level, []))

    return make


CALM: Row = (9.5, 9.6, 9.4, 9.5)
"""Opens 5 % lower than 10.00, touches neither 8.74 nor 10.07."""


@pytest.fixture
def begin(options: Callable[..., Any], runtime: Callable[[Any, Any], Runtime]) -> Callable[..., Runtime]:
    def make(
        market: Market,
        policy: PolicyName = PolicyName.HOLD,
        switches: LimitSwitches = FULL,
        **more: Any,
    ) -> Runtime:
        run = options(FIRST, None, switches, policy=policy, **more)
        return runtime(run, market)

    return make


async def until(wanted: Callable[[], bool]) -> None:
    """Let the loop turn until something is so; bounded, so that a failure ends."""
    for _ in range(200_000):
        if wanted():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


def approve_first(runtime: Runtime) -> Any:
    entry = runtime.engine.tickets.waiting()[0]
    return runtime.engine.give(ApproveTicket(entry.ticket.id, entry.sha256, "key-1", 9.5, NINA))


async def test_a_ticket_is_approved_protected_and_sold_at_the_close_of_the_fifth_session(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM] * 6}), wait=True, remember=True)
    await runtime.start()
    engine = runtime.engine
    await until(lambda: runtime.drive.paused)
    (entry,) = engine.tickets.waiting()
    assert approve_first(runtime).ok
    await until(lambda: any(b.phase.value == "protected" for b in engine.brackets))
    (bracket,) = engine.brackets
    assert bracket.position == bracket.cover == entry.ticket.order.stop.quantity
    await runtime.run_until_done()
    (row,) = engine.parts.journal.rows("round_trip")
    assert (row["exit_reason"], row["sessions"], row["exit_price"]) == ("time", 5, "9.5")
    assert engine.tickets.get(entry.ticket.id).state is ProposalState.CLOSED  # type: ignore[union-attr]
    kinds = [line["kind"] for line in engine.parts.journal.audit(entry.ticket.correlation)]
    assert kinds[:5] == ["candidate", "pending", "approved", "submitted", "intent"]
    approved = next(a for a in engine.parts.journal.audit() if a["kind"] == "approved")
    assert approved["actor"] == "nina on pts/7"
    assert json.loads(str(approved["body"]))["sha256"] == entry.sha256
    await runtime.stop()
    with open_memory(runtime.state.memory, read_only=True) as memory:
        found = entry.ticket.correlation
        assert len(memory.signals(found)) == 1
        assert {action.kind for action in memory.actions(found)} == {"proposal", "approve", "exit"}
        real, followed = sorted(memory.outcomes(found), key=lambda outcome: outcome.shadow)
        assert (real.shadow, followed.shadow) == (False, True)
        assert (real.mae, real.mfe) == (pytest.approx(9.4 / 9.5 - 1), pytest.approx(9.6 / 9.5 - 1))
        assert real.trade is not None
        assert real.trade.votes["trader"] == "approve"
    with closing(sqlite3.connect(runtime.state.memory)) as database:
        (linked,) = database.execute("SELECT count(signal_id) FROM actions").fetchone()
    assert linked == 3


async def test_a_ticket_that_nobody_decides_expires_after_ten_minutes_of_market_time(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}))
    await runtime.start()
    await runtime.run_until_done()
    (entry,) = runtime.engine.tickets
    assert entry.state is ProposalState.EXPIRED
    (line,) = [a for a in runtime.engine.parts.journal.audit() if a["kind"] == "expired"]
    assert line["ts_us"] == entry.ticket.created_us + 600_000_000
    answer = runtime.engine.give(ApproveTicket(entry.ticket.id, entry.sha256, "n", 9.5, NINA))
    assert (answer.ok, answer.code) == (False, "not_pending")
    assert not tuple(runtime.engine.brackets)
    await runtime.stop()


async def test_two_approvers_make_one_order_and_the_second_is_told_who_won(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}), wait=True)
    await runtime.start()
    await until(lambda: runtime.drive.paused)
    (entry,) = runtime.engine.tickets.waiting()
    ticket, sha256 = entry.ticket.id, entry.sha256
    assert runtime.engine.give(ApproveTicket(ticket, sha256, "a", 9.5, NINA)).ok
    loser = runtime.engine.give(ApproveTicket(ticket, sha256, "b", 9.5, Actor("otto", "pts/2")))
    assert not loser.ok
    assert loser.text == "T-1 was approved by nina on pts/7 at 14:30:00Z. Your key did nothing."
    rejected = runtime.engine.give(RejectTicket(ticket, "late", NINA))
    assert not rejected.ok
    assert len(tuple(runtime.engine.brackets)) == 1
    await runtime.stop()


async def test_a_halt_outlives_a_restart_and_ends_only_by_resume(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    days = market({"AAA": [CALM] * 3})
    runtime = begin(days, wait=True)
    await runtime.start()
    await until(lambda: runtime.drive.paused)
    assert approve_first(runtime).ok
    await until(lambda: any(b.position > 0 for b in runtime.engine.brackets))
    assert runtime.engine.give(Halt(NINA, "enough")).ok
    await runtime.stop()

    again = begin(days)
    await again.start()
    engine = again.engine
    assert engine.state is EngineState.HALTED
    assert "enough" in engine.reason
    (bracket,) = engine.brackets.open()
    assert bracket.cover == bracket.position > 0
    assert engine.give(Resume(NINA)).ok
    assert engine.state is EngineState.RUNNING
    assert engine.give(Resume(NINA)).code == "not_halted"
    await again.stop()


async def test_nothing_is_sent_while_halted(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}), wait=True)
    await runtime.start()
    await until(lambda: runtime.drive.paused)
    runtime.engine.give(Halt(NINA, "enough"))
    answer = approve_first(runtime)
    assert (answer.ok, answer.code) == (False, "gated_out")
    assert "HALTED" in answer.text
    assert not tuple(runtime.engine.brackets)
    await runtime.stop()


@pytest.mark.parametrize(("ratio", "factor"), [(0.5, 0.5), (2.0, 2.0), (10.0, 10.0), (0.97, 0.97)])
async def test_corporate_actions_restate_every_bracket_as_the_venue_does(
    ratio: float, factor: float, market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    gapped = tuple(price * 0.9 for price in CALM)
    restated: list[Row] = [tuple(price * factor for price in gapped)] * 2  # type: ignore[list-item]
    days = market({"AAA": [CALM, gapped, *restated]}, {"AAA": [1.0, 1.0, ratio, 1.0]})
    runtime = begin(days, PolicyName.PAPER_AUTO, NONE)
    await runtime.start()
    engine = runtime.engine
    await runtime.run_until_done()
    account = await engine.parts.broker.account()
    held = {p.instrument: p.quantity for p in account.positions}
    brackets = [b for b in engine.brackets.open() if b.position > 0]
    assert len(brackets) == 1, "the second gap is held, the first was stopped out"
    assert held == {brackets[0].instrument: brackets[0].position}
    assert account.cash == engine.books.cash
    assert brackets[0].cover == brackets[0].position
    assert brackets[0].ratio == Decimal(repr(ratio))
    await runtime.stop()


async def test_two_positions_in_one_instrument_share_a_split_as_the_venue_rounds_it(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    second: Row = (9.2, 9.3, 9.1, 9.2)
    third: Row = (27.6, 27.7, 27.5, 27.6)
    days = market({"AAA": [CALM, second, third]}, {"AAA": [1.0, 1.0, 3.0]})
    runtime = begin(days, PolicyName.PAPER_AUTO, NONE)
    await runtime.start()
    await runtime.run_until_done()
    engine = runtime.engine
    account = await engine.parts.broker.account()
    ours = [bracket.position for bracket in engine.brackets.open()]
    assert len(ours) == 2
    assert sum(ours) == account.positions[0].quantity
    assert account.cash == engine.books.cash
    await runtime.stop()


async def test_a_stream_that_ends_degrades_and_is_caught_up_with(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM] * 3}), wait=True)
    await runtime.start()
    engine = runtime.engine
    await until(lambda: runtime.drive.paused)
    engine.parts.broker.disconnect()  # type: ignore[attr-defined]
    await until(lambda: engine.state is EngineState.DEGRADED)
    assert approve_first(runtime).code == "gated_out"
    assert runtime.drive.resume()
    await until(lambda: engine.state is EngineState.RUNNING)
    await runtime.stop()


async def test_limits_hold_eight_positions_and_one_per_instrument(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    days = market({f"A{n:02d}": [CALM] * 2 for n in range(12)})
    runtime = begin(days, PolicyName.PAPER_AUTO, DATASET)
    await runtime.start()
    await runtime.run_until_done()
    assert len(runtime.engine.brackets.open()) == 8
    candidates = [a for a in runtime.engine.parts.journal.audit() if a["kind"] == "candidate"]
    reasons = [json.loads(str(line["body"]))["reason"] for line in candidates]
    assert reasons.count("open 8/8") == 4
    assert len({bracket.instrument for bracket in runtime.engine.brackets.open()}) == 8
    await runtime.stop()


def test_a_paced_session_takes_a_minute_of_virtual_time(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    """The default speed shows a session of 6.5 hours in 60 s; on the virtual loop that is no time at all."""

    async def go() -> float:
        runtime = begin(market({"AAA": [CALM]}), speed=390.0)
        await runtime.start()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await runtime.run_until_done()
        taken = loop.time() - began
        (entry,) = runtime.engine.tickets
        assert entry.state is ProposalState.EXPIRED
        await runtime.stop()
        return taken

    assert run_virtual(go()) == pytest.approx(60.0, abs=0.2)


def test_who_leaves_during_a_session_finds_it_where_it_was(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    async def go() -> None:
        runtime = begin(market({"AAA": [CALM] * 2}), speed=390.0)
        await runtime.start()
        await asyncio.sleep(1.0)
        engine = runtime.engine
        opened = engine.market_us()
        assert engine.picture.is_session_open
        runtime.drive.stop()
        await runtime.run_until_done()
        assert engine.market_us() == opened
        (entry,) = engine.tickets.waiting()
        assert engine.parts.clock.now_us() < entry.ticket.expires_us
        await runtime.stop()

    run_virtual(go())


async def test_who_leaves_while_an_opening_is_handled_waits_for_no_ticket(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}), wait=True)
    runtime.bus.subscribe_call(CandidatesJudged, lambda event: runtime.drive.stop(), "impatient")
    await runtime.start()
    async with asyncio.timeout(10):
        await runtime.run_until_done()
    assert runtime.engine.tickets.waiting()
    await runtime.stop()


async def test_a_stream_that_broke_with_updates_unread_is_not_waited_for(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM] * 3}), wait=True)
    await runtime.start()
    engine = runtime.engine
    await until(lambda: runtime.drive.paused)
    told, real = [], engine.brackets.tell_venue

    def failing_once(update: Any) -> bool:
        told.append(update)
        if len(told) == 1:
            raise StorageError("the disk is full")
        return real(update)

    engine.brackets.tell_venue = failing_once  # type: ignore[method-assign]
    assert approve_first(runtime).ok
    await until(lambda: engine.state is EngineState.HALTED)
    assert "the disk is full" in engine.reason
    async with asyncio.timeout(20):
        await runtime.run_until_done()
    assert [bracket.position == bracket.cover > 0 for bracket in engine.brackets.open()] == [True]
    await runtime.stop()


async def test_degraded_lasts_until_the_venue_was_caught_up_with(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM] * 3}), wait=True)
    await runtime.start()
    engine, broker = runtime.engine, runtime.engine.parts.broker
    await until(lambda: runtime.drive.paused)
    states: list[str] = []
    runtime.bus.subscribe_call(EngineStateChanged, lambda event: states.append(event.state), "states")
    asked, real = [], broker.account

    async def away_twice() -> Any:
        asked.append(engine.state)
        if len(asked) < 3:
            raise BrokerUnavailable("cannot connect")
        return await real()

    broker.account = away_twice  # type: ignore[method-assign]
    broker.disconnect()  # type: ignore[attr-defined]
    await until(lambda: engine.state is EngineState.DEGRADED)
    assert runtime.drive.resume()
    await until(lambda: engine.state is EngineState.RUNNING)
    assert asked == [EngineState.DEGRADED] * 3
    # The reason changes once: it was cut, and now it cannot connect.
    assert states == ["DEGRADED"] * 2 + ["RUNNING"]
    await runtime.stop()


async def test_resume_without_the_venues_stream_is_degraded(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}), wait=True)
    await runtime.start()
    engine = runtime.engine
    await until(lambda: runtime.drive.paused)
    told: list[str] = []
    runtime.bus.subscribe_call(Alarm, lambda event: told.append(event.text), "alarms")
    engine.give(Halt(NINA, "enough"))
    engine.parts.broker.disconnect()  # type: ignore[attr-defined]
    await until(lambda: "venue updates: the venue's update stream ended" in told)
    assert engine.give(Resume(NINA)).ok
    assert engine.state is EngineState.DEGRADED
    assert approve_first(runtime).code == "gated_out"
    await runtime.stop()


async def test_books_that_differ_are_told_also_when_the_account_is_halted_already(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    days = market({"AAA": [CALM] * 3})
    runtime = begin(days, wait=True)
    await runtime.start()
    await until(lambda: runtime.drive.paused)
    assert approve_first(runtime).ok
    await until(lambda: any(b.position > 0 for b in runtime.engine.brackets))
    runtime.engine.give(Halt(NINA, "enough"))
    await runtime.stop()
    with closing(sqlite3.connect(runtime.state.paper_book("replay"))) as book:
        book.execute("DELETE FROM venue WHERE k LIKE 'position/%'")
        book.commit()

    again = begin(days)
    told: list[str] = []
    again.bus.subscribe_call(Alarm, lambda event: told.append(event.text), "alarms")
    await again.start()
    assert again.engine.state is EngineState.HALTED
    assert "enough" in again.engine.reason
    assert told[0] == "AAA HALTED: AAA.US: we hold 12, the venue says 0"
    assert len(told) == len(set(told))
    await again.stop()


async def test_a_halt_is_written_down_as_soon_as_the_disk_lets_it(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}), wait=True)
    await runtime.start()
    engine, journal = runtime.engine, runtime.engine.parts.journal
    await until(lambda: runtime.drive.paused)
    told: list[str] = []
    runtime.bus.subscribe_call(Alarm, lambda event: told.append(event.text), "alarms")
    real = journal.commit

    def full(rows: Any, audit: Any, protective: bool = False) -> None:
        raise StorageError("the disk is full")

    journal.commit = full  # type: ignore[method-assign]
    engine.give(Halt(NINA, "enough"))
    assert told == ["the halt is not written down yet, a restart would forget it: the disk is full"]
    refused = engine.give(Resume(NINA))
    assert (refused.ok, refused.code) == (False, "not_journalled")
    assert engine.state is EngineState.HALTED
    journal.commit = real  # type: ignore[method-assign]
    assert [row["why"] for row in journal.rows("halt")] == []
    due = engine.scheduler.next_due()
    assert due is not None
    engine.parts.clock.advance_to(due)  # type: ignore[attr-defined]
    engine.scheduler.run_due()
    assert [row["why"] for row in journal.rows("halt")] == ["by nina on pts/7 (enough)"]
    assert len(told) == 1
    await runtime.stop()


async def test_a_start_whose_questions_fail_leaves_nothing_running(
    market: Callable[..., Market], begin: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(broker: Any) -> Any:
        raise BrokerUnavailable("cannot connect")

    monkeypatch.setattr(PaperBroker, "open_orders", away)
    before = asyncio.all_tasks()
    with pytest.raises(BrokerUnavailable):
        await begin(market({"AAA": [CALM]})).start()
    assert asyncio.all_tasks() == before


async def test_a_strategy_is_told_how_its_trades_ended(
    market: Callable[..., Market], begin: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Any] = []
    monkeypatch.setattr(Gaps, "on_outcome", lambda self, outcome: outcomes.append(outcome))
    runtime = begin(market({"AAA": [CALM] * 5}), PolicyName.PAPER_AUTO)
    await runtime.start()
    await runtime.run_until_done()
    (row,) = runtime.engine.parts.journal.rows("round_trip")
    assert [outcome.ticket for outcome in outcomes] == [row["ticket"]]
    await runtime.stop()


async def test_a_policy_that_is_refused_says_why(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}), PolicyName.PAPER_AUTO)
    told: list[str] = []
    runtime.bus.subscribe_call(Alarm, lambda event: told.append(event.text), "alarms")

    def halt(event: Any) -> None:
        runtime.engine.halt(NINA, "enough")

    runtime.bus.subscribe_call(TicketChanged, halt, "nervous")
    await runtime.start()
    await runtime.run_until_done()
    (text,) = told
    assert text.startswith("T-1 waits, the policy paper-auto could not approve it: T-1 refused: G1 engine")
    (line,) = [a for a in runtime.engine.parts.journal.audit() if a["kind"] == "approval_refused"]
    assert json.loads(str(line["body"]))["code"] == "gated_out"
    await runtime.stop()


@pytest.mark.parametrize("ratio", [0.5, 10.0])
async def test_a_restart_in_the_middle_of_a_corporate_action_keeps_the_position(
    ratio: float,
    market: Callable[..., Market],
    begin: Callable[..., Runtime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    restated: Row = tuple(price * ratio for price in CALM)  # type: ignore[assignment]
    days = market({"AAA": [CALM, restated, restated]}, {"AAA": [1.0, ratio, 1.0]})
    runtime = begin(days, PolicyName.PAPER_AUTO)
    real = PaperBroker.on_market

    def dies_at_the_action(broker: Any, batch: Any) -> None:
        if batch.actions:
            raise StorageError("the process ended")
        real(broker, batch)

    monkeypatch.setattr(PaperBroker, "on_market", dies_at_the_action)
    await runtime.start()
    with pytest.raises(StorageError, match="the process ended"):
        await runtime.run_until_done()
    (bracket,) = runtime.engine.brackets.open()
    assert bracket.restating
    await runtime.stop()

    monkeypatch.setattr(PaperBroker, "on_market", real)
    again = begin(days, PolicyName.PAPER_AUTO)
    alarms: list[str] = []
    again.bus.subscribe_call(Alarm, lambda event: alarms.append(event.text), "alarms")
    await again.start()
    await again.run_until_done()
    (bracket,) = again.engine.brackets
    assert (bracket.phase.value, bracket.exit_wanted) == ("protected", None)
    assert bracket.cover == bracket.position > 0
    account = await again.engine.parts.broker.account()
    assert [held.quantity for held in account.positions] == [bracket.position]
    assert alarms == []
    await again.stop()


@pytest.mark.parametrize("write", range(1, 42, 4))
@pytest.mark.parametrize(("store", "method"), [(SqliteJournal, "commit"), (SqlitePaperBook, "put")])
async def test_a_full_disk_at_any_write_leaves_books_that_agree_and_stops_that_rest(
    store: type,
    method: str,
    write: int,
    market: Callable[..., Market],
    begin: Callable[..., Runtime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped_out: Row = (9.5, 9.6, 8.0, 8.5)
    days = market({"AAA": [CALM] * 6, "BBB": [CALM, stopped_out, CALM], "CCC": [CALM] * 3})
    runtime = begin(days, PolicyName.PAPER_AUTO)
    await runtime.start()
    real, writes = getattr(store, method), []

    def full_for_a_while(*arguments: Any) -> None:
        writes.append(arguments)
        if write <= len(writes) < write + 3:
            raise StorageError("the disk is full")
        real(*arguments)

    monkeypatch.setattr(store, method, full_for_a_while)
    try:
        await runtime.run_until_done()
    except StorageError:
        await runtime.stop()
        monkeypatch.setattr(store, method, real)
        runtime = begin(days, PolicyName.PAPER_AUTO)
        await runtime.start()
        runtime.engine.give(Resume(NINA))
        await runtime.run_until_done()
    engine = runtime.engine
    account = await engine.parts.broker.account()
    held = {position.instrument: position.quantity for position in account.positions}
    assert held == {b.instrument: b.position for b in engine.brackets.open() if b.position}
    assert all(bracket.cover == bracket.position for bracket in engine.brackets.open())
    assert account.cash == engine.books.cash
    await runtime.stop()


async def test_a_restart_shows_the_session_s_candidates_again_and_proposes_none_twice(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    days = market({"AAA": [CALM] * 2, "BBB": [CALM] * 2})
    runtime = begin(days, wait=True)
    await runtime.start()
    await until(lambda: runtime.drive.paused)
    before = {entry.ticket.correlation for entry in runtime.engine.tickets}
    audited = len(runtime.engine.parts.journal.audit())
    await runtime.stop()

    again = begin(days, wait=True)
    await again.start()
    await until(lambda: again.drive.paused)
    engine = again.engine
    shown = {verdict.candidate.correlation for verdict in engine.verdicts[StrategyName("gaps")]}
    assert shown == before
    assert {entry.ticket.correlation for entry in engine.tickets} == before
    assert len(engine.tickets.waiting()) == 2
    kinds = [line["kind"] for line in engine.parts.journal.audit()[audited:]]
    assert "candidate" not in kinds
    await again.stop()


async def test_a_state_of_other_days_is_refused(
    market: Callable[..., Market],
    options: Callable[..., Any],
    runtime: Callable[[Any, Any], Runtime],
) -> None:
    days = market({"AAA": [CALM] * 3})
    first = runtime(options(FIRST, None, FULL), days)
    await first.start()
    await first.stop()
    moved = runtime(options(date(2016, 2, 9), None, FULL), days)
    with pytest.raises(ConfigError, match="holds a replay from 2016-02-08, not from 2016-02-09"):
        await moved.start()


async def test_the_head_of_the_audit_log_is_the_hash_of_its_last_line(
    market: Callable[..., Market], begin: Callable[..., Runtime]
) -> None:
    runtime = begin(market({"AAA": [CALM]}))
    await runtime.start()
    await runtime.run_until_done()
    last = runtime.engine.parts.journal.audit()[-1]
    assert runtime.audit_head() == (last["seq"], last["h"])
    await runtime.stop()
