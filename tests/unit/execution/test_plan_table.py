"""The plan table of RELIABILITY 5.3 read literally: each row is reachable and obeyed by generated brackets.

A row is a phase, a condition and what must be done, written from the table and not from the planner. The
first row that matches a bracket must be what `plan` does; what no row matches must send nothing.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.execution.bracket import (
    Bracket,
    BracketPhase,
    Leg,
    exit_spec,
    open_bracket,
    stop_spec,
    target_spec,
)
from engine.execution.exits import ExitState
from engine.execution.planner import plan
from engine.execution.steps import (
    Action,
    AskOrder,
    CancelOrder,
    Circumstances,
    HaltScope,
    RaiseAlarm,
    ReplaceOrder,
    SendBracket,
    SendOrder,
    Step,
)
from engine.model.exits import ExitPlan, Tier
from engine.model.orders import BracketKind, Fill, OrderRole, OrderSide, OrderState, OrderType, TimeInForce
from engine.model.positions import ExitReason
from engine.ports import Capabilities

ZERO = Decimal(0)
SECOND = 1_000_000
NOW = 1_451_917_900_000_000
OPENED = NOW - 30 * SECOND
SAMPLES = 5_000
ENTERING, PROTECTED = BracketPhase.ENTERING, BracketPhase.PROTECTED
EXITING, DRAINING, CLOSED = BracketPhase.EXITING, BracketPhase.DRAINING, BracketPhase.CLOSED
WORKING, UNKNOWN, SENDING = OrderState.WORKING, OrderState.UNKNOWN, OrderState.SENDING
FILLED, CANCELED, REJECTED = OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED
NOTPLACED = OrderState.NOTPLACED
TIERS = (Tier(Decimal(120), Decimal("0.3")), Tier(Decimal(150), Decimal("0.3")))
TIERED = ExitPlan(Decimal(92), TIERS, 5, 0, Decimal("0.2"))
STOP, TARGET = Decimal(92), Decimal(106)


@dataclass(frozen=True)
class Case:
    """A bracket, what is known besides, and in the table's words what that means."""

    bracket: Bracket
    now: Circumstances

    @property
    def pos(self) -> Decimal:
        ours = sum((leg.spec.side.sign * leg.cum for leg in self.bracket.legs), ZERO)
        return ours - self.bracket.missing

    @property
    def entry(self) -> Leg:
        return self.bracket.legs[0]

    @property
    def is_grouped(self) -> bool:
        return any(leg.parent for leg in self.bracket.legs)

    def live(self, *roles: OrderRole) -> list[Leg]:
        return [leg for leg in self.bracket.legs if leg.role in roles and not leg.state.is_terminal]

    @property
    def stops(self) -> list[Leg]:
        """Live stops that the venue works: not those that sleep for the entry."""
        return [leg for leg in self.live(OrderRole.STOP) if not leg.parent or self.entry.state is FILLED]

    @property
    def cover(self) -> Decimal:
        """What rests, and legs of a group whose entry filled completely."""
        return sum((leg.remaining for leg in self.stops if leg.state is WORKING or leg.parent), ZERO)

    @property
    def sales(self) -> list[Leg]:
        return [leg for leg in self.live(OrderRole.EXIT) if leg.spec.side is OrderSide.SELL]

    @property
    def through(self) -> bool:
        return self.now.last_price is not None and self.now.last_price <= self.bracket.stop_price

    @property
    def refused_twice(self) -> bool:
        """The two last stops, after the last exit."""
        own = [
            leg
            for leg in self.bracket.of_role(OrderRole.STOP)
            if not (leg.replaces and leg.state is REJECTED)
        ]
        since = max((leg.changed_us for leg in self.bracket.of_role(OrderRole.EXIT)), default=0)
        return len(own) > 1 and all(leg.state is REJECTED and leg.changed_us >= since for leg in own[-2:])

    @property
    def paused(self) -> bool:
        return self.now.now_us < self.bracket.retry_exit_us

    @property
    def tier(self) -> Decimal:
        """Shares of the touched tiers that are not sold yet."""
        done = self.bracket.progress.tiers_done
        sold = sum((int(tier.share * self.entry.cum) for tier in TIERS[:done]), 0)
        return max(self.pos - (self.entry.cum - sold), ZERO) if done else ZERO

    @property
    def wanted_cover(self) -> Decimal:
        """What is held, less what tiers sell or may sell now."""
        wanted = self.pos - sum((leg.remaining for leg in self.sales), ZERO)
        if not self.sales and tier_may_go(self):
            wanted -= self.tier
        return max(wanted, ZERO)

    @property
    def moves(self) -> bool:
        """The last price changes how far the exit plan has come, or went through a stop the venue lacks."""
        price, progress, terms = self.now.last_price, self.bracket.progress, self.bracket.exit_plan
        at_venue = [
            leg for leg in self.live(OrderRole.TARGET) if not leg.parent or self.entry.state is FILLED
        ]
        if price is None or not self.now.session_open or at_venue:
            return False
        if price <= progress.stop_price:
            working = [leg.spec.stop_price for leg in self.stops if leg.state is WORKING]
            return self.cover >= self.wanted_cover and not any(stop >= price for stop in working)
        touched = any(price >= tier.price for tier in terms.targets[progress.tiers_done :])
        trails = terms.trail_ratio is not None and progress.tiers_done > 0
        return touched or (trails and price * Decimal("0.8") >= progress.stop_price * Decimal("1.01"))


def filled(leg: Leg, cum: int) -> Leg:
    """With its executions booked."""
    if not cum:
        return leg
    fill = Fill(
        f"x{leg.id}", leg.id, leg.spec.instrument, leg.spec.side, Decimal(cum), Decimal(100), ZERO, OPENED
    )
    return replace(leg, cum=Decimal(cum), fills=(fill,))


def placed(
    rng: random.Random, spec: Any, role: OrderRole, n: int, states: list[OrderState], **more: Any
) -> Leg:
    state = rng.choice(states)
    quantity = int(spec.quantity)
    cum = quantity if state is FILLED else rng.choice([0, 0, 0, 1]) if state in (WORKING, CANCELED) else 0
    cum = 0 if cum >= quantity and state is not FILLED else cum
    changed = NOW - rng.choice([1, 3, 95]) * SECOND
    cancel_us = rng.choice([None, None, NOW - SECOND, NOW - 3 * SECOND])
    leg = Leg(
        spec,
        role,
        n,
        state,
        attempts=1,
        first_send_us=OPENED,
        last_send_us=NOW - SECOND,
        changed_us=changed,
        ask_us=NOW + SECOND,
        cancel_us=cancel_us if state in (WORKING, CANCELED) else None,
        **more,
    )
    return filled(leg, cum)


def case(world: ModuleType, rng: random.Random) -> Case:
    kind = rng.choice(list(BracketKind))
    tiered = rng.random() < 0.4
    ticket = world.make_ticket(target="120", exit_plan=TIERED) if tiered else world.make_ticket()
    start = open_bracket(ticket, OPENED, kind)
    known = [WORKING, WORKING, WORKING, SENDING, UNKNOWN, CANCELED, REJECTED, NOTPLACED, FILLED]
    cum = rng.choice([0, 0, 4, 10, 10, 10])
    states = [WORKING, CANCELED] if cum else [WORKING, SENDING, UNKNOWN, CANCELED, REJECTED, NOTPLACED]
    state = FILLED if cum == 10 else rng.choice(states)
    entry = replace(
        filled(start.entry, cum),
        state=state,
        last_send_us=NOW - SECOND,
        ask_us=NOW + SECOND,
        changed_us=NOW - rng.choice([1, 95]) * SECOND,
        cancel_us=rng.choice([None, NOW - SECOND, NOW - 3 * SECOND]),
    )
    legs = [entry]
    if start.is_grouped:
        pair = rng.choice([WORKING, WORKING, UNKNOWN, CANCELED])
        legs += [
            replace(leg, state=pair, last_send_us=NOW - SECOND, ask_us=NOW + SECOND) for leg in start.legs[1:]
        ]
    for n in range(rng.choice([0, 1, 1, 2])):
        quantity, price = Decimal(rng.choice([3, 4, 7, 10])), rng.choice([STOP, STOP, Decimal(100)])
        spec = stop_spec(start.ticket, start.instrument, n + 1, quantity, price if tiered else STOP)
        legs.append(placed(rng, spec, OrderRole.STOP, n + 1, known))
        if not tiered and kind is not BracketKind.SYNTHETIC and rng.random() < 0.3:
            spec = target_spec(start.ticket, start.instrument, n + 1, quantity, TARGET)
            legs.append(placed(rng, spec, OrderRole.TARGET, n + 1, [legs[-1].state]))
    for n in range(rng.choice([0, 0, 0, 1, 1, 2])):
        side = rng.choice([OrderSide.SELL] * 5 + [OrderSide.BUY])
        limit = rng.choice([None, Decimal(98)])
        spec = exit_spec(
            start.ticket, start.instrument, n, side, Decimal(rng.choice([3, 4, 10])), TimeInForce.DAY, limit
        )
        legs.append(placed(rng, spec, OrderRole.EXIT, n, known))
    return Case(bracket(rng, start, legs, tiered), circumstances(rng, kind))


def bracket(rng: random.Random, start: Bracket, legs: list[Leg], tiered: bool) -> Bracket:
    progress = start.progress
    done = rng.choice([0, 0, 1, 2]) if tiered and legs[0].cum else 0
    if done:
        progress = replace(progress, tiers_done=done, stop_price=Decimal(100), state=ExitState.BREAKEVEN)
    elif tiered and rng.random() < 0.2:
        progress = replace(progress, stop_price=Decimal(100))
    missing = Decimal(rng.choice([0] * 9 + [3]))
    return replace(
        start,
        phase=rng.choice(
            [ENTERING, ENTERING, PROTECTED, PROTECTED, PROTECTED, EXITING, EXITING, DRAINING, CLOSED]
        ),
        legs=tuple(sorted(legs, key=lambda leg: leg.place)),
        progress=progress,
        deadline_us=rng.choice([NOW - SECOND, NOW + 100 * SECOND]),
        first_fill_us=None if not legs[0].cum else NOW - rng.choice([1, 5, 25]) * SECOND,
        exit_wanted=rng.choice([None] * 6 + [ExitReason.MANUAL, ExitReason.NEWS]),
        retry_exit_us=rng.choice([0, 0, 0, NOW + SECOND]),
        alarmed=False,
        missing=missing,
        missing_us=0,
        missing_told=not missing or rng.random() < 0.7,
    )


def circumstances(rng: random.Random, kind: BracketKind) -> Circumstances:
    return Circumstances(
        now_us=NOW,
        halted=rng.random() < 0.1,
        session_open=rng.random() < 0.9,
        last_price=rng.choice([None, *map(Decimal, (80, 91, 95, 101, 105, 105, 110, 125, 160))]),
        card=Capabilities(kind, True, 0, 0, True, True, rng.random() < 0.5, True),
    )


Found = tuple[Case, Step]


def done(step: Step, kind: type[Action]) -> list[Any]:
    return [action for action in step.actions if isinstance(action, kind)]


def sent(step: Step) -> list[Any]:
    """Orders that go out new: alone, as a pair, or in the place of another."""
    specs = [action.spec for action in done(step, SendOrder) + done(step, ReplaceOrder)]
    return specs + [action.spec.stop for action in done(step, SendBracket)]


def canceled(step: Step) -> set[str]:
    return {action.order for action in done(step, CancelOrder)}


def askable(legs: list[Leg]) -> set[str]:
    """Those to cancel now: at work, and not asked in the last two seconds."""
    return {
        leg.id
        for leg in legs
        if leg.state is WORKING and (leg.cancel_us is None or leg.cancel_us + 2 * SECOND <= NOW)
    }


def only_cancels(step: Step, legs: list[Leg]) -> bool:
    return canceled(step) == askable(legs) and not sent(step)


def alarm(step: Step, page: bool, halt: HaltScope) -> bool:
    return any(found.page is page and found.halt is halt for found in done(step, RaiseAlarm))


def is_oversold(c: Case) -> bool:
    return c.pos < 0


def buys_back(c: Case, step: Step) -> bool:
    told = alarm(step, page=True, halt=HaltScope.ACCOUNT)
    buying = [leg for leg in c.live(OrderRole.EXIT) if leg.spec.side is OrderSide.BUY]
    others = [leg for leg in c.live(*OrderRole) if leg not in buying]
    if others:
        return told and only_cancels(step, others)
    if buying:
        return told and not sent(step)
    if step.bracket.retry_exit_us > NOW:
        return told and not sent(step)  # the venue refused the last one
    (spec,) = sent(step)
    return told and (spec.side, spec.quantity, spec.type) == (OrderSide.BUY, -c.pos, OrderType.MARKET)


def is_late(c: Case) -> bool:
    return c.bracket.phase in (DRAINING, CLOSED) and c.pos > 0


def enters_again(c: Case, step: Step) -> bool:
    return step.bracket.phase is ENTERING and alarm(step, page=True, halt=HaltScope.NONE)


def is_flat(c: Case) -> bool:
    return c.pos == 0 and c.entry.state.is_terminal


def ends(c: Case, step: Step) -> bool:
    live = c.live(*OrderRole)
    if live:
        return only_cancels(step, live)
    absent = [leg.changed_us for leg in c.bracket.legs if leg.state is NOTPLACED]
    held_up = bool(absent) and max(absent) + 90 * SECOND > NOW
    asked = c.bracket.missing > 0 and c.now.halted
    before = c.bracket.phase
    wanted = CLOSED if before is CLOSED or (before is DRAINING and not held_up and not asked) else DRAINING
    return step.bracket.phase is wanted and not sent(step)


def is_below(c: Case) -> bool:
    return not c.bracket.missing_told


def says_so(c: Case, step: Step) -> bool:
    return alarm(step, page=True, halt=HaltScope.SYMBOL) and step.bracket.missing_told and not sent(step)


def entry_is_over(c: Case) -> bool:
    if c.bracket.phase is not ENTERING or c.entry.state.is_terminal or c.pos < 0:
        return False
    price = c.now.last_price
    beyond = price is not None and not c.bracket.stop_price < price < c.bracket.target_price
    always = c.now.halted or not c.now.session_open or c.bracket.exit_wanted is not None
    always = always or c.bracket.entry_unwanted
    if c.pos == 0:
        due = always or c.bracket.deadline_us <= NOW or c.entry.cum > 0 or beyond
    else:
        patience = 4 if c.is_grouped else 20
        since = c.bracket.first_fill_us
        due = always or (OPENED if since is None else since) + patience * SECOND <= NOW
        due = due or c.bracket.progress.tiers_done > 0
    return due and bool(askable([c.entry]))


def cancels_entry(c: Case, step: Step) -> bool:
    return canceled(step) == {c.entry.id} and not sent(step)


def is_unprotectable(c: Case) -> bool:
    if c.bracket.phase not in (ENTERING, PROTECTED) or c.pos <= 0 or c.paused:
        return False
    if c.cover >= c.wanted_cover:
        return False
    answers_out = any(leg.state is SENDING for leg in c.stops)
    return (c.through and not answers_out) or c.refused_twice


def exits(c: Case, step: Step) -> bool:
    return step.bracket.phase is EXITING and step.bracket.exit_wanted is not None and not sent(step)


def tier_may_go(c: Case) -> bool:
    calm = c.bracket.phase is PROTECTED and c.bracket.exit_wanted is None
    return calm and c.now.session_open and not c.paused


def plan_moves(c: Case) -> bool:
    """The engine holds the exit plan, and the price changes how far it has come."""
    open_phase = c.bracket.phase in (ENTERING, PROTECTED)
    return open_phase and c.bracket.exit_wanted is None and c.pos > 0 and c.moves


def follows(c: Case, step: Step) -> bool:
    """Touched tiers and raised stops are noted, a stop that the venue lacks is an exit."""
    after = step.bracket.progress
    return (
        after.stop_price >= c.bracket.progress.stop_price
        and after.tiers_done >= c.bracket.progress.tiers_done
        and not done(step, SendBracket)
    )


def exiting_with_live_legs(c: Case) -> bool:
    others = [leg for leg in c.live(*OrderRole) if leg not in c.sales]
    return c.bracket.phase is EXITING and bool(others)


def ends_legs(c: Case, step: Step) -> bool:
    return only_cancels(step, [leg for leg in c.live(*OrderRole) if leg not in c.sales])


def exit_is_unknown(c: Case) -> bool:
    return c.bracket.phase is EXITING and any(leg.state is UNKNOWN for leg in c.sales)


def no_stop_meanwhile(c: Case, step: Step) -> bool:
    new = [spec for spec in sent(step) if spec.stop_price is None]
    room = c.pos - sum(leg.remaining for leg in c.sales)
    return len(new) == len(sent(step)) and sum(spec.quantity for spec in new) <= max(room, ZERO)


def exit_was_refused(c: Case) -> bool:
    exits = c.bracket.of_role(OrderRole.EXIT)
    room = c.pos - sum((leg.remaining for leg in c.sales), ZERO)
    if c.bracket.phase is not EXITING or room <= 0 or not exits:
        return False
    last = exits[-1]
    unasked = last.state is CANCELED and last.cum == 0 and last.cancel_us is None
    return (last.state is REJECTED or unasked) and last.changed_us >= c.bracket.retry_exit_us


def backs_off(c: Case, step: Step) -> bool:
    pause = step.bracket.retry_exit_us - NOW
    refusals = sum(
        leg.state is REJECTED or (leg.state is CANCELED and not leg.cum and leg.cancel_us is None)
        for leg in c.bracket.of_role(OrderRole.EXIT)
    )
    paged = alarm(step, page=refusals >= 3, halt=HaltScope.NONE)
    return step.bracket.phase is PROTECTED and 2 * SECOND <= pause <= 60 * SECOND and paged and not sent(step)


def exit_is_due(c: Case) -> bool:
    room = c.pos - sum((leg.remaining for leg in c.sales), ZERO)
    return c.bracket.phase is EXITING and room > 0 and not c.paused


def sells(c: Case, step: Step) -> bool:
    (spec,) = sent(step)
    room = c.pos - sum((leg.remaining for leg in c.sales), ZERO)
    exits = c.bracket.of_role(OrderRole.EXIT)
    given_up = [x for x in exits if x.spec.type is OrderType.LIMIT and x.cancel_us is not None]
    impatient = any(x is exits[-1] or x.cancel_us > NOW - 60 * SECOND for x in given_up)
    priced = c.now.session_open and c.now.last_price is not None and not impatient
    limit = c.now.last_price * Decimal("0.98") if priced and c.now.last_price is not None else None
    return (spec.side, spec.quantity, spec.limit_price) == (OrderSide.SELL, room, limit)


def slow_sales(c: Case) -> set[str]:
    patience = 60 if c.bracket.exit_wanted is ExitReason.NEWS else 5
    limited = [leg for leg in c.sales if leg.spec.type is OrderType.LIMIT]
    return askable([leg for leg in limited if leg.changed_us + patience * SECOND <= NOW])


def exit_is_slow(c: Case) -> bool:
    return c.bracket.phase is EXITING and bool(slow_sales(c))


def cancels_the_slow(c: Case, step: Step) -> bool:
    return canceled(step) == slow_sales(c) and not sent(step)


def waits(c: Case) -> bool:
    """Answers are out, a pause is on, or the entry has its time: whatever is uncovered, nothing is placed."""
    out = any(leg.state in (SENDING, UNKNOWN) for leg in c.live(*OrderRole))
    return out or c.paused or not c.entry.state.is_terminal


def sends_nothing(c: Case, step: Step) -> bool:
    return not done(step, SendOrder) and not done(step, SendBracket)


def exit_is_wanted(c: Case) -> bool:
    is_open = c.bracket.phase in (ENTERING, PROTECTED)
    return is_open and c.bracket.exit_wanted is not None and c.pos > 0 and not c.paused


def stop_is_low(c: Case) -> bool:
    if c.bracket.exit_wanted is not None and not c.paused:
        return False
    return any(leg.spec.stop_price != c.bracket.stop_price for leg in c.stops)


def raises_or_waits(c: Case, step: Step) -> bool:
    """Replaced where the card can, canceled first where it cannot, never sold for; a stop too high goes."""
    new = done(step, ReplaceOrder)
    for action in new:
        old = c.bracket.leg(action.order)
        if not c.now.card.can_replace or action.spec.quantity > old.remaining:
            return False
    raised = {action.order for action in new}
    return raised | canceled(step) <= {leg.id for leg in c.bracket.legs} and not done(step, SendBracket)


def is_uncovered(c: Case) -> bool:
    if c.bracket.phase not in (ENTERING, PROTECTED) or c.pos <= 0:
        return False
    if any(leg.state in (SENDING, UNKNOWN) for leg in c.stops) or (
        c.is_grouped and not c.entry.state.is_terminal
    ):
        return False
    if c.refused_twice or lone_targets(c):
        return False
    return c.cover < c.wanted_cover


def lone_targets(c: Case) -> bool:
    return any(
        leg.state is WORKING
        and (not leg.parent or c.entry.state is FILLED)
        and any(s.role is OrderRole.STOP and s.n == leg.n and s.state.is_terminal for s in c.bracket.legs)
        for leg in c.live(OrderRole.TARGET)
    )


def places_the_difference(c: Case, step: Step) -> bool:
    (spec,) = sent(step)
    own = [leg for leg in c.bracket.of_role(OrderRole.STOP) if not (leg.replaces and leg.state is REJECTED)]
    price = c.bracket.stop_price
    if own and own[-1].state is REJECTED and not refused_before_exit(c, own[-1]):
        lowest = price if c.now.last_price is None else min(price, c.now.last_price)
        price = lowest * Decimal("0.995")
    linked = c.now.card.bracket_kind is not BracketKind.SYNTHETIC and c.bracket.exit_plan.is_single
    as_pair = bool(done(step, SendBracket)) is linked
    return (
        (spec.quantity, spec.stop_price) == (c.wanted_cover - c.cover, price)
        and not canceled(step)
        and as_pair
    )


def refused_before_exit(c: Case, stop: Leg) -> bool:
    return any(leg.changed_us > stop.changed_us for leg in c.bracket.of_role(OrderRole.EXIT)[-1:])


def is_overcovered(c: Case) -> bool:
    if c.bracket.phase not in (ENTERING, PROTECTED) or c.pos <= 0:
        return False
    working = [leg for leg in c.stops if leg.state is WORKING]
    going = sum((leg.remaining for leg in working if leg.cancel_us is not None), ZERO)
    fills = any(leg.fills for leg in c.live(OrderRole.TARGET))
    over = c.cover - c.wanted_cover
    return over > 0 and going < over and bool(working) and not fills


def shrinks_one(c: Case, step: Step) -> bool:
    stops = {leg.id for leg in c.stops}
    replaced = done(step, ReplaceOrder)
    touched = canceled(step) | {action.order for action in replaced}
    smaller = all(action.spec.quantity < c.bracket.leg(action.order).remaining for action in replaced)
    return len(touched) <= 1 and touched <= stops | slow_sales(c) and smaller and not done(step, SendOrder)


def tier_is_due(c: Case) -> bool:
    return tier_may_go(c) and not c.sales and 0 < c.tier < c.pos


def shrinks_or_sells(c: Case, step: Step) -> bool:
    specs = sent(step)
    sold = [spec for spec in specs if spec.stop_price is None]
    if step.bracket.phase is not PROTECTED:
        return exits(c, step)
    if sold:
        return [spec.quantity for spec in sold] == [c.tier] and c.cover == c.pos - c.tier
    over = c.cover > c.pos - c.tier
    return over or all(spec.quantity <= c.pos - c.tier for spec in specs)


def is_covered(c: Case) -> bool:
    whole = c.cover == c.pos > 0 and not c.sales
    return c.bracket.phase is ENTERING and c.entry.state.is_terminal and whole


def is_protected(c: Case, step: Step) -> bool:
    return step.bracket.phase is PROTECTED and not sent(step)


def rests(c: Case) -> bool:
    return c.bracket.phase is PROTECTED and c.cover == c.pos > 0 and not c.sales


def nothing(c: Case, step: Step) -> bool:
    return step.bracket == c.bracket and not step.actions


Condition = Callable[[Case], bool]
Obeyed = Callable[[Case, Step], bool]
ROWS: tuple[tuple[str, Condition, Obeyed], ...] = (
    ("any: venue position below ours", is_below, says_so),
    ("any: pos < 0", is_oversold, buys_back),
    ("over: pos > 0", is_late, enters_again),
    ("any: pos == 0 and E terminal", is_flat, ends),
    ("ENTERING: entry late, beyond, halted, partial", entry_is_over, cancels_entry),
    ("open: through the stop or refused twice", is_unprotectable, exits),
    ("open: exit plan moves", plan_moves, follows),
    ("EXITING: E or a stop is live", exiting_with_live_legs, ends_legs),
    ("EXITING: X rests", exit_is_slow, cancels_the_slow),
    ("EXITING: X unknown", exit_is_unknown, no_stop_meanwhile),
    ("EXITING: X refused", exit_was_refused, backs_off),
    ("EXITING: no X for what is held", exit_is_due, sells),
    ("PROTECTED: exit wanted", exit_is_wanted, exits),
    ("PROTECTED: stop below the plan's", stop_is_low, raises_or_waits),
    ("PROTECTED: tier due", tier_is_due, shrinks_or_sells),
    ("open: cover < pos", is_uncovered, places_the_difference),
    ("open: cover > pos", is_overcovered, shrinks_one),
    ("ENTERING: covered", is_covered, is_protected),
    ("PROTECTED: nothing", rests, nothing),
    ("any: answers out, a pause, an entry in its time", waits, sends_nothing),
)


def acted(found: Case) -> Step:
    """What the plan does about the bracket itself: the watch over uncovered shares only tells."""
    current = found.bracket
    for _ in range(5):
        step = plan(current, found.now)
        quiet = unwatched(step.bracket, current) == current
        if not quiet or step.bracket == current or any(not isinstance(a, RaiseAlarm) for a in step.actions):
            break
        current = step.bracket
    return Step(unwatched(step.bracket, found.bracket), tuple(step.actions))


def unwatched(after: Bracket, before: Bracket) -> Bracket:
    """Without what is only remembered: since when shares are uncovered, that the trail is at work."""
    progress = replace(after.progress, state=before.progress.state, high=before.progress.high)
    return replace(after, naked_us=before.naked_us, naked_told=before.naked_told, progress=progress)


def dropped(found: Case, every: int, at: int) -> Case:
    """Of some brackets a person dropped the entry."""
    return replace(found, bracket=replace(found.bracket, entry_unwanted=at % every == 0))


@pytest.fixture(scope="module")
def cases(world: ModuleType) -> list[Found]:
    rng = random.Random(5)
    made = [dropped(case(world, rng), every=8, at=at) for at in range(SAMPLES)]
    return [(found, acted(found)) for found in made]


@pytest.mark.parametrize("name", [name for name, _, _ in ROWS])
def test_each_row_is_reachable_and_obeyed(name: str, cases: list[Found]) -> None:
    index = next(i for i, row in enumerate(ROWS) if row[0] == name)
    seen = 0
    for found, step in cases:
        first = next((i for i, (_, holds, _) in enumerate(ROWS) if holds(found)), None)
        if first == index:
            seen += 1
            assert ROWS[index][2](found, step), f"{found}\n{step.actions}"
    assert seen >= 3, f"{seen} generated brackets reach this row"


def test_what_no_row_matches_sends_nothing(cases: list[Found]) -> None:
    count = Counter[bool]()
    for found, step in cases:
        is_matched = any(holds(found) for _, holds, _ in ROWS)
        count[is_matched] += 1
        if not is_matched:
            assert sends_nothing(found, step), f"{found}\n{step.actions}"
    assert count[True] > 20 * count[False], count


def test_no_row_ever_sends_an_entry_or_sells_more_than_is_held(cases: list[Found]) -> None:
    for found, step in cases:
        for action in done(step, SendBracket):
            assert action.spec.entry is None
        exits = [spec for spec in sent(step) if spec.stop_price is None and spec.side is OrderSide.SELL]
        for spec in exits:
            stops = found.cover if found.bracket.phase is not EXITING else ZERO
            selling = sum((leg.remaining for leg in found.sales), ZERO)
            assert spec.quantity + stops + selling <= found.pos
        for spec in [spec for spec in sent(step) if spec.stop_price is not None]:
            old = {action.order for action in done(step, ReplaceOrder)}
            others = sum(
                (leg.remaining for leg in found.stops if leg.id not in old and leg.state is WORKING), ZERO
            )
            assert spec.quantity + others <= max(found.pos, found.cover)


def test_nothing_asks_a_venue_twice_in_one_step(cases: list[Found]) -> None:
    for _, step in cases:
        ids = [action.order for action in step.actions if isinstance(action, CancelOrder | AskOrder)]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", list(BracketKind))
@pytest.mark.parametrize("sold", [0, 10])
def test_no_entry_is_ever_sent_again(world: ModuleType, kind: BracketKind, sold: int) -> None:
    """Also where more was sold than held, so that a purchase is what is missing."""
    start = open_bracket(world.make_ticket(), OPENED, kind)
    lost = {
        "state": UNKNOWN,
        "not_found": 1,
        "asked": 1,
        "ask_us": NOW + SECOND,
        "last_send_us": NOW - SECOND,
    }
    spec = exit_spec(
        start.ticket, start.instrument, 0, OrderSide.SELL, Decimal(10), TimeInForce.DAY, Decimal(98)
    )
    exits = Leg(spec, OrderRole.EXIT, 0, FILLED if sold else CANCELED, attempts=1, cancel_us=OPENED)
    current = start.with_leg(replace(start.entry, **lost)).with_new(filled(exits, sold))
    card = Capabilities(kind, True, 0, 0, True, True, True, True)
    step = plan(current, Circumstances(NOW, False, True, Decimal(101), card))
    for _ in range(5):
        assert start.entry.id not in {spec.client_order_id for spec in sent(step)}
        step = plan(step.bracket, Circumstances(NOW, False, True, Decimal(101), card))


@pytest.mark.parametrize(
    ("state", "cancel_us", "sells"),
    [
        (UNKNOWN, None, False),
        (SENDING, None, False),
        (CANCELED, None, True),
        (CANCELED, NOW - SECOND, True),
    ],
)
@pytest.mark.parametrize("leaving", [False, True])
def test_a_tier_waits_for_every_stop_to_be_settled(
    world: ModuleType, state: OrderState, cancel_us: int | None, sells: bool, leaving: bool
) -> None:
    """One that is unknown, or on its way out or in, may sell the tier's shares too."""
    start = open_bracket(world.make_ticket(target="120", exit_plan=TIERED), OPENED, BracketKind.SYNTHETIC)
    times = {"attempts": 1, "last_send_us": NOW - SECOND, "changed_us": NOW - SECOND, "ask_us": NOW + SECOND}
    stays, goes = (
        Leg(
            stop_spec(start.ticket, start.instrument, n, Decimal(quantity), Decimal(100)),
            OrderRole.STOP,
            n,
            at,
            **times,
        )
        for n, quantity, at in ((0, 7, WORKING), (1, 3, state))
    )
    stays = replace(stays, cancel_us=NOW - SECOND if leaving else None)
    entry = replace(filled(start.entry, 10), state=FILLED)
    held = replace(
        start,
        phase=PROTECTED,
        legs=(entry, stays, replace(goes, cancel_us=cancel_us)),
        progress=replace(start.progress, tiers_done=1, stop_price=Decimal(100), state=ExitState.TRAILING),
        first_fill_us=OPENED,
        naked_us=NOW,
    )
    card = Capabilities(BracketKind.SYNTHETIC, True, 0, 0, True, True, True, True)
    step = plan(held, Circumstances(NOW, False, True, Decimal(121), card))
    assert [spec.quantity for spec in sent(step)] == ([3] if sells and not leaving else [])
