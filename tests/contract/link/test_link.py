"""What every form of the link must do, so that nothing in a face can tell them apart."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import DataError, InvariantBroken, StorageError
from engine.model.commands import Actor, Answer, ApproveTicket, Halt, RejectTicket, Resume
from engine.model.tickets import Ticket
from tui.link import Link, Question
from tui.shown.deck import DeckView
from tui.shown.details import DETAILS, Detail, Topic

ME = Actor("somebody", "pts/7")
Noted = Callable[[DeckView, str], DeckView]


def without_link(view: DeckView) -> DeckView:
    """A view as both forms must show it: they differ in how they are linked, and only in that."""
    header = dataclasses.replace(view.header, link=None, link_lag_us=None)  # type: ignore[arg-type]
    return dataclasses.replace(view, header=header)


async def test_the_desk_is_the_same_value(link: Link, view: DeckView) -> None:
    assert without_link(await link.deck()) == without_link(view)


async def test_a_ticket_keeps_its_hash_across_the_link(link: Link, ticket: Ticket) -> None:
    (shown,) = (await link.deck()).tickets
    assert shown.ticket.sha256 == ticket.sha256 == shown.sha256
    assert shown.ticket.order_text() == shown.order_text


@pytest.mark.parametrize(
    "command",
    [
        ApproveTicket("01JD4Q9M7AZZZZZZZZZZZZZZZZ", "ab" * 32, "nonce", 8.330000000000002, ME),
        ApproveTicket("01JD4Q9M7AZZZZZZZZZZZZZZZZ", "ab" * 32, "nonce", None, ME),
        RejectTicket("01JD4Q9M7AZZZZZZZZZZZZZZZZ", "news I know", ME),
        Halt(ME, "keys"),
        Resume(ME),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_a_command_arrives_whole(link: Link, fake: Any, command: Any) -> None:
    answer = await link.give(command)
    assert answer == Answer(True, "ok", "T-18 sent, B-18")
    (given,) = fake.given
    assert given.actor.terminal == "pts/7"
    assert dataclasses.replace(given, actor=ME) == command


async def test_a_refusal_is_an_answer(link: Link, fake: Any) -> None:
    fake.answer = Answer(False, "expired", "T-18 expired 0:12 ago")
    assert await link.give(RejectTicket("X", "late", ME)) == fake.answer


async def test_a_document_comes_as_json_values(link: Link, fake: Any) -> None:
    fake.documents[Question.ORDERS] = [
        {"id": "td-1", "price": "7.70", "filled": None, "age": 1.5, "ok": True}
    ]
    assert await link.ask(Question.ORDERS) == fake.documents[Question.ORDERS]


async def test_a_document_of_ten_megabytes_comes_whole(link: Link, fake: Any) -> None:
    fake.documents[Question.ROUND_TRIPS] = [{"symbol": "A" * 1000, "n": n} for n in range(10_000)]
    document = await link.ask(Question.ROUND_TRIPS)
    assert document == fake.documents[Question.ROUND_TRIPS]


@pytest.mark.parametrize("error", [DataError("the book is broken", "Run audit verify"), InvariantBroken("x")])
async def test_an_error_of_the_engine_keeps_class_and_words(link: Link, fake: Any, error: Any) -> None:
    fake.error = error
    with pytest.raises(type(error)) as caught:
        await link.ask(Question.STATUS)
    assert (caught.value.message, caught.value.hint) == (error.message, error.hint)


async def test_an_error_of_another_class_keeps_its_exit_code(link: Link, fake: Any) -> None:
    fake.error = StorageError("disk full")
    with pytest.raises(Exception, match="disk full") as caught:
        await link.give(Halt(ME, ""))
    assert caught.value.exit_code == 65  # type: ignore[attr-defined]


@pytest.mark.parametrize("topic", list(Topic))
async def test_a_detail_is_the_same_value(
    link: Link, fake: Any, details: dict[Topic, Detail], topic: Topic
) -> None:
    fake.details[topic, "x ◆"] = details[topic]
    found = await link.detail(topic, "x ◆")
    assert type(found) is DETAILS[topic]
    assert repr(found) == repr(details[topic])


@pytest.mark.parametrize("topic", list(Topic))
async def test_a_detail_that_nothing_is_known_of_is_none(link: Link, topic: Topic) -> None:
    assert await link.detail(topic, "nobody") is None


async def test_a_detail_that_cannot_be_read_raises(link: Link, fake: Any) -> None:
    fake.error = DataError("the log is broken", "Run audit verify")
    with pytest.raises(DataError, match="the log is broken"):
        await link.detail(Topic.LOG, "")


async def test_a_waiting_replay_goes_on_once(link: Link) -> None:
    assert await link.resume_market() is True
    assert await link.resume_market() is False


async def test_a_change_is_shown(link: Link, fake: Any, view: DeckView, noted: Noted) -> None:
    changes = link.changes()
    waiting = asyncio.ensure_future(until_note(changes, "one"))
    await until(lambda: fake.listeners == 1)
    fake.show(noted(view, "one"))
    assert without_link(await waiting) == without_link(noted(view, "one"))
    await changes.aclose()


async def test_a_slow_reader_gets_the_newest_and_no_backlog(
    link: Link, fake: Any, view: DeckView, noted: Noted
) -> None:
    changes = link.changes()
    first = asyncio.ensure_future(until_note(changes, "0"))
    await until(lambda: fake.listeners == 1)
    fake.show(noted(view, "0"))
    await first
    for count in range(1, 51):
        fake.show(noted(view, str(count)))
    seen = 1
    while (await anext(changes)).gaps_note != "50":
        seen += 1
    assert seen <= 3
    await changes.aclose()


async def test_a_slow_command_holds_up_nothing_else(link: Link, fake: Any) -> None:
    fake.gate.clear()
    slow = asyncio.ensure_future(link.give(RejectTicket("X", "slow", ME)))
    await until(lambda: len(fake.given) == 1)
    await link.deck()
    assert not slow.done()
    fake.gate.set()
    assert (await slow).ok


async def until_note(changes: Any, note: str) -> DeckView:
    async for view in changes:
        if view.gaps_note == note:
            return view
    raise AssertionError("the views ended")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another task turns it
            await asyncio.sleep(0)
