"""A bracket as a state machine that hypothesis plays: whatever comes next, the rules hold at each step.

Orders move legally, legs are ordered, an entry is sent once, what is for sale is held, and at rest the live
stops are for exactly what is held. TRADEDECK_SEQUENCES sets how many lives are played (100,000 at night).
"""

import asyncio
import importlib.util
import os
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.execution.bracket import Bracket, BracketPhase
from engine.model.exits import ExitPlan, Tier
from engine.model.orders import BracketKind, OrderRole, OrderSide, OrderState
from engine.model.positions import ExitReason

ZERO = Decimal(0)
EXAMPLES = int(os.environ.get("TRADEDECK_SEQUENCES", "40"))
OPEN_PHASES = (BracketPhase.ENTERING, BracketPhase.PROTECTED)


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
FAULTS = (world.LOST, world.ANSWER_LOST, world.REJECT, world.UNAVAILABLE)
REPLACE_FAULTS = (world.LOST, world.ANSWER_LOST, world.REFUSE, world.UNAVAILABLE)
THIRD = Decimal("0.33")
PLANS = (
    None,
    ExitPlan(Decimal(92), (Tier(Decimal(106), THIRD), Tier(Decimal(112), THIRD)), None, 0, Decimal("0.04")),
    ExitPlan(Decimal(92), (Tier(Decimal(106), Decimal("0.5")),), 2, None, Decimal("0.03")),
)


class Machine(RuleBasedStateMachine):
    """One bracket, its venue, and a hand on time."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.rig: Any = None
        self.before: Bracket | None = None

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def settle(self) -> None:
        self.run(self.rig.settle())

    def teardown(self) -> None:
        if self.rig is not None:
            self.finish()
        self.loop.close()

    @initialize(
        kind=st.sampled_from(BracketKind),
        can_replace=st.booleans(),
        exit_plan=st.sampled_from(PLANS),
        quantity=st.sampled_from([1, 7, 10]),
    )
    def begin(self, kind: BracketKind, can_replace: bool, exit_plan: ExitPlan | None, quantity: int) -> None:
        async def start() -> None:
            self.rig = world.Rig(world.card(bracket_kind=kind, can_replace=can_replace))
            self.rig.tick = Decimal("0.01")
            self.rig.brackets.on_committed = self.committed
            self.rig.brackets.start(world.make_ticket(quantity=quantity, exit_plan=exit_plan), (), ())
            await self.rig.settle()

        self.run(start())

    def committed(self, after: Bracket) -> None:
        """Each state that is made durable follows from the one before."""
        before, self.before = self.before, after
        known = {} if before is None else {leg.id: leg for leg in before.legs}
        assert after.progress.stop_price >= (ZERO if before is None else before.progress.stop_price)
        for leg in after.legs:
            old = known.get(leg.id)
            if old is None:
                continue
            assert leg.cum >= old.cum
            legal = old.state.can_become(leg.state) or any(
                old.state.can_become(middle) and middle.can_become(leg.state) for middle in OrderState
            )
            assert leg.state is old.state or legal, (leg.id, old.state, leg.state)

    @rule(role=st.sampled_from("EESTX"), part=st.sampled_from([1, 3, 99]))
    def fill(self, role: str, part: int) -> None:
        venue = self.rig.venue
        for order in [o for o in venue.live() if o[-3] == role and venue.is_awake(o)][:1]:
            venue.fill(order, min(Decimal(part), venue.orders[order].remaining))
        self.settle()

    @rule(cents=st.integers(9000, 12500))
    def price(self, cents: int) -> None:
        self.run(self.rig.price(cents / 100))

    @rule(seconds=st.sampled_from([0.3, 1, 2.5, 5.1, 21, 61, 120]))
    def wait(self, seconds: float) -> None:
        self.run(self.rig.advance(seconds))

    @rule(fault=st.sampled_from(FAULTS))
    def next_send_fails(self, fault: str) -> None:
        self.rig.venue.faults["send"].append(fault)

    @rule(fault=st.sampled_from(REPLACE_FAULTS))
    def next_replacement_fails(self, fault: str) -> None:
        self.rig.venue.faults["replace"].append(fault)

    @rule(call=st.sampled_from(["ask", "cancel", "executions"]))
    def next_question_fails(self, call: str) -> None:
        self.rig.venue.faults[call].append(world.UNAVAILABLE)

    @precondition(lambda self: self.rig.venue.live())
    @rule(data=st.data())
    def the_venue_ends_an_order(self, data: st.DataObject) -> None:
        venue = self.rig.venue
        venue.end(data.draw(st.sampled_from(sorted(venue.live()))), OrderState.CANCELED)
        self.settle()

    @rule(reason=st.sampled_from([ExitReason.MANUAL, ExitReason.NEWS, ExitReason.EMERGENCY]))
    def leave(self, reason: ExitReason) -> None:
        async def go() -> None:
            self.rig.brackets.want_exit(self.rig.now().ticket, reason)
            await self.rig.settle()

        self.run(go())

    @rule(halted=st.booleans())
    def halt(self, halted: bool) -> None:
        async def look() -> None:
            self.rig.halted = halted
            self.rig.brackets.review_all()
            await self.rig.settle()

        self.run(look())

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            self.rig.kill()
            self.before = None
            for call in ("ask", "executions", "open"):
                self.rig.venue.faults[call].clear()  # a start that cannot ask does not become a start
            self.rig.brackets.on_committed = self.committed
            await self.rig.recover()
            self.rig.brackets.review_all()
            await self.rig.settle()

        self.run(again())

    @invariant()
    def one_entry_and_no_short_sale(self) -> None:
        if self.rig is None:
            return
        assert len(self.rig.venue.sent("E")) <= 1
        assert self.rig.venue.lowest >= ZERO

    @invariant()
    def what_is_for_sale_is_held(self) -> None:
        if self.rig is None:
            return
        venue = self.rig.venue
        for role in ("S", "X"):
            selling = sum(
                (
                    placed.remaining
                    for order, placed in venue.orders.items()
                    if placed.is_live and order[-3] == role and venue.is_awake(order)
                    if placed.spec.side is OrderSide.SELL
                ),
                ZERO,
            )
            legs = [(leg.id[-3:], leg.state.value, leg.cum, leg.spec.quantity) for leg in self.rig.now().legs]
            assert selling <= max(venue.position[world.ABC], ZERO), (self.rig.now().phase, legs)

    @invariant()
    def legs_are_ordered(self) -> None:
        if self.rig is None:
            return
        bracket = self.rig.now()
        assert [leg.place for leg in bracket.legs] == sorted(leg.place for leg in bracket.legs)
        for leg in bracket.of_role(OrderRole.STOP):
            target = bracket.sibling(leg)
            assert target is None or leg.spec.stop_price < target.spec.limit_price

    @invariant()
    def at_rest_the_stops_are_for_what_is_held(self) -> None:
        if self.rig is None:
            return
        bracket, venue = self.rig.now(), self.rig.venue
        at_rest = all(leg.state.is_terminal or leg.state is OrderState.WORKING for leg in bracket.legs)
        asked = any(leg.cancel_us is not None for leg in bracket.legs if leg.is_live)
        selling = any(leg.is_live for leg in bracket.of_role(OrderRole.EXIT))
        # After refused stops and a refused exit nothing goes until the pause is over.
        paused = self.rig.clock.now_us() < bracket.retry_exit_us
        if bracket.phase is BracketPhase.PROTECTED and at_rest and not asked and not selling and not paused:
            linked = any(leg.fills for leg in bracket.of_role(OrderRole.TARGET) if leg.is_live)
            assert bracket.cover == bracket.held or linked
            assert bracket.held == venue.position[world.ABC]

    @invariant()
    def the_journal_holds_it(self) -> None:
        if self.rig is not None:
            self.rig.assert_restores()

    async def sell(self) -> None:
        """The venue fills every exit that works."""
        await self.rig.settle()
        for order in [o for o in self.rig.venue.live() if o[-3] == "X"]:
            self.rig.venue.fill(order)
        await self.rig.settle()

    def finish(self) -> None:
        """Faults stop: it comes to rest protected, and then ends."""

        async def end() -> None:
            rig = self.rig
            for faults in rig.venue.faults.values():
                faults.clear()
            rig.halted = False
            await rig.recover()
            rig.brackets.review_all()
            await rig.settle()
            for _ in range(3):
                await rig.advance(300)
                await self.sell()
            if rig.now().phase in OPEN_PHASES:
                rig.assert_covered()
            rig.brackets.want_exit(rig.now().ticket, ExitReason.MANUAL)
            for _ in range(4):
                await self.sell()
                await rig.advance(100)
            rig.assert_over()

        self.run(end())


TestBracketMachine = Machine.TestCase
TestBracketMachine.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    derandomize=EXAMPLES == 40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
