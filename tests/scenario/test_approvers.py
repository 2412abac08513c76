"""Two people at two terminals press the same key: one order, and the slower one is told who won."""

import asyncio
import getpass
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.model.commands import Actor, Answer, ApproveTicket
from engine.model.tickets import ProposalState
from storage.journal import read_journal
from storage.keyfile import read_key
from storage.signatures import verify_signatures
from tui.server.attach import AttachServer
from tui.server.client import RemoteLink, attach
from tui.wiring.runtime import Runtime

ROUNDS = 5


@pytest.fixture
async def terminals(
    waiting: Runtime, sockets: tuple[Path, Path]
) -> AsyncIterator[tuple[RemoteLink, RemoteLink]]:
    """Two consoles, attached to it."""
    server = AttachServer(waiting.link, *sockets)
    await server.start()
    one, two = await attach(sockets[0]), await attach(sockets[0])
    assert one is not None
    assert two is not None
    yield one, two
    await one.close()
    await two.close()
    await server.stop()


def approval(runtime: Runtime, terminal: str, nonce: str) -> ApproveTicket:
    entry = runtime.engine.tickets.waiting()[0]
    now, price = runtime.engine.parts.clock.now_us(), entry.ticket.decision_price
    return ApproveTicket(entry.ticket.id, entry.sha256, nonce, price, Actor("", terminal), now)


def decided(runtime: Runtime, answers: list[Answer]) -> tuple[Answer, Answer]:
    (winner,) = [answer for answer in answers if answer.ok]
    (loser,) = [answer for answer in answers if not answer.ok]
    assert len(tuple(runtime.engine.brackets)) == 1
    return winner, loser


async def test_two_consoles_at_once_make_one_order_and_the_loser_is_told_who_won(
    waiting: Runtime, terminals: tuple[RemoteLink, RemoteLink]
) -> None:
    commands = approval(waiting, "pts/1", "a"), approval(waiting, "pts/2", "b")
    ticket = commands[0].ticket
    answers = await asyncio.gather(
        *(link.give(command) for link, command in zip(terminals, commands, strict=True))
    )
    winner, loser = decided(waiting, list(answers))
    place = "pts/1" if answers[0].ok else "pts/2"
    assert winner.text == "T-1 sent, B-1."
    assert loser.code == "not_pending"
    who = f"{getpass.getuser()} on {place}"
    assert loser.text.startswith(f"T-1 was approved by {who} at ")
    assert loser.text.endswith("Z. Your key did nothing.")
    journal = waiting.engine.parts.journal
    (row,) = [row for row in journal.rows("ticket") if row["id"] == ticket]
    assert (row["approved_by"], row["approved_uid"]) == (who, os.geteuid())
    refused = [line for line in journal.audit() if line["kind"] == "approval_refused"]
    assert [line["actor"] for line in refused] == [
        f"{getpass.getuser()} on {'pts/2' if place == 'pts/1' else 'pts/1'}"
    ]


async def test_the_same_key_press_over_both_links_is_one_approval(
    waiting: Runtime, terminals: tuple[RemoteLink, RemoteLink]
) -> None:
    command = approval(waiting, "pts/1", "same")
    answers = await asyncio.gather(*(link.give(command) for link in terminals))
    assert [answer.ok for answer in answers] == [True, True]
    assert sorted(answer.text for answer in answers) == [
        "T-1 sent, B-1.",
        "T-1 was approved by this key press already.",
    ]
    assert len(tuple(waiting.engine.brackets)) == 1


async def test_a_storm_of_approvals_over_both_links_makes_one_order(
    waiting: Runtime, terminals: tuple[RemoteLink, RemoteLink]
) -> None:
    first = approval(waiting, "pts/1", "0")
    commands = [replace(first, nonce=str(number)) for number in range(2 * ROUNDS)]
    answers = await asyncio.gather(*(terminals[n % 2].give(command) for n, command in enumerate(commands)))
    assert sum(answer.ok for answer in answers) == 1
    assert {answer.code for answer in answers if not answer.ok} == {"not_pending"}
    assert len(tuple(waiting.engine.brackets)) == 1


async def test_in_one_process_the_slower_of_two_is_told_too(waiting: Runtime) -> None:
    fast, slow = approval(waiting, "pts/1", "a"), approval(waiting, "pts/2", "b")
    fast = replace(fast, actor=Actor("nina", "pts/1"))
    winner, loser = decided(waiting, [waiting.engine.give(fast), waiting.engine.give(slow)])
    assert winner.ok
    assert loser.text.startswith("T-1 was approved by nina on pts/1 at ")


async def test_what_was_approved_is_signed_with_the_key_of_the_state(waiting: Runtime) -> None:
    command = approval(waiting, "pts/1", "a")
    assert waiting.engine.give(command).ok
    entry = waiting.engine.tickets.get(command.ticket)
    assert entry is not None
    assert entry.state is ProposalState.SUBMITTED
    state = waiting.state
    assert state.approval_key.stat().st_mode & 0o777 == 0o600
    (file,) = state.journals()
    with read_journal(file.path) as journal:
        verdict = verify_signatures(journal, read_key(state.approval_key))
    assert (verdict.approvals, verdict.checked, verdict.ok) == (1, 1, True)
