"""Exit plans as data: how a position is left is a value that is shown, approved and journalled (SPEC 6.5)."""

from dataclasses import dataclass
from decimal import Decimal

ZERO, ONE = Decimal(0), Decimal(1)
CLOSE_LEAD_US = 720_000_000
"""Twelve minutes: exchanges take no market-on-close orders in the last ten."""


@dataclass(frozen=True, slots=True)
class Tier:
    """At this price so much of the first quantity is sold; `share` in (0, 1]."""

    price: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class ExitPlan:
    """How a position is left; prices Decimal in entry-day dollars, fixed before anybody is asked.

    The stop never falls. `targets` are tiers by rising price. News, a person or an emergency may end the
    position at any time: they are reasons, not terms.
    """

    stop_price: Decimal
    """The initial stop."""
    targets: tuple[Tier, ...]
    max_sessions: int | None
    """The instrument's own sessions, the entry session as 1; the last close ends it. None: no time exit."""
    breakeven_after: int | None = None
    """Index of the tier that lifts the stop to the ticket's limit price; None: no tier does."""
    trail_ratio: Decimal | None = None
    """The stop follows at (1 - ratio) x the high, from the price after the breakeven tier on, without such
    a tier from the entry on; None: it does not follow."""
    close_lead_us: int = CLOSE_LEAD_US
    """With a running clock the time exit goes out so long before the close, microseconds."""

    def __post_init__(self) -> None:
        prices = [tier.price for tier in self.targets]
        if self.stop_price <= ZERO or not prices or prices[0] <= self.stop_price:
            raise ValueError(f"a stop above 0 lies below the first target, got {self.stop_price}, {prices}")
        if prices != sorted(set(prices)):
            raise ValueError(f"targets rise, got {prices}")
        shares = [tier.share for tier in self.targets]
        if min(shares) <= ZERO or sum(shares) > ONE:
            raise ValueError(f"shares of targets are above 0 and at most 1 together, got {shares}")
        if self.max_sessions is not None and self.max_sessions < 1:
            raise ValueError(f"a position is held for one session at least, got {self.max_sessions}")
        if self.breakeven_after is not None and not 0 <= self.breakeven_after < len(prices):
            raise ValueError(f"there is no tier {self.breakeven_after} among {len(prices)}")
        if self.trail_ratio is not None and not ZERO < self.trail_ratio < ONE:
            raise ValueError(f"a trail is a fraction between 0 and 1, got {self.trail_ratio}")
        if self.close_lead_us < 0:
            raise ValueError(f"a lead is not negative, got {self.close_lead_us}")

    @property
    def is_single(self) -> bool:
        """One target for everything and a stop that stays: what a venue can link by itself."""
        still = self.breakeven_after is None and self.trail_ratio is None
        return still and len(self.targets) == 1 and self.targets[0].share == ONE

    @property
    def sells_all(self) -> bool:
        """Whether the last tier leaves nothing."""
        return sum(tier.share for tier in self.targets) == ONE

    @property
    def target_price(self) -> Decimal:
        """The first target."""
        return self.targets[0].price


def single_target(stop_price: Decimal, target_price: Decimal, max_sessions: int | None) -> ExitPlan:
    """One target for the whole position and a stop that stays."""
    return ExitPlan(stop_price, (Tier(target_price, ONE),), max_sessions)
