"""The features of one instrument as a decision sees them, with times, source and the reason when missing.

Daily history up to the prior session is brought to the dollars of the current one; the current session is a
provisional bar with open = high = low = close = decision price (SPEC 1.3, 3.2.4), in training as in trading.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.features.catalogue import CATALOGUE
from engine.features.registry import Array
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.market import Quote
from engine.money import EPSILON
from engine.ports import BarColumns

HISTORY_BARS = 263
"""Bars before the session that a decision uses: 200 + 63 (SPEC 3.2.1). Always the same number, so that the
Wilder averages, which remember their start, come out equal in training, replay and trading."""
ADV_BARS = CATALOGUE["adv_usd_20"].lookback
PRICE_FEATURES = (
    "z5",
    "rsi2",
    "bb_dev",
    "dist_200",
    "trend_63",
    "gap_dn",
    "atr_14_pct",
    "realized_vol_20",
)
"""Read at the provisional bar, so they hold the decision price."""
VOLUME_FEATURES = ("adv_usd_20",)
"""Read at the last completed bar, since the provisional bar has no volume."""
COMPLETED_FEATURES = (
    "liquidity_delta_pct",
    "amihud_illiq_20",
    "volume_fade",
    "rv60",
    "prev_return",
    "prev_volume_ratio",
    "ret20",
    "knife_share_63",
)
"""What the filters of SPEC 3.7 and the challenger model look at, read at the last completed bar."""
LIQUID_USD = 5_000_000.0
BREADTH_GAP = -0.03
SOURCE_BARS = "daily_bars"
SOURCE_BARS_AND_QUOTE = "daily_bars+quote"
_US_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """When the newest input of a feature was true and could first be used, and where it came from."""

    ts_event: int
    ts_known: int
    source: str


def day_stamp(day: np.datetime64, source: str) -> Stamp:
    """The stamp of a completed daily bar: the end of its day in UTC, which no US close comes after."""
    end = (int(day.astype("datetime64[D]").astype(np.int64)) + 1) * _US_PER_DAY
    return Stamp(end, end, source)


def observe(feature_id: str, columns: Mapping[str, Array], stamp: Stamp) -> FeatureValue:
    """The last row of a feature over `columns` (name -> (T,)), or the reason why there is no value."""
    spec = CATALOGUE[feature_id]
    rows = len(columns[spec.inputs[0]])
    first = 0 if spec.window is None else max(0, rows - spec.window)
    inputs = [columns[name][first:] for name in spec.inputs]
    value = spec.last(*inputs)
    missing = None
    if rows < spec.lookback:
        missing = MissingReason.INSUFFICIENT_HISTORY
    elif np.isnan(value):
        # Enough rows and still no number: zero volatility, band width or volume (SPEC 3.14).
        missing = MissingReason.NOT_APPLICABLE
    elif not spec.holds(value):
        missing = MissingReason.OUT_OF_RANGE
    return FeatureValue(
        feature_id,
        value if missing is None else None,
        missing,
        stamp.ts_event,
        stamp.ts_known,
        stamp.source,
        spec.version,
    )


def absent(feature_id: str, reason: MissingReason, stamp: Stamp) -> FeatureValue:
    """A feature whose input is not there at all."""
    version = CATALOGUE[feature_id].version
    return FeatureValue(feature_id, None, reason, stamp.ts_event, stamp.ts_known, stamp.source, version)


def adjustment(bars: BarColumns, ratio: float) -> Array:
    """What each row's prices (T,) must be multiplied by to stand in the dollars of the session after it.

    `ratio` is that session's own corporate-action ratio; `event_ratio[k]` applies to all rows before k.
    """
    steps = np.append(bars.event_ratio[1:], ratio)
    return np.cumprod(steps[::-1])[::-1]


def decision_columns(bars: BarColumns, ratio: float, price: float) -> dict[str, Array]:
    """open, high, low, close (T + 1,) in current dollars, the last row being the provisional bar.

    And volume (T + 1,) in current shares, so that a split is no change of volume; NaN in the provisional bar.
    """
    factor = adjustment(bars, ratio)
    named = {"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
    columns = {name: np.append(column * factor, price) for name, column in named.items()}
    return columns | {"volume": np.append(bars.volume / factor, np.nan)}


def instrument_features(
    bars: BarColumns, ratio: float, price: float, quote: Quote
) -> tuple[FeatureValue, ...]:
    """PRICE_FEATURES, then VOLUME_FEATURES, of one instrument at decision price `price`.

    `bars`: the last HISTORY_BARS raw daily bars before the session, at least one.
    """
    columns = decision_columns(bars, ratio, price)
    stamp = Stamp(quote.ts_event, quote.ts_known, SOURCE_BARS_AND_QUOTE)
    at_price = [observe(feature_id, columns, stamp) for feature_id in PRICE_FEATURES]
    return (*at_price, traded_value(bars))


def full_features(bars: BarColumns, ratio: float, price: float, quote: Quote) -> tuple[FeatureValue, ...]:
    """What the full rule looks at: `instrument_features`, then `gap_atr`, then COMPLETED_FEATURES."""
    columns = decision_columns(bars, ratio, price)
    completed = {name: column[:-1] for name, column in columns.items()}
    at_price = Stamp(quote.ts_event, quote.ts_known, SOURCE_BARS_AND_QUOTE)
    at_close = day_stamp(bars.day[-1], SOURCE_BARS)
    return (
        *instrument_features(bars, ratio, price, quote),
        observe("gap_atr", columns, at_price),
        *(observe(feature_id, completed, at_close) for feature_id in COMPLETED_FEATURES),
    )


def spy_gap(spy: BarColumns, ratio: float, price: float, stamp: Stamp) -> FeatureValue:
    """SPY's gap of the morning: `price` its open or last quote, `spy` its bars before the session."""
    columns = {"spy": np.append(spy.close[-1:] * ratio, price), "spy_open": np.append(spy.open[-1:], price)}
    return observe("spy_gap", columns, stamp)


def gap_breadth(gaps: Array, traded: Array, stamp: Stamp) -> FeatureValue:
    """Share of liquid names that opened 3 % or more lower this morning.

    `gaps`: open / prior close - 1 of every name with a price this morning; `traded`: its `adv_usd_20`, NaN
    where there are too few bars. Both (K,).
    """
    gapping, liquid = count_gaps(gaps, traded)
    columns = {
        "gapping": np.array([gapping], dtype=np.float64),
        "liquid": np.array([liquid], dtype=np.float64),
    }
    return observe("gap_breadth", columns, stamp)


def count_gaps(gaps: Array, traded: Array) -> tuple[int, int]:
    """How many liquid names gap down, and how many there are."""
    is_liquid = (traded >= LIQUID_USD - EPSILON) & np.isfinite(gaps)
    return int((is_liquid & (gaps <= BREADTH_GAP + EPSILON)).sum()), int(is_liquid.sum())


def traded_value(bars: BarColumns) -> FeatureValue:
    """`adv_usd_20` at the last of `bars`, at least one: raw prices times raw volume, USD a session."""
    columns = {"close": bars.close, "volume": bars.volume}
    return observe("adv_usd_20", columns, day_stamp(bars.day[-1], SOURCE_BARS))
