"""How much of the account moves together with a candidate (SPEC 4.8.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.model.ids import InstrumentId
from engine.money import EPSILON, ZERO, to_decimal


@dataclass(frozen=True, slots=True)
class Exposure:
    """Value of the positions that move with the candidate, in account currency, and which they are."""

    value: Decimal
    names: tuple[InstrumentId, ...]
    unknown: tuple[InstrumentId, ...]
    """Those of them whose correlation is unknown: it counts as 1."""


def correlated_exposure(
    candidate: InstrumentId,
    values: Mapping[InstrumentId, Decimal],
    correlation: Callable[[InstrumentId, InstrumentId], float | None],
    threshold: float,
) -> Exposure:
    """Positions whose return correlation with the candidate lies above `threshold`; its own counts always."""
    total, names, unknown = ZERO, [], []
    for name, value in values.items():
        found = 1.0 if name == candidate else correlation(candidate, name)
        if found is None:
            unknown.append(name)
        elif found <= threshold + EPSILON:
            continue
        total += value
        names.append(name)
    return Exposure(total, tuple(names), tuple(unknown))


def room(equity: Decimal, share: float, taken: Decimal) -> Decimal:
    """What a candidate may still be worth: `share` of equity less what is taken; never negative."""
    return max(ZERO, equity * to_decimal(share) - taken)
