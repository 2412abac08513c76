"""What a provider tells of one stock at one instant. A part that it did not tell is None."""

from dataclasses import dataclass
from datetime import date

from engine.model.ids import InstrumentId
from engine.model.market import Bar, Provenance, Quote, Trade


@dataclass(frozen=True, slots=True)
class DayBar:
    """One exchange session so far, or the whole of it: prices in USD, volume in shares."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float | None
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Last trade, best quote, last minute, the session so far and the one before it, prices as traded."""

    instrument: InstrumentId
    trade: Trade | None
    quote: Quote | None
    minute: Bar | None
    day: DayBar | None
    previous_day: DayBar | None
