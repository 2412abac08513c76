"""What a simulated venue is like: its capability card and the habits that the card does not tell."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from engine.clock import US_PER_S
from engine.execution.fees import FeeSchedule, NoFees, TakerFees, UsEquityFees
from engine.model.orders import BracketKind
from engine.ports import Capabilities


@dataclass(frozen=True, slots=True)
class VenueCard:
    """One venue. Everything the engine may rely on is in `capabilities`; the rest it has to find out."""

    name: str
    capabilities: Capabilities
    holds_quantity: bool
    """Resting exits hold the units they may sell; a further sale of the same units is refused."""
    too_many_is_final: bool
    """Status 429 on an order proves that it was not taken; else its fate is open."""
    records_refusals: bool
    """A refused order leaves a record in state rejected; else there is no trace of it."""
    refuses_market_in_halt: bool
    """A market order in a trading halt is refused; else it waits."""
    refuses_stop_through: bool
    """A stop that the price is through already is refused; else it triggers at once."""
    fees: FeeSchedule


_FEES: tuple[FeeSchedule, ...] = (
    NoFees(),
    UsEquityFees(),
    UsEquityFees(Decimal("0.005"), Decimal("1.00")),
    TakerFees(Decimal("0.001")),
)


def capabilities(
    kind: BracketKind,
    *,
    for_ever: bool = True,
    expiry_us: int | None = 5 * US_PER_S,
    lag_us: int = 0,
    can_replace: bool = False,
) -> Capabilities:
    """A card that automatic trading accepts: lookup by client id and stops that rest without us."""
    return Capabilities(
        bracket_kind=kind,
        client_id_unique_for_ever=for_ever,
        request_expiry_us=expiry_us,
        visibility_lag_us=lag_us,
        lookup_by_client_id=True,
        stop_rests_without_us=True,
        can_replace=can_replace,
        reduces_pairs=True,
    )


CALM = VenueCard("calm", capabilities(BracketKind.OTOCO), True, True, True, True, False, NoFees())
"""The strictest venue, as the paper broker."""


def draw_card(random: Random, kinds: tuple[BracketKind, ...] = tuple(BracketKind)) -> VenueCard:
    """A venue that automatic trading accepts: ids unique for ever, or among open orders with an expiry."""
    kind = random.choice(kinds)
    for_ever = random.random() < 0.6
    expires = not for_ever or random.random() < 0.5
    lag_us = random.choice((0, 300_000, 800_000, 1_500_000))
    card = capabilities(
        kind,
        for_ever=for_ever,
        expiry_us=random.choice((2, 3, 5)) * US_PER_S if expires else None,
        lag_us=lag_us,
        can_replace=random.random() < 0.5,
    )
    ids = "for-ever" if for_ever else "open-only"
    return VenueCard(
        f"{kind.value}/{ids}/{'expiry' if expires else 'no-expiry'}",
        card,
        holds_quantity=random.random() < 0.6,
        too_many_is_final=random.random() < 0.5,
        records_refusals=random.random() < 0.5,
        refuses_market_in_halt=random.random() < 0.5,
        refuses_stop_through=random.random() < 0.3,
        fees=random.choice(_FEES),
    )
