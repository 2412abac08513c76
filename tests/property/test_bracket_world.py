"""Random faults at an honest venue: a bracket neither doubles, oversells, spins nor forgets.

The venue keeps its card (late requests arrive within its expiry, ids are unique, groups are linked) and sells
short without asking, so that an oversale would show.
"""

import asyncio
import importlib.util
import os
import random
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.evidence import VenueHolds
from engine.model.exits import ExitPlan, Tier
from engine.model.market import CorporateAction, corporate_action_kind
from engine.model.orders import BracketKind, OrderRole, OrderSide, OrderState
from engine.model.positions import ExitReason

ZERO = Decimal(0)
EXAMPLES = int(os.environ.get("TRADEDECK_SEQUENCES", "120"))
"""100,000 at night."""
EXPIRY_S = 3


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
CARDS = (
    world.card(),
    world.card(request_expiry_us=EXPIRY_S * 1_000_000, visibility_lag_us=500_000),
    world.card(request_expiry_us=EXPIRY_S * 1_000_000, client_id_unique_for_ever=False),
    world.card(bracket_kind=BracketKind.SYNTHETIC),
    world.card(bracket_kind=BracketKind.OCO, can_replace=True),
    world.card(bracket_kind=BracketKind.SYNTHETIC, can_replace=True, request_expiry_us=EXPIRY_S * 1_000_000),
)
HALF = Decimal("0.5")
PLANS = (
    None,
    None,
    ExitPlan(
        Decimal(92),
        (Tier(Decimal(106), Decimal("0.33")), Tier(Decimal(112), Decimal("0.33"))),
        3,
        0,
        Decimal("0.04"),
    ),
    ExitPlan(Decimal(92), (Tier(Decimal(106), HALF), Tier(Decimal(112), HALF)), None, 0),
    ExitPlan(Decimal(92), (Tier(Decimal(106), HALF),), 3, None, Decimal("0.05")),
)
FAULTS = (world.LOST, world.ANSWER_LOST, world.REJECT, world.REFUSE, world.UNAVAILABLE, world.LATE)
REPLACE_FAULTS = (world.LOST, world.ANSWER_LOST, world.REFUSE, world.UNAVAILABLE, world.LATE)
STREAMS = ("whole", "whole", "hold", "shuffle", "double", "drop")
QUANTITIES = st.sampled_from([1, 3, None])
STEPS = st.one_of(
    st.tuples(st.just("fill"), st.sampled_from("ESTX"), QUANTITIES, st.sampled_from(STREAMS)),
    st.tuples(st.just("send fault"), st.sampled_from(FAULTS)),
    st.tuples(st.just("read fault"), st.sampled_from(["ask", "cancel", "executions", "open"])),
    st.tuples(st.just("replace fault"), st.sampled_from(REPLACE_FAULTS)),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.6, 2.1, 11, 95])),
    st.tuples(st.just("price"), st.sampled_from([90.0, 95.0, 100.0, 107.0, 109.5, 113.0])),
    st.tuples(st.just("gone"), st.sampled_from([1, 4, 10])),
    st.tuples(st.just("halt"), st.booleans()),
    st.tuples(st.just("exit")),
    st.tuples(st.just("night")),
    st.tuples(st.just("kill")),
    st.tuples(st.just("action"), st.sampled_from([0.5, 10.0, 0.98])),
    st.tuples(st.just("cancel"), st.sampled_from("ST")),
)
WAIT = ("wait", 5)
FILLED = [WAIT, ("fill", "E", None, "whole")]
PARTLY = [WAIT, ("fill", "E", 3, "whole")]
BEGINNINGS: list[list[tuple[Any, ...]]] = [
    [],
    [("send fault", world.LOST)],
    [("send fault", world.ANSWER_LOST), *FILLED],
    FILLED,
    [*FILLED, ("night",), ("action", 0.5)],
    [*FILLED, ("send fault", world.REJECT), ("exit",)],
    [*FILLED, ("send fault", world.LOST), ("exit",)],
    PARTLY,
    [*PARTLY, ("send fault", world.LATE), WAIT],
    [*PARTLY, ("send fault", world.ANSWER_LOST), ("send fault", world.LOST), WAIT],
    [*PARTLY, ("send fault", world.REJECT), ("send fault", world.REJECT), WAIT],
    [*FILLED, ("price", 107.0)],
    [*FILLED, ("replace fault", world.LOST), ("price", 107.0), ("price", 109.5)],
    [*FILLED, ("replace fault", world.LATE), ("price", 109.5), WAIT, ("price", 113.0)],
    [*FILLED, ("replace fault", world.REFUSE), ("price", 107.0), ("fill", "S", 3, "hold")],
    [*FILLED, ("gone", 4), WAIT],
]
"""Where the interesting part of a life begins; what is random comes after."""


class Life:
    """One bracket through a list of steps."""

    def __init__(self, capabilities: Any, seed: int, exit_plan: ExitPlan | None = None) -> None:
        self.rig = world.Rig(capabilities)
        self.random = random.Random(seed)
        self.day = world.MONDAY
        self.restated = False
        self.exit_plan = exit_plan
        self.watch()

    def watch(self) -> None:
        """Check each committed state against the one before."""
        self.before: Bracket | None = None
        self.rig.brackets.on_committed = self.check

    def check(self, after: Bracket) -> None:
        before, self.before = self.before, after
        assert [leg.place for leg in after.legs] == sorted(leg.place for leg in after.legs)
        assert sum(leg.role is OrderRole.ENTRY for leg in after.legs) == 1
        known = {} if before is None else {leg.id: leg for leg in before.legs}
        for leg in after.legs:
            old = known.get(leg.id)
            assert leg.cum >= (ZERO if old is None else old.cum)
            assert sum((fill.quantity for fill in leg.fills), ZERO) <= leg.cum
            if old is not None and old.state is not leg.state:
                # Several facts' worth of moves may lie between two commits, never an impossible one.
                assert old.state.can_become(leg.state) or any(
                    old.state.can_become(middle) and middle.can_become(leg.state) for middle in OrderState
                ), (old.state, leg.state)
        if before is not None:
            self.check_sales(after, [leg for leg in after.legs if leg.id not in known])

    def check_sales(self, after: Bracket, new: list[Any]) -> None:
        """What is newly sent for sale never exceeds what is held and not already for sale."""
        if not any(leg.spec.side is OrderSide.SELL for leg in new):
            return
        selling = sum(
            (
                leg.remaining
                for leg in after.of_role(OrderRole.STOP, OrderRole.EXIT)
                if leg.is_live
                and leg.spec.side is OrderSide.SELL
                and after.is_awake(leg)
                # Of two that take each other's place one exists.
                and after.successor(leg) is None
            ),
            ZERO,
        )
        assert selling <= max(after.held, ZERO), (selling, after.held)

    async def play(self, first: list[tuple[Any, ...]], steps: list[tuple[Any, ...]]) -> None:
        rig = self.rig
        for fault in [step for step in first if step[0] == "send fault"]:
            await self.step(*fault)
        rig.brackets.start(world.make_ticket(exit_plan=self.exit_plan), (), ())
        for step in [step for step in first if step[0] != "send fault"] + steps:
            await self.step(*step)
            await rig.settle()
            assert len(rig.venue.sent("E")) <= 1
            assert rig.venue.lowest >= ZERO
            rig.assert_restores()
        await self.end()

    async def step(self, kind: str, *what: Any) -> None:
        rig, venue = self.rig, self.rig.venue
        match kind, *what:
            case "fill", role, quantity, how:
                await rig.settle()
                rig.streaming = False
                self.fill(role, quantity)
                self.disturb(how)
            case "send fault", fault:
                venue.faults["send"].append(fault)
            case "replace fault", fault:
                venue.faults["replace"].append(fault)
            case "gone", quantity:
                self.lose(quantity)
            case "read fault", call:
                venue.faults[call].append(world.UNAVAILABLE)
            case "wait", seconds:
                if venue.late:
                    rig.scheduler.call_at(rig.clock.now_us() + EXPIRY_S * 900_000, venue.arrive_late)
                await rig.advance(seconds)
            case "price", price:
                await rig.price(price)
            case "halt", halted:
                rig.halted = halted
                rig.brackets.review_all()
            case ("exit",):
                rig.brackets.want_exit(world.ticket_id(), ExitReason.MANUAL)
            case ("night",):
                await rig.close_session(self.day)
                await self.morning()
            case ("kill",):
                rig.kill()
                self.watch()
                await self.reconcile()
            case "action", ratio:
                await self.action(ratio)
            case "cancel", role:
                for order in [o for o in venue.live() if o[-3] == role and venue.is_awake(o)][:1]:
                    venue.end(order, OrderState.CANCELED)

    def fill(self, role: str, quantity: int | None) -> None:
        venue = self.rig.venue
        for order in [o for o in venue.live() if o[-3] == role and venue.is_awake(o)][:1]:
            remaining = venue.orders[order].remaining
            venue.fill(order, remaining if quantity is None else min(Decimal(quantity), remaining))

    def lose(self, quantity: int) -> None:
        """Shares leave the account by other hands; two looks at the venue's books prove it."""
        rig, held = self.rig, self.rig.venue.position[world.ABC]
        bracket = rig.now()
        if bracket.phase is BracketPhase.CLOSED or venue_busy(rig) or held <= ZERO:
            return
        rig.venue.position[world.ABC] = max(held - quantity, ZERO)
        rig.brackets.tell(bracket.ticket, VenueHolds(rig.venue.position[world.ABC]))

    def disturb(self, how: str) -> None:
        """What becomes of the reports that are on their way."""
        outbox = self.rig.venue.outbox
        if how == "shuffle":
            updates = list(outbox)
            self.random.shuffle(updates)
            outbox.clear()
            outbox.extend(updates)
        elif how == "double":
            outbox.extend(list(outbox))
        elif how == "drop":
            for _ in range(self.random.randint(0, len(outbox))):
                outbox.popleft()
        self.rig.streaming = how != "hold"

    async def morning(self) -> None:
        venue = self.rig.venue
        for order in [o for o in venue.live() if venue.orders[o].spec.tif == "day"]:
            if venue.orders[order].is_live:
                venue.end(order, OrderState.EXPIRED)
        await self.rig.settle()
        self.day += timedelta(days=1)
        await self.rig.open_session(self.day)

    async def action(self, ratio: float) -> None:
        rig = self.rig
        if venue_busy(rig):
            return  # the night before an ex-date is longer than any request
        self.day += timedelta(days=1)
        ex_date: date = self.day
        action = CorporateAction(world.ABC, corporate_action_kind(ratio), ratio, 100.0, ex_date, 0)
        rig.brackets.restate((action,))
        rig.picture.seed(world.ABC, 100.0)
        rig.picture.restate((action,))
        if ratio == 0.98:
            rig.venue.split(Decimal(1))
        else:
            rig.venue.split(Decimal(str(ratio)))
        await rig.settle()

    async def reconcile(self) -> None:
        rig = self.rig
        for faults in rig.venue.faults.values():
            faults.clear()
        rig.streaming = True
        await rig.recover()
        rig.brackets.review_all()

    async def end(self) -> None:
        """Faults stop: everything must come to rest, protected, and then end."""
        rig, venue = self.rig, self.rig.venue
        venue.arrive_late()
        venue.gate.set()
        rig.halted = False
        await self.reconcile()
        await rig.settle()
        await rig.advance(200)
        bracket = rig.now()
        if bracket.phase in (BracketPhase.ENTERING, BracketPhase.PROTECTED):
            await rig.advance(700)
            bracket = rig.now()
        if bracket.phase is BracketPhase.PROTECTED:
            rig.assert_covered()
        rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
        for _ in range(5):
            await rig.settle()
            self.fill("X", None)
            await rig.settle()
            await rig.advance(100)
        rig.assert_over()


def venue_busy(rig: Any) -> bool:
    return bool(
        rig.venue.late
        or rig.venue.outbox
        or rig.now().has_unknown
        or rig.brackets.in_flight
        or any(leg.unbooked for leg in rig.now().legs)
        or rig.now().held != rig.venue.position[world.ABC]
    )


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 120)
@given(
    capabilities=st.sampled_from(CARDS),
    exit_plan=st.sampled_from(PLANS),
    seed=st.integers(0, 1000),
    first=st.sampled_from(BEGINNINGS),
    steps=st.lists(STEPS, max_size=25),
)
def test_any_life_of_a_bracket_ends_flat(
    capabilities: Any,
    exit_plan: ExitPlan | None,
    seed: int,
    first: list[tuple[Any, ...]],
    steps: list[tuple[Any, ...]],
) -> None:
    async def live() -> None:
        await Life(capabilities, seed, exit_plan).play(first, steps)

    asyncio.run(live())
