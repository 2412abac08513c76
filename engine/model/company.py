"""What is known of a company beside its prices: its listing, its filings, its cash, its trading halts.

Two clocks on each value, int microseconds UTC: `ts_event` is when it was true or said, `ts_known` when it
could first be used. Nothing unknown is 0: a fact that no source told is None.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.model.ids import InstrumentId
from engine.model.market import Provenance

BEST_EFFORT = frozenset({"yahoo"})
"""Sources, by name, that promise nothing: never the only evidence for an order with real money."""


def is_enough_evidence(sources: Iterable[str]) -> bool:
    """Whether any of the sources that agree on a fact is more than best effort."""
    return not BEST_EFFORT.issuperset(sources)


class ListingKind(StrEnum):
    """What a listed symbol is. Only a stock is ever bought by `gaps` (SPEC 3.2)."""

    STOCK = "stock"
    FUND = "fund"
    """ETF, ETN, closed-end fund or trust of one."""
    WARRANT = "warrant"
    UNIT = "unit"
    RIGHT = "right"
    PREFERRED = "preferred"
    DEBT = "debt"


@dataclass(frozen=True, slots=True)
class Listing:
    """How a symbol is listed. `exchange`: NASDAQ, NYSE, AMEX, ARCA, BATS or OTC; `name` is untrusted text."""

    instrument: InstrumentId
    exchange: str
    name: str
    kind: ListingKind
    is_active: bool
    is_tradable: bool
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Filing:
    """One document filed with the SEC. `items`: numbers of an 8-K, such as `2.02`; () for other forms.

    `ts_event`: when it was accepted.
    """

    instrument: InstrumentId
    accession: str
    form: str
    items: tuple[str, ...]
    filed: date
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Reported:
    """One number of a report: USD, or shares. `first` and `last`: its period; the same day for a balance."""

    value: float
    first: date
    last: date
    form: str
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Fundamentals:
    """Cash and operating cash flow of the last reports, USD. `quarters`: single quarters, oldest first."""

    cash: Reported | None
    quarters: tuple[Reported, ...]

    @property
    def cash_usd(self) -> float | None:
        """Of the last balance sheet."""
        return None if self.cash is None else self.cash.value

    @property
    def quarterly_ocf_usd(self) -> float | None:
        """Operating cash flow of the last reported quarter; negative burns cash."""
        return self.quarters[-1].value if self.quarters else None


@dataclass(frozen=True, slots=True)
class Halt:
    """Trading in one instrument stopped at `ts_event`. `resumed_us` None: not yet, or not told.

    `reason`: the exchange's code, such as LUDP (volatility pause) or T1 (news pending).
    """

    instrument: InstrumentId
    reason: str
    resumed_us: int | None
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class CompanyFacts:
    """Everything known of one company by `known_us`. None: no source told it, which is not the same as no.

    `sic`: four digits of its Standard Industrial Classification. `filings` newest first, `halts` oldest
    first.
    """

    instrument: InstrumentId
    listing: Listing | None
    shares_outstanding: Reported | None
    sic: str | None
    filings: tuple[Filing, ...]
    fundamentals: Fundamentals | None
    halts: tuple[Halt, ...]
    known_us: int
