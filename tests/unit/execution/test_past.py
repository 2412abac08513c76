"""Closed brackets leave memory; nothing that is said of them later is lost."""

from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import InvariantBroken, StorageError
from engine.execution.bracket import BracketPhase
from engine.execution.past import KEPT_US, read_bracket
from engine.model.commands import RejectTicket
from engine.model.orders import OrderRole, OrderState
from engine.model.tickets import ProposalState

S, T = OrderRole.STOP, OrderRole.TARGET
DAY_S = KEPT_US / 1e6


async def closed(rig: Any, number: int = 1) -> Any:
    """A bracket that made its target."""
    ticket = rig.ticket_of(number)
    bracket = await rig.begin(ticket)
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    rig.venue.fill(rig.now(ticket.id).of_role(T)[0].id, price="106")
    await rig.settle()
    await rig.advance(100)
    assert rig.now(ticket.id).phase is BracketPhase.CLOSED
    return rig.now(ticket.id)


async def later(rig: Any, world: ModuleType, number: int = 9) -> None:
    """A day and a session on, another bracket closes."""
    await rig.advance(DAY_S)
    await rig.open_session(world.MONDAY.replace(day=world.MONDAY.day + number))
    await closed(rig, number)


@pytest.fixture
def rig(rig: Any, world: ModuleType) -> Any:
    rig.ticket_of = lambda number: world.make_ticket(number, now_us=rig.clock.now_us())
    return rig


async def test_a_bracket_of_yesterday_leaves_memory_and_its_money_stays(rig: Any, world: ModuleType) -> None:
    first = await closed(rig)
    cash = rig.books.cash
    await later(rig, world)
    assert [bracket.number for bracket in rig.brackets] == [9]
    assert first.session == world.MONDAY
    assert [bracket.number for bracket in rig.brackets.of_session(world.MONDAY)] == [9]
    assert rig.books.cash - cash == cash - Decimal(100_000)


async def test_a_session_whose_brackets_left_is_empty(rig: Any, world: ModuleType) -> None:
    await closed(rig)
    tuesday = world.MONDAY.replace(day=5)
    rig.ticket_of = lambda number: replace(
        world.make_ticket(number, now_us=rig.clock.now_us()), session=tuesday
    )
    await later(rig, world)
    assert rig.brackets.of_session(world.MONDAY) == ()
    assert [bracket.number for bracket in rig.brackets.of_session(tuesday)] == [9]


async def test_what_is_open_or_of_the_session_that_is_shown_stays(rig: Any, world: ModuleType) -> None:
    held = await rig.hold(number=2)
    await closed(rig)
    await rig.advance(2 * DAY_S)
    await closed(rig, 3)
    assert {bracket.number for bracket in rig.brackets} == {1, 2, 3}
    await later(rig, world)
    assert held.number in {bracket.number for bracket in rig.brackets}


async def test_a_bracket_that_left_is_read_again_when_it_is_asked_for(rig: Any, world: ModuleType) -> None:
    first = await closed(rig)
    await later(rig, world)
    assert rig.brackets.get(first.ticket) == first == read_bracket(rig.journal, first.ticket)
    cash = rig.books.cash
    assert rig.brackets.get(first.ticket) is rig.brackets.get(first.ticket)
    assert rig.books.cash == cash
    assert rig.brackets.get(world.ticket_id(77)) is None


async def test_a_late_fill_of_one_that_left_is_protected(rig: Any, world: ModuleType) -> None:
    bracket = await rig.begin(rig.ticket_of(1))
    entry = rig.venue.orders[bracket.entry.id]
    await rig.advance(700)
    await rig.advance(100)
    assert rig.now(bracket.ticket).phase is BracketPhase.CLOSED
    await later(rig, world)
    assert bracket.ticket not in {found.ticket for found in rig.brackets}
    entry.state = type(entry.state).WORKING
    rig.venue.fill(bracket.entry.id, price="100")
    await rig.settle()
    await rig.advance(5)
    assert rig.now(bracket.ticket).position == 10
    rig.assert_covered(bracket.ticket)


async def test_an_entry_of_one_that_left_is_not_sent_again(rig: Any, world: ModuleType) -> None:
    ticket = rig.ticket_of(1)
    await closed(rig)
    await later(rig, world)
    with pytest.raises(InvariantBroken, match="sent once"):
        rig.brackets.start(ticket, (), ())


async def test_a_restart_keeps_only_what_is_recent(rig: Any, world: ModuleType) -> None:
    first = await closed(rig)
    await later(rig, world)
    cash = rig.books.cash
    rig.kill()
    assert [bracket.number for bracket in rig.brackets] == [9]
    assert rig.books.cash == cash
    assert rig.brackets.get(first.ticket) == first


async def test_one_that_was_opened_again_stays_until_it_is_closed_for_a_day(
    rig: Any, world: ModuleType
) -> None:
    bracket = await rig.begin(rig.ticket_of(1))
    await rig.advance(800)
    assert rig.now(bracket.ticket).phase is BracketPhase.CLOSED
    entry = rig.venue.orders[bracket.entry.id]
    entry.state = type(entry.state).WORKING
    rig.venue.fill(bracket.entry.id, price="100")
    await rig.settle()
    await later(rig, world)
    assert rig.now(bracket.ticket).position == 10
    assert bracket.ticket in {found.ticket for found in rig.brackets}


class TestTickets:
    """Decided tickets leave memory too; the journal answers for them."""

    async def decided(self, booth: Any, number: int = 1) -> Any:
        entry = booth.propose(number)
        answer = booth.tickets.reject(RejectTicket(entry.ticket.id, "not now", booth.actor))
        assert answer.ok
        return booth.tickets.get(entry.ticket.id)

    @pytest.fixture
    async def booth(self, rig: Any, world: ModuleType) -> Any:
        made = world.Booth(rig)
        made.actor = world.ANN
        return made

    async def past(self, booth: Any, world: ModuleType, number: int = 9) -> None:
        """A day and a session on, another candidate is judged."""
        rig = booth.rig
        await rig.advance(DAY_S + 700)
        day = world.MONDAY.replace(day=world.MONDAY.day + 1)
        await rig.open_session(day)
        booth.propose(number, session=day)

    async def test_a_ticket_of_yesterday_leaves_memory_and_is_read_again(
        self, booth: Any, world: ModuleType
    ) -> None:
        entry = await self.decided(booth)
        await self.past(booth, world)
        assert [found.ticket.number for found in booth.tickets] == [2]
        assert booth.tickets.of_candidate(entry.ticket.correlation) is None
        assert booth.tickets.get(entry.ticket.id) == entry
        assert booth.tickets.get(entry.ticket.id) is booth.tickets.get(entry.ticket.id)

    async def test_what_waits_stays_and_numbers_go_on(self, booth: Any, world: ModuleType) -> None:
        await self.decided(booth)
        await self.past(booth, world)
        booth.boot()
        assert [found.ticket.number for found in booth.tickets] == [2]
        last = booth.propose(10, session=world.MONDAY.replace(day=5), instrument="XYZ.US")
        assert last.ticket.number == 3

    async def test_an_approval_of_one_that_left_is_refused_with_its_history(
        self, booth: Any, world: ModuleType
    ) -> None:
        entry = await self.decided(booth)
        await self.past(booth, world)
        answer = booth.approve(entry)
        assert (answer.ok, "rejected: not now" in answer.text) == (False, True)

    async def test_one_that_cannot_be_read_is_refused(
        self, booth: Any, world: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = await self.decided(booth)
        await self.past(booth, world)

        def fail(table: str, **equal: str) -> object:
            raise StorageError("the disk is gone")

        monkeypatch.setattr(booth.rig.journal, "rows", fail)
        for answer in (
            booth.approve(entry),
            booth.tickets.reject(RejectTicket(entry.ticket.id, "no", world.ANN)),
        ):
            assert (answer.ok, answer.code) == (False, "not_readable")

    async def test_a_late_fill_moves_the_ticket_of_one_that_left(self, booth: Any, world: ModuleType) -> None:
        rig = booth.rig
        entry = booth.propose()
        assert booth.approve(entry).ok
        await rig.settle()
        order = rig.now(entry.ticket.id).entry.id
        await rig.advance(900)
        assert booth.state(entry) is ProposalState.CLOSED
        await self.past(booth, world)
        assert entry.ticket.id not in {found.ticket.id for found in booth.tickets}
        rig.venue.orders[order].state = OrderState.WORKING
        rig.venue.fill(order)
        await rig.settle()
        assert booth.state(entry) is ProposalState.FILLED

    async def test_decision_instants_of_a_fortnight_ago_are_forgotten(
        self, booth: Any, world: ModuleType
    ) -> None:
        await self.decided(booth)
        verdict = world.make_verdict(1)
        assert not booth.tickets.is_new(verdict)
        await self.past(booth, world)
        assert not booth.tickets.is_new(verdict)
        entry = booth.propose(3, session=world.MONDAY.replace(day=5), instrument="XYZ.US")
        booth.tickets.reject(RejectTicket(entry.ticket.id, "no", world.ANN))
        await booth.rig.advance(20 * DAY_S)
        await booth.rig.open_session(world.MONDAY.replace(day=25))
        booth.propose(11, session=world.MONDAY.replace(day=25), instrument="NEW.US")
        assert booth.tickets.is_new(verdict)
