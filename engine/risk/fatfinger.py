"""Orders too large to be meant (RELIABILITY 8)."""

from decimal import Decimal
from math import isfinite

from engine.money import ZERO, to_decimal
from engine.risk.words import money

MAX_SHARE_OF_EQUITY = 0.10
MAX_SHARE_OF_ADV = 0.01
"""Of the shares that trade on a mean day."""


def notional_limit(equity: Decimal, max_position_pct: float) -> Decimal:
    """The smaller of the configured share and 10 % of equity, in account currency."""
    return equity * to_decimal(min(max_position_pct, MAX_SHARE_OF_EQUITY))


def liquidity_room(adv_usd: float | None) -> Decimal | None:
    """1 % of the mean traded value of a day, in USD; None when that is not known."""
    if adv_usd is None or not isfinite(adv_usd) or adv_usd < 0:
        return None
    return to_decimal(adv_usd) * to_decimal(MAX_SHARE_OF_ADV)


def fat_finger_problems(
    notional: Decimal, equity: Decimal | None, adv_usd: float | None, max_position_pct: float
) -> list[str]:
    """Every bound that the order's value breaks, or that cannot be checked, in words with both numbers.

    1 % of ADV in shares is 1 % of the traded value at the order's own price.
    """
    if not notional.is_finite() or notional < ZERO:
        return [f"value {notional} is no amount"]
    problems = []
    if equity is None or not equity.is_finite():
        problems.append("equity is not known")
    elif notional > (most := notional_limit(equity, max_position_pct)):
        problems.append(f"value {money(notional)} is above {money(most)}, the most for one order")
    liquid = liquidity_room(adv_usd)
    if liquid is None:
        problems.append("the mean traded value is not known")
    elif notional > liquid:
        problems.append(f"value {money(notional)} is above {money(liquid)}, 1 % of a mean day")
    return problems
