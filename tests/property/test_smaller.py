"""However a ticket is made smaller, snoozed, approved and cut off: at most one entry, never a larger one."""

import asyncio
import importlib.util
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.commands import RejectTicket, ShrinkTicket, SnoozeTicket
from engine.model.tickets import ProposalState


def load() -> ModuleType:
    # By path: another distribution installs a top-level package `tests`.
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


world = load()
NAMES = ("ABC.US", "XYZ.US")
SIZE = 10
SIZES = st.one_of(
    st.integers(-1, 12).map(Decimal), st.sampled_from(["0.5", "4.0", "1E+1", "NaN"]).map(Decimal)
)
ANY = st.integers(0, 7)
"""Which of all tickets there ever were, counted round."""
STEPS = st.one_of(
    st.tuples(st.just("shrink"), ANY, SIZES, st.booleans()),
    st.tuples(st.just("shrink"), ANY, st.integers(1, 9).map(Decimal), st.just(True)),
    st.tuples(st.just("approve"), ANY),
    st.tuples(st.just("snooze"), ANY),
    st.tuples(st.just("reject"), ANY),
    st.tuples(st.just("wait"), st.sampled_from([1, 120, 301])),
    st.tuples(st.just("restart")),
    st.tuples(st.just("full disk")),
)


class Desk:
    """Two candidates, the tickets that came of them, and what was asked for."""

    def __init__(self) -> None:
        self.booth = world.Booth(world.Rig())
        first = [self.booth.propose(n + 1, instrument=name, quantity=SIZE) for n, name in enumerate(NAMES)]
        self.expires = {entry.ticket.correlation: entry.ticket.expires_us for entry in first}
        self.approvals = 0

    def entries(self) -> list[Any]:
        """Every ticket, oldest first."""
        return sorted(self.booth.tickets, key=lambda entry: entry.ticket.number)

    def shrink(self, entry: Any, size: Decimal, *, is_shown: bool) -> None:
        before, rows = self.entries(), self.rows()
        sha256 = entry.sha256 if is_shown else "0" * 64
        answer = self.booth.tickets.shrink(ShrinkTicket(entry.ticket.id, sha256, size, world.ANN))
        after = self.entries()
        if len(after) == len(before):
            # Refused, or that size already: nothing was written.
            assert self.rows() == rows
            return
        made = after[-1]
        assert answer.ok
        assert entry.state is ProposalState.PENDING
        assert is_shown
        assert 0 < size < entry.ticket.order.entry.quantity
        assert made.ticket.order.entry.quantity == size
        assert made.replaces == entry.ticket.id

    def rows(self) -> Any:
        return [self.booth.rig.journal.rows(name) for name in ("ticket", "whynot", "nonce")]

    async def step(self, step: tuple[Any, ...]) -> None:
        for name in NAMES:
            self.booth.quote(100.0, name)
        entries = self.entries()
        one = entries[step[1] % len(entries)] if len(step) > 1 else None
        match step[0]:
            case "shrink":
                self.shrink(one, step[2], is_shown=step[3])
            case "approve":
                self.approvals += 1
                self.booth.approve(one, f"n{self.approvals}")
            case "snooze":
                self.booth.tickets.snooze(SnoozeTicket(one.ticket.id, world.BOB))
            case "reject":
                self.booth.tickets.reject(RejectTicket(one.ticket.id, "no", world.BOB))
            case "wait":
                await self.booth.rig.advance(step[1])
            case "restart":
                # Every boot of this world counts its ids from one: they differ by their time.
                await self.booth.rig.advance(0.01)
                self.booth.rig.kill()
                self.booth.boot()
            case "full disk":
                self.booth.rig.journal.failures = 1
                self.booth.tickets.shrink(
                    ShrinkTicket(entries[-1].ticket.id, entries[-1].sha256, Decimal(1), world.ANN)
                )
                self.booth.rig.journal.failures = 0
                self.booth.rig.halted = False
        await self.booth.rig.settle()
        self.check()

    def check(self) -> None:
        sent = {order[2:28] for order in self.booth.rig.venue.sent("E")}
        by_candidate: dict[Any, list[Any]] = {}
        for entry in self.entries():
            by_candidate.setdefault(entry.ticket.correlation, []).append(entry)
        numbers = [entry.ticket.number for entry in self.entries()]
        assert numbers == sorted(set(numbers))
        whynot = {row["correlation"]: row["number"] for row in self.booth.rig.journal.rows("whynot")}
        for correlation, family in by_candidate.items():
            sizes = [entry.ticket.order.entry.quantity for entry in family]
            assert sizes == sorted(set(sizes), reverse=True)
            assert sizes[0] == SIZE
            # All but the last gave way; at most the last was ever approved and sent.
            assert {entry.state for entry in family[:-1]} <= {ProposalState.SUPERSEDED}
            assert family[-1].state is not ProposalState.SUPERSEDED
            assert [entry.replaces for entry in family] == [None, *(each.ticket.id for each in family[:-1])]
            assert all(entry.approved_us is None for entry in family[:-1])
            assert {entry.ticket.id for entry in family} & sent <= {family[-1].ticket.id}
            assert {entry.ticket.expires_us for entry in family} == {self.expires[correlation]}
            assert all(entry.sha256 == entry.ticket.sha256 for entry in family)
            assert whynot[correlation] == family[-1].ticket.number
            assert self.booth.tickets.of_candidate(correlation) == family[-1]
        for bracket in self.booth.rig.brackets.open():
            approved = self.booth.tickets.get(bracket.ticket)
            assert bracket.quantity == approved.ticket.order.entry.quantity


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_a_family_of_tickets_is_one_trade_at_most_and_never_grows(steps: list[tuple[Any, ...]]) -> None:
    async def live() -> None:
        desk = Desk()
        for step in steps:
            await desk.step(step)

    asyncio.run(live())
