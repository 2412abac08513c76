"""What a market tells us. Prices are float here; `money` turns them into Decimal where an order needs them.

Every datum has two clocks, int microseconds UTC: `ts_event` (when it was true at the source) and `ts_known`
(when we could first use it). A bar is known at its close, never at its open (SPEC 0.2).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.model.ids import InstrumentId

if TYPE_CHECKING:
    from engine.model.tokens import Post, TokenSnapshot  # tokens carry a Provenance from here


class Provenance(StrEnum):
    """Where a datum comes from, the most trusted first; shown beside it and stored with it (SPEC 5.6)."""

    LIVE = "live"
    REPLAY = "replay"
    SYNTHETIC = "synthetic"


_TRUST = tuple(Provenance)


def least_trusted(*provenances: Provenance) -> Provenance:
    """Of what was made from several data: it is worth no more than the worst of them."""
    return max(provenances, key=_TRUST.index)


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is traded. `tick_size` None means prices are not rounded (datasets replayed as stored)."""

    id: InstrumentId
    currency: str = "USD"
    tick_size: Decimal | None = None
    lot_size: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask in quote currency. A missing side is None, never 0."""

    instrument: InstrumentId
    bid: float | None
    ask: float | None
    ts_event: int
    ts_known: int
    provenance: Provenance

    @property
    def mid(self) -> float | None:
        """Half way between bid and ask; None when a side is missing."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    @property
    def spread_ratio(self) -> float | None:
        """(ask - bid) / mid; None when a side is missing."""
        if self.bid is None or self.ask is None:
            return None
        return (self.ask - self.bid) / ((self.bid + self.ask) / 2)


@dataclass(frozen=True, slots=True)
class Trade:
    """A print on the tape. `is_open` marks the official opening print of a session."""

    instrument: InstrumentId
    price: float
    ts_event: int
    ts_known: int
    provenance: Provenance
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close in quote currency and volume in units, of `ts_open`..`ts_close`."""

    instrument: InstrumentId
    open: float
    high: float
    low: float
    close: float
    volume: float
    ts_open: int
    ts_close: int
    provenance: Provenance
    is_final: bool = True


class CorporateActionKind(StrEnum):
    """What happens to the shares held."""

    SPLIT = "split"
    DIVIDEND = "dividend"


def corporate_action_kind(ratio: float) -> CorporateActionKind:
    """A ratio above 1, or of a 5:4 split (0.8, also as stored in float32) and below: split; else dividend."""
    is_split = ratio > 1 or ratio <= 0.8 + 1e-6
    return CorporateActionKind.SPLIT if is_split else CorporateActionKind.DIVIDEND


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """Effective before the open of session `ex_date`.

    `ratio` is what the prior close must be multiplied by before it is compared with the open: 0.5 for a 2:1
    split, 10 for a 1:10 reverse split, a little under 1 for a cash dividend (SPEC 3.9b).
    """

    instrument: InstrumentId
    kind: CorporateActionKind
    ratio: float
    prior_close: float
    ex_date: date
    ts_known: int


@dataclass(frozen=True, slots=True)
class Headline:
    """One headline about some instruments. `title` is untrusted text."""

    instruments: tuple[InstrumentId, ...]
    title: str
    source: str
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Book:
    """Resting orders of one instrument at one venue: (price, size) from the best price outward."""

    instrument: InstrumentId
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class FeedState:
    """One stream of data: when it last told something, and what else is to be said of it."""

    name: str
    last_us: int | None
    """None: nothing yet."""
    max_age_us: int
    """Silent for longer than this while it should speak, it counts as mute."""
    messages: int
    note: str = ""


class SessionPhase(StrEnum):
    """The instants of an exchange session that a strategy may act on."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class MarketBatch:
    """Everything that becomes known at one instant, in the order it must be handled (SPEC 9.8).

    `phase` is set when the instant is the opening or the close of a session.
    """

    ts: int
    actions: tuple[CorporateAction, ...] = ()
    bars: tuple[Bar, ...] = ()
    trades: tuple[Trade, ...] = ()
    quotes: tuple[Quote, ...] = ()
    session: date | None = None
    phase: SessionPhase | None = None
    books: tuple[Book, ...] = ()
    headlines: tuple[Headline, ...] = ()
    tokens: "tuple[TokenSnapshot, ...]" = ()
    """Whole snapshots of those that were looked at at this instant."""
    posts: "tuple[Post, ...]" = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One exchange trading day; times are int microseconds UTC."""

    day: date
    open_us: int
    close_us: int
