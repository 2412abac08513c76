"""Closed brackets leave memory; nothing that is said of them later is lost."""

from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import InvariantBroken
from engine.execution.bracket import BracketPhase
from engine.execution.past import KEPT_US, read_bracket
from engine.model.orders import OrderRole

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
