"""Gaps with a source of headlines and of sectors: both are optional, and absent they change nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.features.news import NEWS
from engine.model.candidates import Vote
from engine.model.ids import InstrumentId, symbol_of
from engine.model.market import Headline, Provenance
from engine.strategies.gaps import Gaps

MakeGaps = Callable[..., Gaps]
HOUR_US = 3_600_000_000
SEVERE = "Acme prices $20M public offering"
SECTORS = {"AAA": "Tech", "BBB": "Tech", "CCC": "Energy", "DDD": "Tech", "HELD": "Tech"}


def sector_of(instrument: InstrumentId) -> str | None:
    return SECTORS.get(symbol_of(instrument))


def telling(scene: Any, title: str, hours: float = 1, late_us: int = 0) -> Callable[..., Sequence[Headline]]:
    """A source that says one thing of every instrument."""
    told = scene.context().now_us - int(hours * HOUR_US)

    def headlines(instrument: InstrumentId) -> Sequence[Headline]:
        return (Headline((instrument,), title, "wire", told, told + late_us, Provenance.LIVE),)

    return headlines


def _reasons(verdicts: Any) -> dict[str, str]:
    return {symbol_of(verdict.candidate.instrument): verdict.reason for verdict in verdicts}


@pytest.mark.parametrize(
    ("title", "hours", "late_us", "reason"),
    [
        (SEVERE, 1, 0, "news: offering"),
        (SEVERE, 73, 0, ""),
        (SEVERE, 1, HOUR_US + 1, ""),
        ("Acme names new plant", 1, 0, ""),
    ],
)
def test_only_a_severe_headline_known_by_now_blocks(
    scene: Any, make_gaps: MakeGaps, title: str, hours: float, late_us: int, reason: str
) -> None:
    scene.stock("ABC", 9.40)
    context = scene.context(headlines=telling(scene, title, hours, late_us))
    (verdict,) = make_gaps().propose(context)
    assert verdict.reason == reason
    assert (verdict.proposal is None) is bool(reason)


def test_a_source_of_headlines_adds_its_features_and_a_vote(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    (with_news,) = make_gaps().propose(scene.context(headlines=telling(scene, "Acme names new plant")))
    (without,) = make_gaps().propose(scene.context())
    added = with_news.candidate.features[len(without.candidate.features) :]
    assert with_news.candidate.features[: len(without.candidate.features)] == without.candidate.features
    assert [value.id for value in added] == list(NEWS)
    assert (with_news.candidate.feature("news_volume_24h"), added[1].source) == (1.0, "headlines")
    votes = [{report.agent: report.vote for report in found.reports} for found in (with_news, without)]
    assert [vote["newssentry"] for vote in votes] == [Vote.APPROVE, Vote.ABSTAIN]


def test_a_mute_source_blocks_and_gives_no_numbers(scene: Any, make_gaps: MakeGaps) -> None:
    scene.stock("ABC", 9.40)
    context = scene.context(headlines=telling(scene, SEVERE), news_mute="news silent 90 s, limit 60 s")
    (verdict,) = make_gaps().propose(context)
    assert verdict.reason == "news not known"
    assert not {value.id for value in verdict.candidate.features} & set(NEWS)


def test_a_sector_fills_with_what_is_held_and_the_deeper_gaps(scene: Any, make_gaps: MakeGaps) -> None:
    held = frozenset({scene.stock("HELD", 10.0)})
    for symbol, price in (("AAA", 9.0), ("BBB", 9.1), ("CCC", 9.2), ("DDD", 9.3)):
        scene.stock(symbol, price)
    gaps = make_gaps(entries_per_session=10)
    verdicts = gaps.propose(scene.context(open_instruments=held, sector_of=sector_of))
    assert _reasons(verdicts) == {"AAA": "", "BBB": "", "CCC": "", "DDD": "sector 3/3"}
    free = gaps.propose(scene.context(open_instruments=held))
    assert set(_reasons(free).values()) == {""}


def test_all_of_unknown_sector_share_its_places(scene: Any, make_gaps: MakeGaps) -> None:
    for number in range(4):
        scene.stock(f"NEW{number}", 9.0 + number / 10)
    verdicts = make_gaps(entries_per_session=10).propose(scene.context(sector_of=sector_of))
    assert _reasons(verdicts)["NEW3"] == "sector 3/3"
