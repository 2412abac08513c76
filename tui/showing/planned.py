"""Exits of a bracket that no order at the venue stands for yet, and what a sale by hand begins with."""

from collections.abc import Iterator
from decimal import Decimal

from engine.core import Engine
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.leaving import COLLAR
from engine.model.market import Instrument
from engine.model.orders import OrderRole
from engine.money import ZERO, round_down
from tui.shown.deck import PlannedExit

_OPEN = (BracketPhase.ENTERING, BracketPhase.PROTECTED)


def planned_exits(bracket: Bracket) -> tuple[PlannedExit, ...]:
    """Stop first, then the targets that were not touched; empty once the position is being left."""
    if bracket.phase not in _OPEN or bracket.exit_wanted is not None:
        return ()
    return tuple(_planned(bracket))


def _planned(bracket: Bracket) -> Iterator[PlannedExit]:
    live = {leg.role for leg in bracket.legs if leg.is_live}
    waits = bracket.held <= ZERO
    shares = bracket.quantity if waits else bracket.held
    if OrderRole.STOP not in live:
        yield PlannedExit(OrderRole.STOP, shares, bracket.stop_now, waits)
    if OrderRole.TARGET in live:
        return
    plan, left = bracket.exit_plan, shares
    for tier in plan.targets[bracket.progress.tiers_done :]:
        last = plan.sells_all and tier is plan.targets[-1]
        part = left if last else min(tier.share * bracket.entry.spec.quantity, left)
        left -= part
        yield PlannedExit(OrderRole.TARGET, part, tier.price * bracket.ratio, waits)


def first_limit(engine: Engine, bracket: Bracket) -> Decimal | None:
    """The least that a sale by hand takes at first; None where nothing is held, or at market at once."""
    last = engine.brackets.deciding_price(bracket.instrument)
    if bracket.held <= ZERO or last is None or not engine.picture.is_session_open:
        return None
    instruments = engine.parts.instruments
    tick = instruments.get(bracket.instrument, Instrument(bracket.instrument)).tick_size
    return round_down(last * COLLAR, tick)
