"""A person cancels an entry, closes a position and asks the venue: the whole engine at the paper venue."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from brokers.paper.matcher import Matcher
from engine.errors import OrderOutcomeUnknown
from engine.execution.bracket import Bracket, BracketPhase
from engine.loop import run_virtual
from engine.model.commands import Actor, AskVenue, CancelEntry, ClosePosition, Halt, RejectTicket
from engine.model.orders import OrderRole, OrderState
from engine.sources.sessions import ExchangeSessions
from tui.showing.bracket import bracket_detail

NINA = Actor("nina", "pts/7")
E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
Scene = Callable[[Callable[[Any], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def stopping(sim: Callable[[str], ModuleType]) -> ModuleType:
    """The floor: a run that stands at an opening, and a venue that can be told what to fill."""
    return sim("stopping")


@pytest.fixture
def floor(stopping: ModuleType, sessions: ExchangeSessions, tmp_path: Path) -> Callable[[], Any]:
    """On one state folder, again for each restart."""
    return lambda: stopping.open_floor(tmp_path, sessions)


@pytest.fixture
def scene(floor: Callable[[], Any]) -> Scene:
    """Run a test where two tickets wait."""

    def run(test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            found = floor()
            await found.open()
            await test(found)
            await found.runtime.stop()

        run_virtual(main())

    return run


def fills(found: Any, quantity: int | None) -> None:
    """The venue buys so much of each entry that comes, and sells at once; None: it buys all."""
    matcher = found.runtime.engine.parts.broker._matcher

    def arrive(book: Any, order: Any, now: int) -> None:
        if order.id[-3] == E:
            amount = order.quantity if quantity is None else Decimal(quantity)
            matcher._execute(book, order, amount, Decimal("9.5"), now)
        else:
            Matcher.arrive(matcher, book, order, now)

    matcher.arrive = arrive


async def bought(found: Any, quantity: int | None) -> Bracket:
    fills(found, quantity)
    assert found.approve().ok
    await settled(found)
    (bracket,) = found.runtime.engine.brackets
    assert isinstance(bracket, Bracket)
    return bracket


async def settled(found: Any) -> None:
    for _ in range(20):
        await asyncio.sleep(0.001)
    await found.quiet()


def now_of(found: Any) -> Bracket:
    (bracket,) = found.runtime.engine.brackets
    assert isinstance(bracket, Bracket)
    return bracket


async def venue_holds(found: Any) -> tuple[Decimal, set[str]]:
    """Shares, and the roles of what rests."""
    broker = found.runtime.engine.parts.broker
    account = await broker.account()
    resting = {order.client_order_id[-3] for order in await broker.open_orders()}
    return sum((position.quantity for position in account.positions), Decimal(0)), resting


def wishes(found: Any) -> list[tuple[str, str]]:
    lines = found.runtime.engine.parts.journal.audit()
    wanted = ("EntryUnwanted", "ExitWanted", "AskWanted")
    return [(line["kind"], line["actor"]) for line in lines if line["kind"] in wanted]


def test_the_rest_of_an_entry_is_cancelled_and_the_part_keeps_stop_and_target(scene: Scene) -> None:
    async def test(found: Any) -> None:
        bracket = await bought(found, 2)
        assert (bracket.held, bracket.entry.state) == (2, OrderState.WORKING)
        answer = found.runtime.engine.give(CancelEntry(bracket.ticket, NINA))
        assert answer.ok
        rest, whole = bracket.quantity - 2, bracket.quantity
        assert f"cancelling the rest of the entry, {rest} of {whole}. The 2 held keep" in answer.text
        await settled(found)
        bracket = now_of(found)
        assert (bracket.phase, bracket.held) == (BracketPhase.PROTECTED, 2)
        assert await venue_holds(found) == (2, {S, T})
        assert wishes(found) == [("EntryUnwanted", "nina on pts/7")]
        detail = bracket_detail(found.runtime.engine, bracket.ticket)
        assert detail is not None
        assert any(line.words.startswith("nina on pts/7: the rest of the entry") for line in detail.story)

    scene(test)


def test_an_entry_that_bought_nothing_leaves_nothing(scene: Scene) -> None:
    async def test(found: Any) -> None:
        found.approve()
        await settled(found)
        bracket = now_of(found)
        assert found.runtime.engine.give(CancelEntry(bracket.ticket, NINA)).ok
        await settled(found)
        assert now_of(found).phase is BracketPhase.CLOSED
        assert await venue_holds(found) == (0, set())

    scene(test)


def test_a_position_is_sold_with_its_stop_resting_and_once(scene: Scene) -> None:
    async def test(found: Any) -> None:
        bracket = await bought(found, None)
        engine = found.runtime.engine
        assert (bracket.phase, await venue_holds(found)) == (
            BracketPhase.PROTECTED,
            (bracket.quantity, {S, T}),
        )
        answers = [
            engine.give(ClosePosition(bracket.ticket, actor)) for actor in (NINA, Actor("ann", "pts/1"))
        ]
        assert [answer.ok for answer in answers] == [True, True]
        assert answers[1].text.endswith("being sold already, reason manual.")
        await settled(found)
        bracket = now_of(found)
        assert bracket.phase is BracketPhase.CLOSED
        assert len(bracket.of_role(X)) == 1
        assert await venue_holds(found) == (0, set())
        (trip,) = engine.parts.journal.rows("round_trip")
        assert (trip["exit_reason"], Decimal(trip["quantity"])) == ("manual", bracket.quantity)
        assert wishes(found) == [("ExitWanted", "nina on pts/7")]

    scene(test)


def test_closing_works_while_the_account_is_halted(scene: Scene) -> None:
    async def test(found: Any) -> None:
        bracket = await bought(found, None)
        engine = found.runtime.engine
        engine.give(Halt(NINA, "enough"))
        await settled(found)
        assert engine.give(ClosePosition(bracket.ticket, NINA)).ok
        await settled(found)
        assert now_of(found).phase is BracketPhase.CLOSED
        assert await venue_holds(found) == (0, set())

    scene(test)


def lose_answer(found: Any) -> None:
    """The next group arrives and its answer is lost; questions fail until `broker.order` is put back."""
    broker = found.runtime.engine.parts.broker
    submit = broker.submit_bracket

    async def lost(spec: Any) -> None:
        broker.submit_bracket = submit
        await submit(spec)
        raise OrderOutcomeUnknown("the answer was lost")

    broker.submit_bracket = lost
    found.runtime.engine.brackets.tell_venue = lambda update: True


def test_an_unknown_entry_is_asked_about_at_once_and_closed_when_found(scene: Scene) -> None:
    async def test(found: Any) -> None:
        engine = found.runtime.engine
        hears = engine.brackets.tell_venue
        lose_answer(found)
        bracket = await bought(found, None)
        assert bracket.has_unknown
        assert bracket.held == 0
        answer = engine.give(ClosePosition(bracket.ticket, NINA))
        assert answer.ok
        assert "fate is not known yet" in answer.text
        engine.brackets.tell_venue = hears
        assert engine.give(AskVenue(bracket.ticket, NINA)).ok
        await settled(found)
        bracket = now_of(found)
        assert not bracket.has_unknown
        assert found.sent == [bracket.ticket], "an entry is sent once"
        await settled(found)
        assert await venue_holds(found) == (0, set())
        assert wishes(found) == [("ExitWanted", "nina on pts/7"), ("AskWanted", "nina on pts/7")]

    scene(test)


def test_what_was_wanted_before_a_crash_is_done_after_it(floor: Callable[[], Any]) -> None:
    async def main() -> None:
        found = floor()
        await found.open()
        bracket = await bought(found, 2)
        broker = found.runtime.engine.parts.broker

        async def never(order: Any) -> None:
            raise OrderOutcomeUnknown("the process ends here")

        broker.cancel = never
        assert found.runtime.engine.give(CancelEntry(bracket.ticket, NINA)).ok
        await found.runtime.engine.brackets.abandon()
        assert now_of(found).entry.state is OrderState.WORKING
        await found.runtime.stop()

        again = floor()
        await again.runtime.start()
        bracket = now_of(again)
        assert bracket.entry_unwanted
        for waiting in again.runtime.engine.tickets.waiting():
            again.runtime.engine.give(RejectTicket(waiting.ticket.id, "not now", NINA))
        for _ in range(2_000):
            await asyncio.sleep(0.01)
            if now_of(again).entry.state.is_terminal:
                break
        bracket = now_of(again)
        assert (bracket.entry.state, bracket.entry.cum) == (OrderState.CANCELED, 2)
        assert bracket.position == bracket.cover == 2
        await again.runtime.stop()

    run_virtual(main())


def test_a_stopped_engine_does_nothing_by_hand(floor: Callable[[], Any]) -> None:
    async def main() -> None:
        found = floor()
        await found.open()
        bracket = await bought(found, None)
        engine = found.runtime.engine
        await found.runtime.stop()
        answer = engine.give(ClosePosition(bracket.ticket, NINA))
        assert (answer.ok, answer.code) == (False, "not_ready")
        assert "the engine has stopped" in answer.text

    run_virtual(main())


def test_the_audit_line_names_who_and_what_followed(scene: Scene) -> None:
    async def test(found: Any) -> None:
        bracket = await bought(found, None)
        engine = found.runtime.engine
        engine.give(ClosePosition(bracket.ticket, NINA))
        (line,) = [line for line in engine.parts.journal.audit() if line["kind"] == "ExitWanted"]
        body = json.loads(str(line["body"]))
        assert (line["actor"], body["fact"]["reason"], body["phase"]) == (
            "nina on pts/7",
            "manual",
            "exiting",
        )
        assert {action["do"] for action in body["actions"]} == {"CancelOrder"}
        await settled(found)

    scene(test)


def test_people_who_act_by_hand_at_any_moment_break_no_rule(sim: Callable[[str], ModuleType]) -> None:
    draw, run_plan = sim("simulator.swarm").draw, sim("simulator.session").run_plan
    acted: Counter[str] = Counter()
    for seed in range(24):
        plan = draw(seed)
        busy = replace(plan.habits, cancels_a_minute=8.0, asks_a_minute=90.0, exits_a_minute=4.0)
        result = run_plan(replace(plan, habits=busy))
        assert result.violations == [], seed
        acted += result.faults
    assert min(acted["cancel_by_hand"], acted["ask_by_hand"], acted["exit_by_hand"]) > 5
