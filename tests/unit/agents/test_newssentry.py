"""The NewsSentry with a source of headlines (SPEC 3.4, 3.4.2)."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.agents.newssentry import SENTIMENT_MIN, NewsSentry
from engine.model.candidates import AgentReport, Vote
from engine.model.ids import instrument_id
from engine.model.market import Headline, Provenance
from engine.model.positions import AccountKind
from engine.state import MAX_HEADLINES, MAX_TITLE

HOUR_US = 3_600_000_000
SEVERE = "Acme prices $20M public offering"
GRIM = "Acme hit by class action, shares plunge, analysts downgrade"
WEAK = "Acme faces delays; annual meeting set"
Judge = Callable[..., AgentReport]


@pytest.fixture
def judge(candidate: Any, make_context: Any) -> Judge:
    """The report on ABC with these (title, hours ago) told; other fields of the context by name."""

    def make(*told: tuple[str, float], provenance: Any = Provenance.LIVE, **changes: Any) -> AgentReport:
        now_us = make_context().market.now_us
        found = [
            Headline((candidate.instrument,), title, "wire", at, at, provenance)
            for title, at in ((title, now_us - int(hours * HOUR_US)) for title, hours in told)
        ]
        heard = {candidate.instrument: found}
        context = make_context(headlines=lambda name: heard.get(name, ()), **changes)
        return NewsSentry().judge(candidate, context)

    return make


def test_no_headline_is_good_news(judge: Judge) -> None:
    report = judge()
    assert (report.vote, report.reasons, report.note) == (Vote.APPROVE, ("no headline in 24h",), "")
    assert report.score is None


def test_harmless_headlines_are_counted_and_approved(judge: Judge) -> None:
    report = judge(("Acme names new plant", 1), ("Acme beats estimates", 2))
    assert (report.vote, report.reasons[0]) == (Vote.APPROVE, "2 headlines, worst 0.00")
    assert report.reasons[1].endswith("limit -0.50")
    assert report.note == ""


def test_one_headline_is_one(judge: Judge) -> None:
    assert judge(("Acme names new plant", 1)).reasons[0] == "1 headline, worst 0.00"


def test_a_severe_headline_is_a_hard_veto_with_its_title_and_age(judge: Judge) -> None:
    report = judge(("Acme beats estimates", 1), (SEVERE, 3))
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "news: offering")
    assert report.reasons[0] == f'severe news, offering, 3h ago, limit none in 3d: "{SEVERE}" (wire)'
    assert (report.value, report.limit) == ("offering 3h ago", "no severe headline in 3d")


def test_a_filing_is_noted_by_its_item(judge: Judge) -> None:
    assert judge(("Acme 8-K item 4.02", 1)).note == "8-K 4.02"


def test_a_severe_headline_counts_over_a_weekend_and_no_longer(judge: Judge) -> None:
    assert judge((SEVERE, 71.9)).vote is Vote.VETO
    assert judge((SEVERE, 72)).vote is Vote.APPROVE


def test_bad_sentiment_is_a_soft_veto(judge: Judge) -> None:
    report = judge((GRIM, 1))
    assert (report.vote, report.hard) == (Vote.VETO, False)
    assert report.score is not None
    assert report.score < SENTIMENT_MIN
    assert report.reasons[0] == f"news sentiment {report.score:.2f} of 24 h is below the limit -0.50"
    assert report.note.startswith("news -.")


def test_bad_sentiment_of_the_day_before_is_none(judge: Judge) -> None:
    assert judge((GRIM, 24)).vote is Vote.APPROVE


def test_weak_sentiment_is_a_note_on_an_approval(judge: Judge) -> None:
    report = judge((WEAK, 1))
    assert report.vote is Vote.APPROVE
    assert report.score is not None
    assert SENTIMENT_MIN < report.score < -0.2
    assert report.note.startswith("news -.")


def test_of_a_flood_of_severe_titles_three_are_told_newest_first(judge: Judge) -> None:
    titles = (
        "Acme files for bankruptcy",
        "Nasdaq will delist Acme",
        "Auditor of Acme resigns",
        SEVERE,
        SEVERE,
    )
    report = judge(*((title, 10 - number) for number, title in enumerate(titles)))
    terms = [reason.split(", ")[1] for reason in report.reasons if reason.startswith("severe")]
    assert terms == ["offering", "auditor", "delisting"]


def test_a_long_title_is_cut_with_a_sign(judge: Judge) -> None:
    reason = judge((f"{SEVERE} {'and more ' * 20}", 1)).reasons[0]
    assert '…" (wire)' in reason
    assert len(reason) < 160


def test_more_headlines_than_are_kept_is_a_hard_veto(judge: Judge) -> None:
    fine = [(f"Acme opens plant {number}", 1.0) for number in range(MAX_HEADLINES)]
    assert judge(*fine[1:]).vote is Vote.APPROVE
    report = judge(*fine)
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "too much news")
    assert report.reasons[0] == "200 headlines in 3d, no more than 200 are kept"


def test_a_headline_that_was_cut_is_a_hard_veto(judge: Judge) -> None:
    assert judge(("a" * (MAX_TITLE - 1), 1)).vote is Vote.APPROVE
    report = judge(("a" * MAX_TITLE, 1))
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "news too long")
    assert report.reasons[0] == "a headline of 1000 characters or more was not read to its end"


def test_a_mute_source_is_a_hard_veto(judge: Judge) -> None:
    report = judge(news_mute="news silent 90 s, limit 60 s")
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "news not known")
    assert report.reasons == ("the news are not known: news silent 90 s, limit 60 s",)


@pytest.mark.parametrize("kind", [AccountKind.PAPER, AccountKind.LIVE])
def test_made_up_headlines_decide_nothing_outside_a_simulation(judge: Judge, kind: AccountKind) -> None:
    told = (("Acme names new plant", 1.0),)
    report = judge(*told, provenance=Provenance.SYNTHETIC, account_kind=kind)
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "synthetic news")
    simulated = judge(*told, provenance=Provenance.SYNTHETIC, account_kind=AccountKind.SIMULATION)
    assert simulated.vote is Vote.APPROVE


def test_headlines_of_others_are_not_looked_at(candidate: Any, make_context: Any) -> None:
    now_us = make_context().market.now_us
    other = instrument_id("XYZ")
    told = {other: [Headline((other,), SEVERE, "wire", now_us, now_us, Provenance.LIVE)]}
    context = make_context(headlines=lambda name: told.get(name, ()))
    assert NewsSentry().judge(candidate, context).vote is Vote.APPROVE
