"""How far a limit price may lie from what the market and the decision said (RELIABILITY 8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from engine.money import EPSILON

LAST_TRADE = 0.02
DECISION = 0.01
FIVE_MINUTE_CLOSE = 0.05
GAP_DEEPEST = -0.25
"""Of the prior close, down to which a `gaps` entry may bid; up to 0."""


@dataclass(frozen=True, slots=True)
class PriceReferences:
    """What a limit is held against, prices in quote currency; None: not known."""

    last_trade: float | None
    decision: float | None = None
    """Price at the decision, and the close before it: for strategies that decide on a gap."""
    prior_close: float | None = None
    five_minute_close: float | None = None
    """The last completed one: for crypto."""
    is_gap: bool = False
    is_crypto: bool = False


def collar_problems(limit: Decimal, references: PriceReferences) -> list[str]:
    """Every bound that the limit price breaks, or that cannot be checked, in words with both numbers."""
    if not limit.is_finite():
        return [f"limit {limit} is no price"]
    return list(_problems(float(limit), references))


def _problems(limit: float, of: PriceReferences) -> Iterator[str]:
    yield from _within(limit, of.last_trade, "the last trade", -LAST_TRADE, LAST_TRADE)
    if of.is_crypto:
        name = "the last 5-minute close"
        yield from _within(limit, of.five_minute_close, name, -FIVE_MINUTE_CLOSE, FIVE_MINUTE_CLOSE)
    if of.is_gap:
        yield from _within(limit, of.decision, "the decision price", -DECISION, DECISION)
        yield from _within(limit, of.prior_close, "the prior close", GAP_DEEPEST, 0.0)


def _within(limit: float, price: float | None, name: str, low: float, high: float) -> Iterator[str]:
    if price is None or not isfinite(price) or price <= 0:
        yield f"{name} is not known"
        return
    away = limit / price - 1
    if not low - EPSILON <= away <= high + EPSILON:
        bounds = f"{100 * low:g} to {100 * high:+g} %" if low != -high else f"{100 * high:g} %"
        yield f"limit {limit:g} is {100 * away:+.2f} % from {name} {price:g}, limit {bounds}"
