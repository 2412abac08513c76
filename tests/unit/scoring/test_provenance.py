"""SPEC 5.6: what is not live decides on simulation accounts only."""

import pytest

from engine.model.market import Provenance
from engine.model.positions import AccountKind
from engine.scoring.provenance import why_not_usable


@pytest.mark.parametrize("kind", AccountKind)
@pytest.mark.parametrize("provenance", Provenance)
def test_only_live_data_leave_the_simulation(provenance: Provenance, kind: AccountKind) -> None:
    why = why_not_usable(provenance, kind)
    is_allowed = provenance is Provenance.LIVE or kind is AccountKind.SIMULATION
    assert (why == "") is is_allowed
    if why:
        assert provenance.value in why
        assert kind.value in why
