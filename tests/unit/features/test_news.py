"""Features of headlines: what a decision knew, how it decays, and what counts as one title."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.features.lexicon import score
from engine.features.news import (
    HALF_LIFE_US,
    HOUR_US,
    NEWS,
    SAME_TITLE_BITS,
    SOURCE_WEIGHTS,
    distinct,
    news_features,
    news_sentiment_24h,
    news_severity_24h,
    news_volume_24h,
    simhash,
    why_mute,
)
from engine.model.candidates import MissingReason
from engine.model.ids import instrument_id
from engine.model.market import FeedState, Headline, Provenance

NOW = 1_700_000_000_000_000
GOOD, BAD, SEVERE = "Acme beats estimates", "Acme hit by class action", "Acme prices public offering"
Tell = Callable[..., Headline]


@pytest.fixture(scope="session")
def tell() -> Tell:
    """A headline so many hours old, known when it was told unless said otherwise."""

    def make(title: str, hours: float = 0.0, known_late_us: int = 0, source: str = "wire") -> Headline:
        told = NOW - int(hours * HOUR_US)
        return Headline(
            (instrument_id("ABC"),), title, source, told, told + known_late_us, Provenance.SYNTHETIC
        )

    return make


def test_without_headlines_there_is_no_sentiment_but_a_count_of_none() -> None:
    assert news_sentiment_24h((), NOW) is None
    assert (news_volume_24h((), NOW), news_severity_24h((), NOW)) == (0, 0)
    values = news_features((), NOW)
    assert [value.id for value in values] == list(NEWS)
    assert [value.value for value in values] == [None, 0.0, 0.0]
    assert values[0].missing is MissingReason.MISSING
    assert {value.ts_known for value in values} == {NOW}


def test_one_fresh_headline_is_the_sentiment(tell: Tell) -> None:
    assert news_sentiment_24h((tell(GOOD),), NOW) == pytest.approx(score(GOOD))


def test_twelve_hours_halve_what_a_headline_weighs(tell: Tell) -> None:
    found = news_sentiment_24h((tell(GOOD), tell(BAD, 12)), NOW)
    assert found == pytest.approx((score(GOOD) + 0.5 * score(BAD)) / 1.5)
    assert HALF_LIFE_US == 12 * HOUR_US


def test_a_filing_weighs_by_its_source(tell: Tell) -> None:
    found = news_sentiment_24h((tell(GOOD), tell(BAD, source="EDGAR")), NOW)
    weight = SOURCE_WEIGHTS["edgar"]
    assert found == pytest.approx((score(GOOD) + weight * score(BAD)) / (1 + weight))


def test_what_was_known_after_the_decision_is_not_seen(tell: Tell) -> None:
    late = tell(SEVERE, hours=1, known_late_us=HOUR_US + 1)
    assert news_severity_24h((late,), NOW) == 0
    assert news_volume_24h((late,), NOW) == 0
    assert news_sentiment_24h((late,), NOW) is None
    assert news_severity_24h((late,), NOW + 1) == 2


def test_a_headline_of_yesterday_this_hour_is_gone(tell: Tell) -> None:
    assert news_severity_24h((tell(SEVERE, 24),), NOW) == 0
    assert news_severity_24h((tell(SEVERE, 23.99),), NOW) == 2


def test_a_stamp_from_the_future_hides_nothing(tell: Tell) -> None:
    ahead = tell(SEVERE, hours=-1, known_late_us=-2 * HOUR_US)
    assert news_severity_24h((ahead,), NOW) == 2
    assert news_sentiment_24h((ahead,), NOW) == pytest.approx(score(SEVERE))
    assert news_features((ahead,), NOW)[0].ts_event == NOW


@pytest.mark.parametrize(("titles", "severity"), [((GOOD,), 0), ((BAD,), 1), ((GOOD, SEVERE), 2)])
def test_severity_tells_none_negative_and_severe_apart(
    tell: Tell, titles: tuple[str, ...], severity: int
) -> None:
    assert news_severity_24h([tell(title) for title in titles], NOW) == severity


def test_one_title_told_by_many_counts_once_and_from_the_first(tell: Tell) -> None:
    told = [tell(BAD, 6), tell(BAD.upper(), 3), tell(f"{BAD}.", 1)]
    assert news_volume_24h(told, NOW) == 1
    assert news_sentiment_24h([*told, tell(GOOD)], NOW) == news_sentiment_24h([told[0], tell(GOOD)], NOW)


def test_a_severe_title_is_seen_though_it_is_much_like_one_before(tell: Tell) -> None:
    told = (tell("Acme pays by default", 1), tell("Acme pays by. Default"))
    assert news_volume_24h(told, NOW) == 1
    assert news_severity_24h(told[:1], NOW) == 0
    assert news_severity_24h(told, NOW) == 2


def test_the_order_of_telling_changes_nothing(tell: Tell) -> None:
    told = [tell(BAD, 6), tell(GOOD, 3), tell(SEVERE, 1), tell(BAD.lower(), 2)]
    assert news_features(told, NOW) == news_features(told[::-1], NOW)


def test_values_lie_in_their_declared_range(tell: Tell) -> None:
    for titles in ((), (GOOD,), (BAD, SEVERE), ("fraud bankruptcy", "crash")):
        for value in news_features([tell(title) for title in titles], NOW):
            assert value.value is None or NEWS[value.id].holds(value.value)
    sentiment = NEWS["news_sentiment_24h"]
    assert not sentiment.holds(1.1)
    assert not sentiment.holds(float("nan"))


def test_a_hash_tells_titles_apart_by_their_words() -> None:
    title = "Acme prices $20 million public offering of common stock"
    same = "ACME prices $20 million public offering of common stock!"
    other = "Acme names new finance chief after long search"
    assert (simhash(title) ^ simhash(same)).bit_count() <= SAME_TITLE_BITS
    assert (simhash(title) ^ simhash(other)).bit_count() > 10
    assert simhash("") == 0


def test_distinct_keeps_the_first_of_each(tell: Tell) -> None:
    first, again, other = tell(BAD, 3), tell(BAD, 2), tell(GOOD, 1)
    assert distinct([first, again, other]) == [first, other]


def test_records_agree_with_the_machine_readable_catalogue(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "features.csv"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    with path.open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for name, spec in NEWS.items():
        row = rows[name]
        assert (spec.unit, str(spec.max_age_s)) == (row["unit"], row["max_age_s"]), name
        assert spec.nullable == row["nullable"].startswith("yes"), name
        assert (spec.category, spec.asset_class) == (row["category"].lower(), row["asset"]), name


@pytest.mark.parametrize(
    ("last_us", "words"),
    [
        (None, "news told nothing yet"),
        (NOW - 60_000_000, ""),
        (NOW - 60_000_001, "news silent 60 s, limit 60 s"),
    ],
)
def test_a_feed_is_mute_when_it_is_silent_for_too_long(last_us: int | None, words: str) -> None:
    feeds = (FeedState("quotes", NOW, 1, 9), FeedState("news", last_us, 60_000_000, 1))
    assert why_mute(feeds, "news", NOW) == words


def test_a_feed_that_is_not_there_is_mute_and_none_needs_nothing() -> None:
    assert why_mute((), "news", NOW) == "news told nothing yet"
    assert why_mute((), "", NOW) == ""
