"""Every candidate has one row that says how it ended, written with what became of it."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from engine.errors import StorageError
from engine.model.candidates import AgentReport, Vote
from engine.model.commands import Actor, RejectTicket

APPROVE, VETO, ABSTAIN = Vote.APPROVE, Vote.VETO, Vote.ABSTAIN


@pytest.fixture
async def booth(rig: Any, world: ModuleType) -> Any:
    return world.Booth(rig)


def rows(booth: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in booth.rig.journal.rows("whynot")]


def vetoed(world: ModuleType, *reports: AgentReport, reason: str = "note") -> Any:
    return replace(world.make_verdict(), proposal=None, reports=reports, reason=reason)


async def test_a_ticket_that_waits_says_so(booth: Any) -> None:
    entry = booth.propose()
    (row,) = rows(booth)
    assert row == {
        "correlation": entry.ticket.correlation,
        "strategy": "gaps",
        "instrument": "ABC.US",
        "session": "2016-01-04",
        "judged_us": entry.ticket.created_us,
        "outcome": "waiting",
        "who": "",
        "reason": "",
        "value": "",
        "bound": "",
        "margin": "",
        "number": 1,
        "decided_us": None,
    }


async def test_an_approved_ticket_names_who_and_when(booth: Any) -> None:
    entry = booth.propose()
    await booth.rig.advance(2)
    assert booth.approve(entry, price_shown=100.0).ok
    (row,) = rows(booth)
    assert (row["outcome"], row["who"], row["number"]) == ("approved", "ann on pts/1", 1)
    assert row["decided_us"] == booth.rig.clock.now_us()
    await booth.rig.settle()


async def test_a_rejected_ticket_keeps_the_words(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    booth.tickets.reject(RejectTicket(entry.ticket.id, "too wide", Actor("bob", "pts/2")))
    (row,) = rows(booth)
    assert (row["outcome"], row["who"], row["reason"]) == ("rejected", "bob on pts/2", "too wide")


async def test_an_expired_ticket_says_that_nobody_decided(booth: Any) -> None:
    booth.propose()
    await booth.rig.advance(600)
    (row,) = rows(booth)
    assert (row["outcome"], row["who"], row["reason"]) == ("expired", "engine", "nobody decided in time")


async def test_a_gate_that_refuses_says_value_limit_and_margin(booth: Any) -> None:
    for number in range(1, 4):
        booth.propose(number, instrument=f"A{number}.US")
    booth.propose(4, instrument="A4.US")
    row = next(row for row in rows(booth) if row["instrument"] == "A4.US")
    assert (row["outcome"], row["who"], row["number"]) == ("gated_out", "G8 positions", None)
    assert "3 this session" in row["value"]
    assert "< 3 this session" in row["bound"]
    assert row["margin"] == "needs 1 less this session"
    assert row["reason"] == "3 this session, limit 3"


async def test_a_quote_that_is_gone_is_an_end_too(booth: Any, world: ModuleType) -> None:
    booth.tickets.record((world.make_verdict(),))
    (row,) = rows(booth)
    assert (row["outcome"], row["who"], row["value"]) == ("gated_out", "G2 data", "no quote")


async def test_the_hard_veto_decides_before_a_soft_one(booth: Any, world: ModuleType) -> None:
    soft = AgentReport("trader", VETO, False, ("old quote",), value="quote 20.0 s old", limit="<= 15 s")
    hard = AgentReport("screener", VETO, True, ("too cheap",), value="price 3.12", limit=">= 5")
    booth.tickets.record((vetoed(world, AgentReport("sentinel", APPROVE, False, ()), soft, hard),))
    (row,) = rows(booth)
    assert (row["outcome"], row["who"], row["reason"]) == ("vetoed", "screener", "too cheap")
    assert (row["value"], row["bound"], row["margin"]) == ("price 3.12", ">= 5", "needs 1.88 more")


@pytest.mark.parametrize(
    ("reports", "who", "reason"),
    [
        ((AgentReport("trader", VETO, False, ("old quote",)),), "trader", "old quote"),
        ((AgentReport("trader", VETO, False, ()),), "trader", "note"),
        ((AgentReport("forecaster", ABSTAIN, False, ("no model",)),), "panel", "note"),
        ((), "panel", "note"),
    ],
)
async def test_without_a_hard_veto_the_first_soft_one_or_the_count_decides(
    booth: Any, world: ModuleType, reports: tuple[AgentReport, ...], who: str, reason: str
) -> None:
    booth.tickets.record((vetoed(world, *reports),))
    (row,) = rows(booth)
    assert (row["outcome"], row["who"], row["reason"]) == ("vetoed", who, reason)


async def test_an_end_that_cannot_be_journalled_is_no_end(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    before = rows(booth)
    booth.rig.journal.failures = 1
    assert not booth.approve(entry).ok
    booth.rig.journal.failures = 1
    assert not booth.tickets.reject(RejectTicket(entry.ticket.id, "no", world.ANN)).ok
    assert rows(booth) == before
    booth.rig.journal.failures = 1
    with pytest.raises(StorageError):
        booth.tickets.record((world.make_verdict(2, instrument="XYZ.US"),))
    assert rows(booth) == before
