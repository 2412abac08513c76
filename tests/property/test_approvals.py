"""A forged or replayed approval never sends: whatever of it is changed, and however often it comes again."""

import asyncio
import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import US_PER_S
from engine.model.approvals import Approval
from engine.model.commands import Actor, ApproveTicket, RejectTicket
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
HEX = "0123456789abcdef"
TICKETS = st.integers(0, 1)
NONCES = st.sampled_from(["n1", "n2", "n3", "", "n" * 129])
PRICES = st.one_of(
    st.none(),
    st.just(100.0),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([100.2, 99.7, 100.5, 100.51, 99.49, 1e9, -100.0]),
)
AGES_S = st.one_of(st.none(), st.sampled_from([0, 30, 60, 61, 3600, -1, -2]))
HASHES = st.one_of(
    st.just("own"),
    st.just("other"),
    st.tuples(st.integers(0, 63), st.sampled_from(HEX)),
    st.sampled_from(["", "0" * 64, "upper", "short"]),
)
ACTORS = st.sampled_from([world.ANN, world.BOB, Actor("eve", "", uid=0)])
STEPS = st.one_of(
    st.tuples(st.just("approve"), TICKETS, HASHES, NONCES, PRICES, AGES_S, ACTORS),
    st.tuples(st.just("again"), st.integers(0, 9)),
    st.tuples(st.just("ghost"), NONCES),
    st.tuples(st.just("wait"), st.sampled_from([1, 59, 300])),
    st.tuples(st.just("reject"), TICKETS),
    st.tuples(st.just("restart")),
)


class Desk:
    """Two waiting tickets, and a second opinion on which approval may send."""

    def __init__(self) -> None:
        self.booth = world.Booth(world.Rig())
        self.entries = [self.booth.propose(n + 1, instrument=name) for n, name in enumerate(NAMES)]
        self.given: list[ApproveTicket] = []
        self.sent: dict[str, str] = {}
        """Ticket -> the nonce that sent it."""

    def quote(self) -> None:
        for name in NAMES:
            self.booth.quote(100.0, name)

    def digest(self, ticket: int, wanted: Any) -> str:
        own, other = self.entries[ticket].sha256, self.entries[1 - ticket].sha256
        match wanted:
            case "own":
                return str(own)
            case "other":
                return str(other)
            case "upper":
                return str(own).upper()
            case "short":
                return str(own)[:63]
            case (place, digit):
                return f"{own[:place]}{digit}{own[place + 1 :]}"
            case _:
                return str(wanted)

    def approve(self, step: tuple[Any, ...]) -> None:
        _, number, wanted, nonce, price, age, actor = step
        now = self.booth.rig.clock.now_us()
        shown = None if age is None else now - age * US_PER_S
        ticket = self.entries[number].ticket.id
        self.give(ApproveTicket(ticket, self.digest(number, wanted), nonce, price, actor, shown))

    def give(self, command: ApproveTicket) -> None:
        self.given.append(command)
        may, repeated = self.may_send(command), self.is_repeated(command)
        answer = self.booth.tickets.approve(command)
        assert answer.ok is (may or repeated), answer
        if may:
            self.sent[command.ticket] = command.nonce

    def is_repeated(self, command: ApproveTicket) -> bool:
        entry = next(entry for entry in self.entries if entry.ticket.id == command.ticket)
        return self.sent.get(command.ticket) == command.nonce and command.sha256 == entry.sha256

    def may_send(self, command: ApproveTicket) -> bool:
        entry = next(entry for entry in self.entries if entry.ticket.id == command.ticket)
        now, shown = self.booth.rig.clock.now_us(), command.shown_us
        price = 100.0 if command.price_shown is None else command.price_shown
        return (
            self.booth.state(entry) is ProposalState.PENDING
            and now < entry.ticket.expires_us
            and command.sha256 == entry.sha256
            and 0 < len(command.nonce) <= 128
            and command.nonce not in self.sent.values()
            and (shown is None or -US_PER_S <= now - shown <= 60 * US_PER_S)
            and math.isfinite(price)
            and price > 0
            and abs(100.0 - price) <= 0.005 * price
        )

    async def step(self, step: tuple[Any, ...]) -> None:
        self.quote()
        match step[0]:
            case "approve":
                self.approve(step)
            case "again" if self.given:
                self.give(self.given[step[1] % len(self.given)])
            case "ghost":
                command = ApproveTicket(world.ticket_id(9), self.entries[0].sha256, step[1], None, world.ANN)
                assert self.booth.tickets.approve(command).code == "unknown_ticket"
            case "wait":
                await self.booth.rig.advance(step[1])
            case "reject":
                self.booth.tickets.reject(RejectTicket(self.entries[step[1]].ticket.id, "no", world.BOB))
            case "restart":
                await self.booth.rig.settle()
                self.booth.rig.kill()
                self.booth.boot()
        await self.booth.rig.settle()
        self.check()

    def check(self) -> None:
        """One entry for each approval that was carried out, and nothing else was ever sent."""
        entries = {order for order in self.booth.rig.venue.sent("E")}
        assert {order[2:28] for order in entries} == set(self.sent)
        nonces = {row["nonce"]: row["ticket"] for row in self.booth.rig.journal.rows("nonce")}
        assert nonces == {nonce: ticket for ticket, nonce in self.sent.items()}
        for row in self.booth.rig.journal.rows("ticket"):
            assert (row["approved_us"] is not None) is (row["id"] in self.sent)


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_only_an_approval_of_what_waits_sends_and_only_once(steps: list[tuple[Any, ...]]) -> None:
    async def live() -> None:
        desk = Desk()
        for step in steps:
            await desk.step(step)

    asyncio.run(live())


FIELDS = st.one_of(
    st.tuples(st.just("ticket"), st.text(max_size=30)),
    st.tuples(st.just("sha256"), st.text(alphabet=HEX, max_size=64)),
    st.tuples(st.just("nonce"), st.text(max_size=40)),
    st.tuples(st.just("actor"), st.text(max_size=40)),
    st.tuples(st.just("uid"), st.one_of(st.none(), st.integers(0, 1 << 31))),
    st.tuples(st.just("approved_us"), st.integers(0, 1 << 53)),
    st.tuples(st.just("price_shown"), st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))),
)
GIVEN = Approval("01T", "ab" * 32, "n1", "ann on pts/1", 1000, 50, 8.37)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(FIELDS)
def test_no_two_approvals_sign_the_same_bytes(change: tuple[str, Any]) -> None:
    name, value = change
    forged = replace(GIVEN, **{name: value})
    same = getattr(GIVEN, name) == value and math.copysign(1, value if name == "price_shown" and value else 1)
    assert (forged.canonical() == GIVEN.canonical()) is bool(same)
