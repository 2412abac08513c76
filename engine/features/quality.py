"""Quality features of stocks (SPEC 1.4.8): how new and how complete the inputs are, and the issuer's cash.

Each is a kernel of columns (T,); see `registry.FeatureSpec`. NaN: not available.
"""

from engine.features.kernels import NAN, Column, Memory
from engine.features.registry import AssetClass, Category, feature

_QUALITY = Category.QUALITY
RUNWAY_MAX = 999.0
"""Months, of an issuer that earns cash."""
MONTHS_A_QUARTER = 3.0


@feature(version="1.0.0", category=_QUALITY, unit="fraction", lookback=1, minimum=0, maximum=1, max_age_s=60)
def data_recency(freshness: Column, present: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Mean of 2^(-age / max_age) over the inputs that are there.

    `freshness`: the sum of it, by `engine.scoring.confidence.freshness`; `present`: how many there are.
    """
    first = len(present) - len(out)
    for row in range(len(out)):
        count = present[first + row]
        out[row] = freshness[first + row] / count if count > 0.0 else NAN


@feature(version="1.0.0", category=_QUALITY, unit="fraction", lookback=1, minimum=0, maximum=1, max_age_s=60)
def data_completeness(
    present: Column, required: Column, memory: Memory, scratch: Column, out: Column
) -> None:
    """Required inputs that are there over those that apply."""
    first = len(present) - len(out)
    for row in range(len(out)):
        count = required[first + row]
        out[row] = present[first + row] / count if count > 0.0 else NAN


@feature(
    version="1.0.0",
    category=_QUALITY,
    unit="months",
    lookback=1,
    minimum=0,
    maximum=RUNWAY_MAX,
    nullable=True,
    max_age_s=86_400,
    asset_class=AssetClass.EQUITY,
)
def issuer_runway_months(
    cash: Column, quarterly_cash_flow: Column, memory: Memory, scratch: Column, out: Column
) -> None:
    """Months that the issuer's cash lasts at the operating cash flow of its last quarter, at most 999.

    Both USD; 999 when the flow is not negative.
    """
    first = len(cash) - len(out)
    for row in range(len(out)):
        money, flow = cash[first + row], quarterly_cash_flow[first + row]
        if flow < 0.0 and money >= 0.0:
            months = MONTHS_A_QUARTER * money / -flow
            out[row] = months if months < RUNWAY_MAX else RUNWAY_MAX
        else:
            out[row] = RUNWAY_MAX if flow >= 0.0 and money >= 0.0 else NAN
