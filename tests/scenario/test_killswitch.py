"""The kill switch on the whole engine: how soon entries are blocked and cancels sent, by each of its ways."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.loop import run_virtual
from engine.model.commands import Actor, Halt, Resume, ResumeSymbol
from engine.model.events import Alarm, AnomalySeen, SymbolHalted, SymbolReleased
from engine.model.orders import BracketSpec, OrderState
from engine.parts import EngineState
from engine.sources.sessions import ExchangeSessions
from tui.link import Question
from tui.shown.deck import Restriction
from tui.wiring.killswitch import PERIOD_S

NINA = Actor("nina", "pts/7")
BLOCKED_S, CANCELED_S = 0.1, 1.0
"""RELIABILITY 1, R12."""


@pytest.fixture
def stopping(sim: Callable[[str], ModuleType]) -> ModuleType:
    """The floor and the ways to stop it, as the report of the simulator measures them."""
    return sim("stopping")


@pytest.fixture
def floor(stopping: ModuleType, sessions: ExchangeSessions, tmp_path: Path) -> Callable[..., Any]:
    """A floor on one state folder, again for each restart."""
    return lambda *notifiers: stopping.open_floor(tmp_path, sessions, notifiers)


def now_s() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("way", ["key", "command", "file", "signal"])
def test_entries_are_blocked_and_cancels_sent_in_time(
    way: str, floor: Callable[..., Any], stopping: ModuleType
) -> None:
    async def main() -> None:
        scene = floor()
        stopped = await stopping.stop_by(way, scene)
        assert stopped.problems == ()
        assert stopped.blocked_s <= BLOCKED_S
        assert stopped.canceled_s <= CANCELED_S
        assert scene.cancels[0][0][-3] == "E"
        reason = scene.runtime.engine.reason
        assert reason == stopping.WAYS[way].reason
        await scene.runtime.stop()
        # Persisted: the next start is halted, for the same reason.
        scene.runtime.state.halt_file.unlink(missing_ok=True)
        again = floor()
        await again.runtime.start()
        assert again.runtime.engine.state is EngineState.HALTED
        assert again.runtime.engine.reason == reason
        await again.runtime.stop()

    run_virtual(main())


def test_every_way_is_measured_by_the_report(stopping: ModuleType) -> None:
    report = stopping.run_ways()
    assert [stop.way for stop in report.stops] == ["key", "command", "file", "signal"]
    assert report.violations == ()


def test_an_entry_that_waits_to_be_sent_is_not_sent(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        engine = scene.runtime.engine
        assert scene.approve().ok
        engine.give(Halt(NINA, "enough"))
        await scene.quiet()
        assert scene.sent == []
        (bracket,) = engine.brackets
        assert bracket.entry.state is OrderState.REJECTED
        assert bracket.entry.reason == "halted before the send (not sent)"
        await scene.runtime.stop()

    run_virtual(main())


def test_the_shutdown_takes_its_steps_and_status_shows_them(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        engine = scene.runtime.engine
        assert scene.approve().ok
        await scene.quiet()
        engine.give(Halt(NINA, "enough"))
        status: Any = await scene.runtime.link.ask(Question.STATUS)
        assert status["emergency_shutdown"] == "step 1 of 5: halt"
        await asyncio.sleep(1)
        status = await scene.runtime.link.ask(Question.STATUS)
        assert status["emergency_shutdown"].startswith("done: 5 of 5 steps; snapshot ")
        (page,) = [alarm for alarm in scene.alarms if alarm.page]
        assert (page.kind, "no position is open" in page.text) == ("emergency_shutdown", True)
        (document,) = scene.runtime.state.snapshots.iterdir()
        assert document.stat().st_mode & 0o777 == 0o600
        kinds = [line["kind"] for line in engine.parts.journal.audit()]
        assert kinds.count("shutdown_step") == 5
        assert engine.give(Resume(NINA)).ok
        status = await scene.runtime.link.ask(Question.STATUS)
        assert status["emergency_shutdown"] == ""
        await scene.runtime.stop()

    run_virtual(main())


@pytest.mark.parametrize("is_sent", [True, False])
def test_the_header_counts_the_entries_that_a_halt_took_back(
    is_sent: bool, floor: Callable[..., Any]
) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        assert scene.approve().ok
        if is_sent:
            await scene.quiet()
        header = (await scene.runtime.link.deck()).header
        assert (header.entries_cancelled, header.entries_working) == (0, 0)
        scene.runtime.engine.give(Halt(NINA, "enough"))
        header = (await scene.runtime.link.deck()).header
        assert (header.entries_cancelled, header.entries_working) == (0, 1)
        await asyncio.sleep(1)
        header = (await scene.runtime.link.deck()).header
        assert (header.entries_cancelled, header.entries_working) == (1, 0)
        assert scene.runtime.engine.give(Resume(NINA)).ok
        assert (await scene.runtime.link.deck()).header.entries_cancelled == 0
        await scene.runtime.stop()

    run_virtual(main())


def test_a_shutdown_that_a_stop_cut_off_ends_at_the_next_start(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        assert scene.approve().ok
        await scene.quiet()
        scene.runtime.engine.give(Halt(NINA, "enough"))
        await scene.runtime.stop()
        pages = [alarm for alarm in scene.alarms if alarm.page]
        again = floor()
        await again.runtime.start()
        await asyncio.sleep(1)
        engine = again.runtime.engine
        assert engine.emergency.shutdown is not None
        assert engine.emergency.shutdown.next_step is None
        steps = [line["body"] for line in engine.parts.journal.audit() if line["kind"] == "shutdown_step"]
        assert len(steps) == len(set(steps)) == 5
        pages += [alarm for alarm in again.alarms if alarm.page]
        assert [page.kind for page in pages] == ["emergency_shutdown"]
        await again.runtime.stop()
        # A third start finds nothing left to do.
        third = floor()
        await third.runtime.start()
        await asyncio.sleep(1)
        assert [alarm for alarm in third.alarms if alarm.page] == []
        await third.runtime.stop()

    run_virtual(main())


def test_a_file_at_the_start_means_halted_and_resumes_nothing_when_it_goes(
    floor: Callable[..., Any], stopping: ModuleType
) -> None:
    async def main() -> None:
        scene = floor()
        file: Path = scene.runtime.state.halt_file
        stopping.put(file, "weekend")
        await scene.runtime.start()
        engine = scene.runtime.engine
        assert (engine.state, engine.reason) == (EngineState.HALTED, "by file HALT (weekend)")
        refused = engine.give(Resume(NINA))
        assert (refused.code, refused.text) == ("not_reconciled", f"Not yet: remove the file {file} first.")
        os.unlink(file)
        await asyncio.sleep(3 * PERIOD_S)
        assert engine.state is EngineState.HALTED
        assert engine.give(Resume(NINA)).ok
        await asyncio.sleep(3 * PERIOD_S)
        assert engine.state is EngineState.RUNNING
        stopping.put(file, "again")
        await asyncio.sleep(2 * PERIOD_S)
        assert engine.reason == "by file HALT (again)"
        await scene.runtime.stop()

    run_virtual(main())


def test_a_halted_symbol_is_refused_alone_and_released_by_name(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        told: list[object] = []
        scene.runtime.bus.subscribe_call((SymbolHalted, SymbolReleased), told.append, "floor")
        await scene.open()
        engine = scene.runtime.engine
        first, second = engine.tickets.waiting()
        engine.halt(NINA, "look at it", first.ticket.instrument)
        held = {view.ticket.number: view.held_reason for view in (await scene.runtime.link.deck()).tickets}
        assert held == {1: "AAA is halted by nina on pts/7 (look at it)", 2: ""}
        refused = scene.approve()
        assert (refused.code, "look at it" in refused.text) == ("gated_out", True)
        assert engine.state is EngineState.RUNNING
        status: Any = await scene.runtime.link.ask(Question.STATUS)
        assert status["halted_symbols"] == {first.ticket.instrument: "by nina on pts/7 (look at it)"}
        limit = Restriction("AAA HALTED by nina on pts/7 (look at it)", "tradedeck resume AAA", True)
        assert (await scene.runtime.link.deck()).header.restrictions == (limit,)
        assert status["restrictions"] == [f"{limit.text}. To end it: {limit.command}"]
        engine.halt(NINA, "and at this", second.ticket.instrument)
        (both,) = (await scene.runtime.link.deck()).header.restrictions
        assert (both.text[:16], both.command) == ("2 symbols HALTED", "tradedeck resume SYMBOL")
        assert engine.give(ResumeSymbol(NINA, second.ticket.instrument)).ok
        assert engine.give(ResumeSymbol(NINA, first.ticket.instrument)).ok
        assert [type(event) for event in told] == [SymbolHalted, SymbolHalted, SymbolReleased, SymbolReleased]
        assert (await scene.runtime.link.deck()).header.restrictions == ()
        assert not engine.give(ResumeSymbol(NINA, second.ticket.instrument)).ok
        await scene.runtime.stop()

    run_virtual(main())


def test_two_anomalies_of_different_kinds_halt_the_account(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        engine = scene.runtime.engine
        assert scene.approve().ok
        await scene.quiet()
        now_us = engine.parts.clock.now_us()
        engine.switch.see(AnomalySeen("rejects", 4, 3, now_us))
        assert engine.state is EngineState.RUNNING
        engine.switch.see(AnomalySeen("clock_skew", 1.5, 1, now_us + 299 * US_PER_S))
        assert engine.state is EngineState.HALTED
        await asyncio.sleep(1)
        assert scene.cancels[0][0][-3] == "E"
        await scene.runtime.stop()

    run_virtual(main())


class Phone:
    """A notifier that never comes back, or always fails."""

    name = "phone"

    def __init__(self, fails: bool) -> None:
        self._fails = fails

    async def notify(self, alarm: Alarm) -> None:
        if self._fails:
            raise ConnectionError("no route")
        await asyncio.Event().wait()


@pytest.mark.parametrize("fails", [False, True])
def test_a_notifier_that_hangs_or_raises_delays_no_order(fails: bool, floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor(Phone(fails))
        await scene.open()
        engine, began_s = scene.runtime.engine, now_s()
        for _ in range(1000):
            scene.runtime._alarm("noise")
        assert scene.approve().ok
        await scene.quiet()
        engine.give(Halt(NINA, "enough"))
        await scene.quiet()
        assert (len(scene.sent), scene.cancels[0][0][-3]) == (1, "E")
        assert now_s() - began_s < 0.1
        await asyncio.sleep(31)
        status: Any = await scene.runtime.link.ask(Question.STATUS)
        words = status["notifiers"]["phone"]
        assert "0 delivered" in words
        assert ("no route" if fails else "no answer in 30 s") in words
        assert " 0 dropped" not in words
        began_s = now_s()
        await scene.runtime.stop()
        assert now_s() - began_s <= 2.5

    run_virtual(main())


def test_a_stop_waits_ten_seconds_for_a_venue_that_does_not_answer(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        engine = scene.runtime.engine
        broker: Any = engine.parts.broker

        async def silent(spec: BracketSpec) -> None:
            await asyncio.Event().wait()

        broker.submit_bracket = silent
        assert scene.approve().ok
        await asyncio.sleep(0.1)
        began_s = now_s()
        await engine.stop()
        assert now_s() - began_s == pytest.approx(10.0)
        (page,) = [alarm for alarm in scene.alarms if alarm.page]
        assert page.text.startswith("stopped without knowing the fate of 3 orders: AAA entry td")
        assert page.text.endswith("The next start asks the venue")
        stopped = [line for line in engine.parts.journal.audit() if line["kind"] == "stopped"]
        assert "unknown" in str(stopped[-1]["body"])

    run_virtual(main())


def test_a_stop_cancels_entries_that_work_and_leaves_stops(floor: Callable[..., Any]) -> None:
    async def main() -> None:
        scene = floor()
        await scene.open()
        assert scene.approve().ok
        await scene.quiet()
        await scene.runtime.engine.stop()
        assert scene.cancels[0][0][-3] == "E"
        assert scene.runtime.engine.state is EngineState.STOPPED
        (bracket,) = scene.runtime.engine.brackets
        assert bracket.entry.state is OrderState.CANCELED

    run_virtual(main())
