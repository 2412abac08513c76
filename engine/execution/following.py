"""How far a bracket's exit plan has come, and what of its position the touched tiers still have to sell."""

from dataclasses import replace
from decimal import Decimal

from engine.execution.bracket import ONE, Bracket
from engine.execution.exits import on_bar
from engine.model.orders import OrderRole
from engine.money import ZERO, round_quantity

RAISE_STEP = Decimal("0.01")
"""A trail moves the stop by 1 % or more: each raise is an order at the venue and takes an order number."""


def follow(bracket: Bracket, low: Decimal, high: Decimal) -> Bracket | None:
    """The bracket after prices in today's dollars; None when they went through its stop.

    A new high alone is not kept: it would be a journal write at each price, and the trail loses one step by
    a restart at most.
    """
    due = on_bar(
        bracket.exit_plan,
        bracket.limit_price,
        bracket.progress,
        low / bracket.ratio,
        high / bracket.ratio,
        RAISE_STEP,
    )
    if due.stopped is not None:
        return None
    only_higher = replace(due.progress, high=bracket.progress.high) == bracket.progress
    return bracket if only_higher else replace(bracket, progress=due.progress)


def venue_sells(bracket: Bracket) -> bool:
    """The venue holds the target itself: whether it was touched is the venue's to say."""
    return any(leg.is_live and bracket.is_awake(leg) for leg in bracket.of_role(OrderRole.TARGET))


def unsold(bracket: Bracket, lot: Decimal) -> Decimal:
    """Shares that the touched tiers have yet to sell: shares of the first quantity, in whole lots."""
    plan, done = bracket.exit_plan, bracket.progress.tiers_done
    if done == 0 or bracket.held <= ZERO:
        return ZERO
    if done == len(plan.targets) and plan.sells_all:
        return bracket.held
    first = bracket.entry.cum if bracket.ratio == ONE else bracket.entry.cum / bracket.ratio
    sold = sum((round_quantity(tier.share * first, lot) for tier in plan.targets[:done]), ZERO)
    # A split leaves whole shares of a fraction: what is due is in whole lots too.
    return min(round_quantity(max(bracket.held - (first - sold), ZERO), lot), bracket.held)
