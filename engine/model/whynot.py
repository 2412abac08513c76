"""How each judged candidate ended, and what would have let it pass."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.model.ids import CorrelationId, InstrumentId, StrategyName


class Outcome(StrEnum):
    """A candidate ends as exactly one of the first five; a ticket that nobody decided yet waits."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VETOED = "vetoed"
    GATED_OUT = "gated_out"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """One candidate. Times int microseconds UTC."""

    correlation: CorrelationId
    strategy: StrategyName
    instrument: InstrumentId
    session: date
    judged_us: int | None
    outcome: Outcome
    who: str
    """Agent or gate that said no first, else who decided; "" while it waits."""
    reason: str
    value: str
    """What that agent or gate measured, fit to show; "" when a person or time decided."""
    limit: str
    """What would have passed."""
    margin: str
    """How far `value` is from `limit`, in words."""
    number: int | None
    """Of its ticket, T-18; None when it came to none."""
    decided_us: int | None
