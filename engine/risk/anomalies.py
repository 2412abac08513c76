"""What is so unusual that trading should be looked at (SPEC 4.9): each check gives value and limit.

A check that lacks its input says nothing: it measures, it does not guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import isfinite, sqrt
from statistics import median

from engine.clock import US_PER_S
from engine.money import EPSILON

EQUITY_Z = 6.0
EQUITY_SAMPLES = 20
"""One-minute changes needed before a jump can be told from the usual."""
EQUITY_FLOOR = 0.0005
"""The usual change is taken to be at least this fraction of equity: a flat account has none at all."""
MAD_TO_STD = 1.4826
PRICE_ATRS = 10.0
SPREAD_TIMES = 5.0
SPREAD_SAMPLES = 10
"""Samples of the last hour needed for a median."""
SLIPPAGE_TIMES = 3.0
IMPACT = 0.7
"""Y of the square-root impact law (SPEC 3.7.2)."""
ORDERS_PER_MINUTE = 30
REJECTS_IN_A_ROW = 3
POSITION_LOTS = Decimal(1)
SKEW_US = US_PER_S
HEARTBEAT_US = 30 * US_PER_S


class AnomalyKind(StrEnum):
    """What is unusual."""

    EQUITY_JUMP = "equity_jump"
    PRICE_MOVE = "price_move"
    SPREAD = "spread"
    SLIPPAGE = "slippage"
    ORDER_RATE = "order_rate"
    REJECTS = "rejects"
    POSITION = "position"
    CLOCK_SKEW = "clock_skew"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One finding: measured value and limit in the same unit, and what it is about ("": the account)."""

    kind: AnomalyKind
    value: float
    limit: float
    subject: str = ""


def equity_jump(changes: Sequence[float], change: float) -> Anomaly | None:
    """Robust z of the newest one-minute change (fraction of equity) against those before it, above 6."""
    if len(changes) < EQUITY_SAMPLES or not isfinite(change):
        return None
    middle = median(changes)
    usual = max(MAD_TO_STD * median(abs(other - middle) for other in changes), EQUITY_FLOOR)
    z = abs(change - middle) / usual
    if not z > EQUITY_Z + EPSILON:
        return None
    return Anomaly(AnomalyKind.EQUITY_JUMP, z, EQUITY_Z)


def price_move(name: str, before: float | None, high: float, low: float, atr: float | None) -> Anomaly | None:
    """The true range of one bar, above 10 ATR; all in the same dollars."""
    if before is None or atr is None or not atr > 0:
        return None
    atrs = max(high - low, abs(high - before), abs(low - before)) / atr
    if not atrs > PRICE_ATRS + EPSILON:
        return None
    return Anomaly(AnomalyKind.PRICE_MOVE, atrs, PRICE_ATRS, name)


def wide_spread(name: str, spreads: Sequence[float], spread: float) -> Anomaly | None:
    """A spread (ratio of mid) above 5x the median of its last hour."""
    if len(spreads) < SPREAD_SAMPLES:
        return None
    usual = median(spreads)
    if not (usual > 0 and spread > SPREAD_TIMES * usual + EPSILON):
        return None
    return Anomaly(AnomalyKind.SPREAD, spread / usual, SPREAD_TIMES, name)


def estimated_slippage(spread: float, sigma_daily: float, value: float, adv_usd: float) -> float | None:
    """Half spread + 0.7 * sigma_d * sqrt(Q/ADV), all ratios and money in USD (SPEC 3.7.2, 9.4).

    None where an input is missing: NaN, or nothing traded.
    """
    if not (adv_usd > 0 and value >= 0 and sigma_daily >= 0 and spread >= 0):
        return None
    return spread / 2 + IMPACT * sigma_daily * sqrt(value / adv_usd)


def bad_fill(name: str, slippage: float, estimated: float | None) -> Anomaly | None:
    """A fill worse than 3x the slippage that was estimated (ratios; positive is worse than the mid)."""
    if estimated is None or not slippage > SLIPPAGE_TIMES * estimated + EPSILON:
        return None
    return Anomaly(AnomalyKind.SLIPPAGE, slippage, SLIPPAGE_TIMES * estimated, name)


def order_rate(orders: int) -> Anomaly | None:
    """More than 30 orders sent within a minute."""
    if orders <= ORDERS_PER_MINUTE:
        return None
    return Anomaly(AnomalyKind.ORDER_RATE, orders, ORDERS_PER_MINUTE)


def rejects(in_a_row: int) -> Anomaly | None:
    """More than 3 orders rejected, none taken between."""
    if in_a_row <= REJECTS_IN_A_ROW:
        return None
    return Anomaly(AnomalyKind.REJECTS, in_a_row, REJECTS_IN_A_ROW)


def position_difference(name: str, ours: Decimal, theirs: Decimal, lot: Decimal) -> Anomaly | None:
    """The venue's position differs from ours by more than one lot."""
    if (away := abs(ours - theirs)) <= POSITION_LOTS * lot:
        return None
    return Anomaly(AnomalyKind.POSITION, float(away), float(POSITION_LOTS * lot), name)


def clock_skew(skew_us: int | None) -> Anomaly | None:
    """Our clock and the venue's differ by more than 1 s."""
    if skew_us is None or abs(skew_us) <= SKEW_US:
        return None
    return Anomaly(AnomalyKind.CLOCK_SKEW, abs(skew_us) / US_PER_S, SKEW_US / US_PER_S)


def heartbeat(silent_us: int | None, positions: int) -> Anomaly | None:
    """No sign of the market for 30 s while positions are open."""
    if silent_us is None or positions == 0 or silent_us <= HEARTBEAT_US:
        return None
    return Anomaly(AnomalyKind.HEARTBEAT, silent_us / US_PER_S, HEARTBEAT_US / US_PER_S)
