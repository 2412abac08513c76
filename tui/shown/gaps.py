"""How far the gap scan of a session came, and what is known of an edge (SPEC 3.14).

Ratios are fractions, chances 0..1, times int microseconds; `None` is not known.
"""

from dataclasses import dataclass

from engine.model.checks import GateStatus
from engine.model.ids import CorrelationId, Symbol


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many candidates are left after a step, how many it took, and for what most of them."""

    name: str
    left: int
    lost: int
    words: str
    """The reason that came up most; "" where nothing was lost."""


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One rule as it was held against a candidate; `margin` says in words what would have let it pass."""

    name: str
    status: GateStatus
    value: str
    limit: str
    margin: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The candidate that came nearest, and what blocked it."""

    correlation: CorrelationId
    symbol: Symbol
    blocked_by: LimitRow
    others: int
    """How many rules more spoke against it."""


@dataclass(frozen=True, slots=True)
class RateView:
    """A share with the bounds that hold it with 90 % confidence; None without a case."""

    of: int
    hits: int
    low: float | None
    high: float | None


NO_RATE = RateView(0, 0, None, None)


@dataclass(frozen=True, slots=True)
class EdgeView:
    """The shadow book: proposals followed to their end, at 1x cost, and what a live account would need."""

    n: int
    sessions: int
    won: RateView
    mean: float | None
    """Net return of one."""
    low: float | None
    high: float | None
    """They hold the mean with 95 % confidence."""
    bound: float | None
    """The mean is above it with 95 % confidence: an edge is shown where it is above 0."""
    needs_n: int
    needs_sessions: int
    is_shown: bool


@dataclass(frozen=True, slots=True)
class FollowView:
    """Signals that are followed on paper."""

    proposed: int
    vetoed: int
    last: str
    """How the last one ended; "" when none did."""


@dataclass(frozen=True, slots=True)
class GapScanView:
    """Of the last decision instant."""

    judged_us: int | None
    """None: nothing was judged yet."""
    rule: str
    """naive or full; "" before the first decision."""
    candidates: int
    proposals: int
    """That came to a ticket which a person could see."""
    reason: str
    """Why there are no more, in one sentence; "" before the first decision."""
    funnel: tuple[FunnelStep, ...]
    nearest: NearMiss | None
    base: RateView
    """How often the target came first in all that was followed, vetoed signals too."""
    edge: EdgeView | None
    """None: nothing is followed in this run."""
    follow: FollowView | None


NO_SCAN = GapScanView(None, "", 0, 0, "", (), None, NO_RATE, None, None)
