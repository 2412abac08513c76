"""SPEC 5.6: what is not live decides on simulation accounts only."""

import pytest

from engine.model.ids import instrument_id
from engine.model.market import MarketBatch, Provenance, Quote, Trade
from engine.model.positions import AccountKind
from engine.scoring.provenance import usable, why_not_usable


@pytest.mark.parametrize("kind", AccountKind)
@pytest.mark.parametrize("provenance", Provenance)
def test_only_live_data_leave_the_simulation(provenance: Provenance, kind: AccountKind) -> None:
    why = why_not_usable(provenance, kind)
    is_allowed = provenance is Provenance.LIVE or kind is AccountKind.SIMULATION
    assert (why == "") is is_allowed
    if why:
        assert provenance.value in why
        assert kind.value in why


ABC = instrument_id("ABC")


def batch(*provenances: Provenance) -> MarketBatch:
    return MarketBatch(
        9,
        trades=tuple(Trade(ABC, 8.0, 9, 9, one) for one in provenances),
        quotes=tuple(Quote(ABC, 7.9, 8.0, 9, 9, one) for one in provenances),
    )


def test_a_simulation_takes_all_that_is_told() -> None:
    told = batch(*Provenance)
    assert usable(told, AccountKind.SIMULATION) == (told, ())


def test_what_is_live_is_taken_as_it_is() -> None:
    told = batch(Provenance.LIVE)
    assert usable(told, AccountKind.PAPER)[0] is told


def test_what_is_not_live_leaves_a_quote_without_prices_and_words() -> None:
    kept, words = usable(batch(Provenance.LIVE, Provenance.SYNTHETIC), AccountKind.LIVE)
    assert [trade.provenance for trade in kept.trades] == [Provenance.LIVE]
    assert [(one.bid, one.ask) for one in kept.quotes] == [(7.9, 8.0), (None, None)]
    assert kept.quotes[1].provenance is Provenance.SYNTHETIC
    reason = "synthetic data, allowed on simulation accounts only, this is live"
    assert words == (f"trades left out: {reason}", f"quotes left out: {reason}")
