"""Prices and size of a gap ticket (SPEC 3.8, 3.9): pure functions, fixed before anybody is asked."""

from dataclasses import dataclass, replace
from decimal import Decimal

from engine.model.candidates import Regime
from engine.model.market import Instrument, Quote
from engine.money import ZERO, round_down, to_decimal
from engine.risk.drawdown import ONE
from engine.risk.sizing import SizeCap, Sizing, size_position
from engine.strategies.gaps_config import GapsConfig

LIMIT_OVER_MID = Decimal("1.001")
"""An entry never bids more than this times the middle of the quote (SPEC 3.9)."""
SPY_STRESS_SIZE_PCT = 0.003
"""Fraction of equity in spy_stress, where a person allowed it or the regime does not limit (SPEC 3.6)."""


@dataclass(frozen=True, slots=True)
class EntryPrices:
    """Limit, stop and target of a bracket; they may still be out of order where a tick is coarse."""

    limit_price: Decimal
    stop_price: Decimal
    target_price: Decimal

    @property
    def is_ordered(self) -> bool:
        """Whether 0 < stop < limit < target, without which no bracket can be sent."""
        return ZERO < self.stop_price < self.limit_price < self.target_price


def price_entry(quote: Quote, instrument: Instrument, config: GapsConfig) -> EntryPrices | None:
    """Limit at min(ask, mid * 1.001), legs from that limit, all rounded down to the tick.

    None when a side of the quote is missing. Without a tick the legs are the float64 products, as a back-test
    on stored bars computes them; with one they are exact decimals before they are rounded.
    """
    if quote.bid is None or quote.ask is None:
        return None
    tick = instrument.tick_size
    ask, mid = to_decimal(quote.ask), (to_decimal(quote.bid) + to_decimal(quote.ask)) / 2
    limit = round_down(min(ask, mid * LIMIT_OVER_MID), tick)
    if tick is None:
        entry = float(limit)
        stop = to_decimal(entry * (1 - config.stop_pct))
        return EntryPrices(limit, stop, to_decimal(entry * (1 + config.target_pct)))
    stop = round_down(limit * (1 - to_decimal(config.stop_pct)), tick)
    target = round_down(limit * (1 + to_decimal(config.target_pct)), tick)
    return EntryPrices(limit, stop, target)


def size_share(regime: Regime, config: GapsConfig, is_conservative: bool = False) -> float:
    """Fraction of equity that one position may be worth.

    An unknown regime is sized like high_vix; it comes this far only where the regime does not limit. So is a
    normal one where the account's drawdown asks for caution.
    """
    if regime is Regime.NORMAL and not is_conservative:
        return config.size_pct
    if regime is Regime.SPY_STRESS:
        return min(SPY_STRESS_SIZE_PCT, config.size_pct_highvix)
    return min(config.size_pct, config.size_pct_highvix) if is_conservative else config.size_pct_highvix


@dataclass(frozen=True, slots=True)
class EntryRooms:
    """What limits one entry beside the strategy; money in account currency, None: does not limit this run."""

    equity: Decimal
    cash: Decimal | None
    correlation: Decimal | None = None
    liquidity: Decimal | None = None
    max_position_pct: float = 0.10
    multiplier: Decimal = ONE
    is_conservative: bool = False
    share: float = 1.0
    """Of the strategy's size, by the instrument's own past (SPEC 3.11)."""
    kelly_pct: float | None = None
    """Fraction of equity by the forecast (SPEC 4.8.1); None: no forecast."""


def size_entry(
    prices: EntryPrices, regime: Regime, config: GapsConfig, rooms: EntryRooms, lot: Decimal
) -> Sizing:
    """Smallest of strategy share, position limit and rooms, times the account's multiplier, in whole lots.

    A multiplier of the drawdown breaker is named with the cap, and instead of it where nothing is left.
    """
    equity = rooms.equity
    own = to_decimal(size_share(regime, config, rooms.is_conservative)) * to_decimal(rooms.share)
    caps = [
        SizeCap("strategy" if rooms.share == 1 else f"strategy x {rooms.share:g} for its past", equity * own),
        SizeCap("max_position", equity * to_decimal(rooms.max_position_pct)),
    ]
    if rooms.kelly_pct is not None:
        caps.append(SizeCap("kelly", equity * to_decimal(rooms.kelly_pct)))
    limits = (("correlation", rooms.correlation), ("liquidity", rooms.liquidity), ("cash", rooms.cash))
    caps += [SizeCap(name, room) for name, room in limits if room is not None]
    sizing = size_position(prices.limit_price, caps, (rooms.multiplier,), lot)
    if rooms.multiplier == ONE:
        return sizing
    bound = "drawdown" if rooms.multiplier == ZERO else f"{sizing.binding} x {rooms.multiplier} for drawdown"
    return replace(sizing, binding=bound)
