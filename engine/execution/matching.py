"""Whether and at what price a venue fills an order: pure functions of terms and market data (SPEC 9.4, 9.5).

No I/O, no clock, no state. Market floats enter through `money.to_decimal`; everything that leaves is Decimal.

Reading a whole bar. A bar says what was reached, not in which order, so each rule takes the worse order:
the stop is looked at before the target; an order that rested before the open and is jumped over by it fills
at that open (`GapFill.GAP`) or at its own price (`GapFill.EXACT`); a leg whose entry filled inside this bar
never gets a gap fill, and when the entry did not fill at the open its target counts only if the bar closes
beyond it, because the high may have come before the entry. The low counts for its stop all the same.

Under a replay of daily bars (`Resting.BARS`) protective legs are matched on whole bars only, also when the
open print is known earlier: a bar that opens above the target and then falls through the stop is a stop.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import sqrt

from engine.execution.fees import FeeSchedule, NoFees, UsEquityFees
from engine.model.market import Bar
from engine.model.orders import OrderSide
from engine.money import EPSILON, ZERO, equity_tick, round_down, round_quantity, round_up, to_decimal

TOLERANCE = to_decimal(EPSILON)
RATIO_TOLERANCE = Fraction(2, 1_000_000)
"""Stored split ratios are float32 (15.000009 for 15): within this relative distance the fraction is meant."""
RATIO_DENOMINATOR = 1000


class GapFill(StrEnum):
    """What a resting order gets when a bar opens beyond its price."""

    GAP = "gap"
    EXACT = "exact"


class Resting(StrEnum):
    """What resting orders are matched against."""

    BARS = "bars"
    QUOTES = "quotes"


class Coverage(StrEnum):
    """How much of a bar an order saw."""

    BEFORE_OPEN = "before_open"
    """It rested when the bar opened."""
    FROM_OPEN = "from_open"
    """Its entry filled at the open: the whole range counts, the open itself does not."""
    WITHIN = "within"
    """It became active somewhere inside the bar."""


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What slippage depends on: mean daily value traded in USD, sample std of daily returns (fraction)."""

    adv_usd: float
    sigma_daily: float


@dataclass(frozen=True, slots=True)
class SlippageModel:
    """Half spread + Y * sigma_d * sqrt(Q / ADV) (SPEC 3.7.2, 9.4)."""

    spread_bps: float = 10.0
    """Assumed where the data show no spread."""
    impact: float = 0.7

    def ratio(self, order_usd: float, liquidity: Liquidity | None, spread_bps: float) -> float:
        """Expected one-way slippage as a fraction of the price; without liquidity the half spread alone."""
        half_spread = spread_bps / 20_000
        if liquidity is None or liquidity.adv_usd <= 0:
            return half_spread
        return half_spread + self.impact * liquidity.sigma_daily * sqrt(order_usd / liquidity.adv_usd)


@dataclass(frozen=True, slots=True)
class MatchRules:
    """How a simulated venue fills. `max_volume_share` None: bars of any volume fill any order."""

    resting: Resting
    gap_fill: GapFill
    through_ticks: int
    """A resting limit fills only when the market trades this many ticks beyond it; 0: a touch is enough."""
    max_volume_share: Decimal | None
    fees: FeeSchedule
    slippage: SlippageModel | None
    touch_tolerance: Decimal = TOLERANCE


STANDARD = MatchRules(
    resting=Resting.QUOTES,
    gap_fill=GapFill.GAP,
    through_ticks=1,
    max_volume_share=Decimal("0.10"),
    fees=UsEquityFees(),
    slippage=SlippageModel(),
)
"""Paper trading on live data (SPEC 9.4, 9.5). On daily bars: `replace(STANDARD, resting=Resting.BARS)`."""

NAIVE = MatchRules(
    resting=Resting.BARS,
    gap_fill=GapFill.GAP,
    through_ticks=0,
    max_volume_share=None,
    fees=NoFees(),
    slippage=None,
)
"""`--rule naive`: free, unrounded, a touch fills. `--fill exact`: replace `gap_fill` by `GapFill.EXACT`."""


@dataclass(frozen=True, slots=True)
class BarPrices:
    """A bar's prices as Decimal, exactly the float64 they came as."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def bar_prices(bar: Bar) -> BarPrices:
    """Raises ValueError when a price is not finite."""
    return BarPrices(to_decimal(bar.open), to_decimal(bar.high), to_decimal(bar.low), to_decimal(bar.close))


class Leg(StrEnum):
    """Which exit of a pair was reached."""

    STOP = "stop"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class ExitMatch:
    """The one exit that a bar reached, and the price before slippage."""

    leg: Leg
    price: Decimal


def coverage_of(active_us: int, with_entry: bool, ts_open: int) -> Coverage:
    """What an order that became active at `active_us` saw of a bar that opened at `ts_open`.

    `with_entry`: it became active through the fill of its own entry.
    """
    if active_us > ts_open:
        return Coverage.WITHIN
    return Coverage.FROM_OPEN if with_entry and active_us == ts_open else Coverage.BEFORE_OPEN


def stop_is_reached(stop: Decimal, price: Decimal, rules: MatchRules) -> bool:
    """A protective stop triggers at its price or below."""
    return price <= stop + rules.touch_tolerance


def limit_is_crossed(side: OrderSide, limit: Decimal, opposite: Decimal, rules: MatchRules) -> bool:
    """The other side of the book stands at the limit or better: the order is marketable."""
    if side is OrderSide.BUY:
        return opposite <= limit + rules.touch_tolerance
    return opposite >= limit - rules.touch_tolerance


def limit_is_traded_through(
    side: OrderSide, limit: Decimal, price: Decimal, tick: Decimal | None, rules: MatchRules
) -> bool:
    """A print at `price` fills an order resting at `limit`: it lies `through_ticks` beyond it (SPEC 9.5).

    Without a tick of its own an instrument is measured in the tick of US equities.
    """
    step = equity_tick(limit) if tick is None else tick
    margin = rules.through_ticks * step - rules.touch_tolerance
    return price <= limit - margin if side is OrderSide.BUY else price >= limit + margin


def stop_on_bar(stop: Decimal, bar: BarPrices, coverage: Coverage, rules: MatchRules) -> Decimal | None:
    """The price before slippage at which a protective stop sells on this bar; None when not reached."""
    if not stop_is_reached(stop, bar.low, rules):
        return None
    jumped = coverage is Coverage.BEFORE_OPEN and rules.gap_fill is GapFill.GAP and bar.open < stop
    return bar.open if jumped else stop


def limit_on_bar(
    side: OrderSide,
    limit: Decimal,
    bar: BarPrices,
    coverage: Coverage,
    tick: Decimal | None,
    rules: MatchRules,
) -> Decimal | None:
    """The price at which a resting limit order fills on this bar; None when it does not."""
    best = bar.low if side is OrderSide.BUY else bar.high
    seen = bar.close if coverage is Coverage.WITHIN else best
    if not limit_is_traded_through(side, limit, seen, tick, rules):
        return None
    beyond = bar.open < limit if side is OrderSide.BUY else bar.open > limit
    jumped = coverage is Coverage.BEFORE_OPEN and rules.gap_fill is GapFill.GAP and beyond
    return bar.open if jumped else limit


def exit_on_bar(
    stop: Decimal,
    target: Decimal,
    bar: BarPrices,
    coverage: Coverage,
    tick: Decimal | None,
    rules: MatchRules,
) -> ExitMatch | None:
    """Which of a stop and target pair sells on this bar: at most one, the stop first."""
    price = stop_on_bar(stop, bar, coverage, rules)
    if price is not None:
        return ExitMatch(Leg.STOP, price)
    price = limit_on_bar(OrderSide.SELL, target, bar, coverage, tick, rules)
    return None if price is None else ExitMatch(Leg.TARGET, price)


def coverage_after_entry(limit: Decimal, bar: BarPrices, coverage: Coverage) -> Coverage:
    """What the legs of a buy limit that filled on this bar see of the rest of it."""
    at_open = coverage is not Coverage.WITHIN and bar.open <= limit
    return Coverage.FROM_OPEN if at_open else Coverage.WITHIN


def taker_price(
    side: OrderSide,
    price: Decimal,
    slippage_ratio: float,
    limit: Decimal | None,
    tick: Decimal | None,
) -> Decimal:
    """What a taker pays or gets: worse by the slippage, rounded to the tick, never beyond its limit.

    Without slippage the price is not rounded. Sales never go below zero.
    """
    moved = price * to_decimal(slippage_ratio)
    if side is OrderSide.BUY:
        paid = round_up(price + moved, tick) if moved else price
        return paid if limit is None else min(paid, limit)
    got = max(round_down(price - moved, tick), ZERO) if moved else price
    return got if limit is None else max(got, limit)


def bar_budget(volume: float, lot: Decimal, rules: MatchRules) -> Decimal | None:
    """How much of a bar our orders together may take, in whole lots; None means any amount."""
    if rules.max_volume_share is None:
        return None
    return round_quantity(to_decimal(volume) * rules.max_volume_share, lot)


def plain_ratio(ratio: float) -> Fraction:
    """A split ratio as the fraction that is meant: 15.000009 -> 15, 0.666667 -> 2/3; else as stored."""
    exact = Fraction(ratio)
    guess = exact.limit_denominator(RATIO_DENOMINATOR)
    return guess if abs(guess - exact) <= RATIO_TOLERANCE * exact else exact


def split_shares(quantity: Decimal, ratio: float, lot: Decimal) -> tuple[Decimal, Decimal]:
    """Shares after a split in whole lots, and the fraction that is paid out (SPEC 3.9b): quantity / ratio."""
    meant = plain_ratio(ratio)
    after = quantity * meant.denominator / meant.numerator
    whole = round_quantity(after, lot)
    return whole, after - whole
