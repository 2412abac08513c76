"""Positions, accounts and finished round trips."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, TicketId


class AccountKind(StrEnum):
    """What an account is worth: nothing, practice money, or money."""

    SIMULATION = "simulation"
    PAPER = "paper"
    LIVE = "live"


class ExitReason(StrEnum):
    """Why a position ended."""

    TARGET = "target"
    STOP = "stop"
    TIME = "time"
    NEWS = "news"
    MANUAL = "manual"
    EMERGENCY = "emergency"
    CORPORATE_ACTION = "corporate_action"


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """What a venue says it holds for us."""

    instrument: InstrumentId
    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What a venue says of an account. `cash` is settled and free of reservations; equity marks positions."""

    account: AccountId
    kind: AccountKind
    currency: str
    cash: Decimal
    buying_power: Decimal
    equity: Decimal
    positions: tuple[VenuePosition, ...]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One finished position. Prices are averages in entry-day dollars; `return_ratio` = exit / entry - 1.

    `pnl` is money after fees, with dividends and cash in lieu; `sessions` counts the entry session as 1.
    """

    ticket: TicketId
    number: int
    correlation: CorrelationId
    strategy: StrategyName
    account: AccountId
    instrument: InstrumentId
    session: date
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    entry_us: int
    exit_us: int
    exit_reason: ExitReason
    sessions: int
    pnl: Decimal
    fees: Decimal

    @property
    def return_ratio(self) -> float:
        """exit / entry - 1 as a fraction."""
        return float(self.exit_price) / float(self.entry_price) - 1
