"""Order-flow features of tokens (SPEC 1.4.3): who buys and who sells in the pools."""

from engine.features.registry import Category
from engine.features.token_look import Look, token_feature
from engine.model.candidates import MissingReason

_FLOW = Category.ORDER_FLOW


def _imbalance(buys: int | None, sells: int | None) -> float | MissingReason:
    if buys is None or sells is None:
        return MissingReason.MISSING
    return (buys - sells) / (buys + sells) if buys + sells else MissingReason.NOT_APPLICABLE


def _count(value: int | None) -> float | MissingReason:
    return MissingReason.MISSING if value is None else float(value)


@token_feature(_FLOW, "ratio", 300, minimum=-1, maximum=1, nullable=True)
def dex_flow_imbalance_h1(look: Look) -> float | MissingReason:
    """(buys - sells) / (buys + sells) in counts of trades over 1 hour; not applicable without a trade."""
    return _imbalance(look.snapshot.buys_h1, look.snapshot.sells_h1)


@token_feature(_FLOW, "ratio", 300, minimum=-1, maximum=1, nullable=True)
def dex_flow_imbalance_h24(look: Look) -> float | MissingReason:
    """The same over 24 hours."""
    return _imbalance(look.snapshot.buys_h24, look.snapshot.sells_h24)


@token_feature(_FLOW, "ratio", 300, minimum=0, nullable=True)
def buy_sell_txn_ratio_h24(look: Look) -> float | MissingReason:
    """Buys over sells of 24 hours, at least one sell being counted."""
    buys, sells = look.snapshot.buys_h24, look.snapshot.sells_h24
    return MissingReason.MISSING if buys is None or sells is None else buys / max(sells, 1)


@token_feature(_FLOW, "USD", 300, minimum=0, nullable=True)
def avg_trade_usd_h24(look: Look) -> float | MissingReason:
    """Volume of 24 hours over its trades."""
    volume, buys, sells = look.snapshot.volume_24h_usd, look.snapshot.buys_h24, look.snapshot.sells_h24
    if volume is None or buys is None or sells is None:
        return MissingReason.MISSING
    return volume / (buys + sells) if buys + sells else MissingReason.NOT_APPLICABLE


@token_feature(_FLOW, "fraction", 300, minimum=0, maximum=1, nullable=True)
def large_trade_share_1h(look: Look) -> float | MissingReason:
    """Share of the hour's volume that is in trades of at least 10,000 USD."""
    large, volume = look.snapshot.large_volume_1h_usd, look.snapshot.volume_1h_usd
    if large is None or volume is None:
        return MissingReason.MISSING
    return large / volume if volume > 0 else MissingReason.NOT_APPLICABLE


@token_feature(_FLOW, "count", 300, minimum=0, nullable=True)
def unique_buyers_h24(look: Look) -> float | MissingReason:
    """Distinct addresses that bought in 24 hours."""
    return _count(look.snapshot.buyers_h24)


@token_feature(_FLOW, "count", 300, minimum=0, nullable=True)
def unique_sellers_h24(look: Look) -> float | MissingReason:
    """Distinct addresses that sold in 24 hours."""
    return _count(look.snapshot.sellers_h24)
