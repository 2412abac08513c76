import re

from engine.sources.demo.chance import stream
from engine.sources.demo.universe import COMPANIES, NAMES, SECTORS, SPY, VIX, draw_traits


def test_eighty_companies_with_symbols_and_names_of_their_own() -> None:
    symbols = [company.instrument for company in COMPANIES]
    assert len(symbols) == len(set(symbols)) == 80
    assert symbols == sorted(symbols)
    assert len(set(NAMES.values())) == 82
    assert {SPY, VIX}.isdisjoint(symbols)


def test_symbols_can_be_said_and_sectors_fit_their_column() -> None:
    for company in COMPANIES:
        assert re.fullmatch(r"[A-Z]{4}\.US", company.instrument)
        assert re.search(r"[AEIOUY]", company.instrument[:4])
        assert len(company.name.split()) >= 2
        assert 4 <= len(SECTORS[company.instrument]) <= 7
    assert len(set(SECTORS.values())) == 7


def test_traits_differ_by_seed_and_stay_in_their_ranges() -> None:
    drawn = [draw_traits(stream(seed, "traits")) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    for traits in drawn[0]:
        assert 0.6 <= traits.base_price <= 20
        assert 0 < traits.spread_ratio < 0.03
        assert 0.01 < traits.wildness < 0.07


def test_most_can_be_traded_by_the_gap_rule() -> None:
    for seed in range(20):
        usd = [one.shares_a_day * one.base_price for one in draw_traits(stream(seed, "traits"))]
        assert sum(value >= 5e6 for value in usd) >= 60
