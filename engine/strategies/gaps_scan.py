"""What opened lower, and what the book still has room for: shared by both rules of `gaps`."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from engine.features.assemble import ADV_BARS, HISTORY_BARS, traded_value
from engine.model.candidates import Proposal
from engine.model.ids import InstrumentId
from engine.model.market import Quote
from engine.money import EPSILON, ZERO
from engine.ports import BarColumns
from engine.risk.fatfinger import liquidity_room
from engine.risk.sectors import count_in_sector, sector_name
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_orders import EntryRooms


@dataclass(frozen=True, slots=True)
class Gap:
    """An instrument that opened lower; prices in dollars of the session, `gap` a negative fraction."""

    instrument: InstrumentId
    quote: Quote
    price: float
    prev_close: float
    gap: float
    bars: BarColumns


@dataclass(frozen=True, slots=True)
class Booked:
    """What the limits count: the book as it stands, and the proposals made before at the same instant."""

    open_in_strategy: int
    entries_this_session: int
    cash: Decimal
    values: Mapping[InstrumentId, Decimal]
    """Of the proposals, by instrument."""

    def with_entry(self, proposal: Proposal) -> "Booked":
        """After one more proposal."""
        cost, name = proposal.limit_price * proposal.quantity, proposal.candidate.instrument
        values = {**self.values, name: self.values.get(name, ZERO) + cost}
        return Booked(self.open_in_strategy + 1, self.entries_this_session + 1, self.cash - cost, values)


def booked_now(context: StrategyContext) -> Booked:
    """Before the first proposal of an instant."""
    return Booked(context.open_in_strategy, context.entries_this_session, context.cash, {})


def find_gaps(context: StrategyContext, limit: float) -> list[Gap]:
    """The cheap look at everything that is quoted: one prior close each, no features."""
    found = []
    for instrument, quote in context.quotes.items():
        price = quote.bid if quote.ask is None else quote.ask
        if price is None or quote.ts_known > context.now_us:
            continue
        bars = context.history.daily(instrument, HISTORY_BARS)
        if bars is None:
            continue
        prev_close = float(bars.close[-1]) * context.ratios.get(instrument, 1.0)
        if not (isfinite(prev_close) and prev_close > 0):
            continue
        gap = price / prev_close - 1
        if gap <= limit + EPSILON:
            found.append(Gap(instrument, quote, price, prev_close, gap, bars))
    return found


def rooms(
    context: StrategyContext, instrument: InstrumentId, booked: Booked, max_position_pct: float
) -> EntryRooms:
    """What limits one entry beside the strategy's own share."""
    limits = context.risk
    correlation = limits.correlation_room
    # A traded value that is not known leaves no room: the screener says what is missing.
    liquid = liquidity_room(traded(context, instrument)) or ZERO
    return EntryRooms(
        context.equity,
        booked.cash if context.switches.buying_power else None,
        None if correlation is None else correlation(instrument, booked.values),
        liquid if limits.liquidity else None,
        max_position_pct,
        limits.multiplier,
        limits.is_conservative,
    )


def sector(context: StrategyContext, instrument: InstrumentId, booked: Booked) -> tuple[str, int]:
    """The sector of an instrument and how many others are in it; "" and 0 without a source of sectors."""
    if context.sector_of is None:
        return "", 0
    taken = context.open_instruments | booked.values.keys()
    count = count_in_sector(context.sector_of, instrument, taken)
    return sector_name(context.sector_of, instrument), count


def traded(context: StrategyContext, instrument: InstrumentId) -> float | None:
    """Mean traded value of the 20 bars before the session; None when there are fewer."""
    bars = context.history.daily(instrument, ADV_BARS)
    return None if bars is None else traded_value(bars).value
