"""The exit state machine of SPEC 6.5: what a price does to a planned exit. Pure; entry-day dollars."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from engine.model.exits import ExitPlan, Tier
from engine.money import ZERO


class ExitState(StrEnum):
    """How far the stop has come."""

    INITIAL = "initial"
    BREAKEVEN = "breakeven"
    TRAILING = "trailing"
    CLOSED = "closed"


class StopKind(StrEnum):
    """Which stop it was."""

    INITIAL = "initial_stop"
    BREAKEVEN = "breakeven_stop"
    TRAILING = "trailing_stop"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an exit plan stands. `stop_price` never falls; `tiers_done` counts the touched ones."""

    state: ExitState
    stop_price: Decimal
    high: Decimal
    tiers_done: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """What one price makes due: these tiers, or with `stopped` everything that is left."""

    progress: Progress
    tiers: tuple[Tier, ...] = ()
    stopped: StopKind | None = None


def begin(plan: ExitPlan, entry: Decimal) -> Progress:
    """Before the first price."""
    return Progress(ExitState.INITIAL, plan.stop_price, entry)


def on_price(
    plan: ExitPlan, entry: Decimal, progress: Progress, price: Decimal, least_raise: Decimal = ZERO
) -> Due:
    """One price. `entry`: where breakeven is. `least_raise`: the trail moves the stop by no smaller ratio."""
    return on_bar(plan, entry, progress, price, price, least_raise)


def on_bar(
    plan: ExitPlan,
    entry: Decimal,
    progress: Progress,
    low: Decimal,
    high: Decimal,
    least_raise: Decimal = ZERO,
) -> Due:
    """One bar: its low against the stop first, then its high for the tiers and the trail."""
    if progress.state is ExitState.CLOSED:
        return Due(progress)
    follows = _follows(plan, progress)
    stop = _trailed(plan, progress.stop_price, progress.high, least_raise) if follows else progress.stop_price
    if low <= stop:
        closed = replace(progress, state=ExitState.CLOSED, stop_price=stop)
        return Due(closed, stopped=_kind(plan, entry, stop))
    top = max(progress.high, high)
    state: ExitState = progress.state
    touched = tuple(tier for tier in plan.targets[progress.tiers_done :] if high >= tier.price)
    done = progress.tiers_done + len(touched)
    if plan.breakeven_after is not None and progress.tiers_done <= plan.breakeven_after < done:
        stop, state = max(stop, entry), ExitState.BREAKEVEN
    elif follows:
        stop, state = _trailed(plan, stop, top, least_raise), ExitState.TRAILING
    if done == len(plan.targets) and plan.sells_all:
        state = ExitState.CLOSED
    return Due(Progress(state, stop, top, done), touched)


def _follows(plan: ExitPlan, progress: Progress) -> bool:
    """Whether the stop trails already when a price comes."""
    lifted = plan.breakeven_after is None or progress.tiers_done > plan.breakeven_after
    return plan.trail_ratio is not None and lifted


def _trailed(plan: ExitPlan, stop: Decimal, high: Decimal, least_raise: Decimal) -> Decimal:
    wanted = ZERO if plan.trail_ratio is None else (1 - plan.trail_ratio) * high
    return wanted if wanted > stop and wanted >= stop * (1 + least_raise) else stop


def _kind(plan: ExitPlan, entry: Decimal, stop: Decimal) -> StopKind:
    if stop == plan.stop_price:
        return StopKind.INITIAL
    return StopKind.BREAKEVEN if stop == entry else StopKind.TRAILING
