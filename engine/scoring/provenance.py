"""Which accounts a score may be used on (SPEC 5.6): zero tolerance for data that are not live."""

from engine.model.market import Provenance
from engine.model.positions import AccountKind


def why_not_usable(provenance: Provenance, kind: AccountKind) -> str:
    """Why a decision on data of this provenance is refused on such an account; "" when it is allowed."""
    if provenance is Provenance.LIVE or kind is AccountKind.SIMULATION:
        return ""
    return f"{provenance.value} data, allowed on simulation accounts only, this is {kind.value}"
