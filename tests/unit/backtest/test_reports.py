"""Reports of a study: numbers as told, nothing loaded from anywhere, hostile text harmless."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine.backtest import report_words as words
from engine.backtest.report_html import curve_svg, html_report
from engine.backtest.report_markdown import markdown_report, sections

HOSTILE = '<script>alert(1)</script>|`[x](http://evil)`\n& "quoted"'


@pytest.fixture
def document(small_study: Callable[[], Any]) -> dict[str, Any]:
    from engine.backtest.study_document import study_document

    found: dict[str, Any] = study_document(small_study(), with_rows=True)
    return found


def test_what_does_not_apply_comes_first(document: dict[str, Any]) -> None:
    text = markdown_report(document)
    assert text.index("Not applicable") < text.index("survivorship") < text.index("## Result")
    assert {one["status"] for one in document["not_applicable"]} == {"not_applicable(dataset)"}
    page = html_report(document)
    assert page.index("Not applicable") < page.index("survivorship") < page.index("<svg")


def test_the_page_loads_nothing(document: dict[str, Any]) -> None:
    page = html_report(document)
    assert "default-src &#x27;none&#x27;" in page
    assert not re.search(
        r"(src|href|url\(|@import|<script|<link|<img|<iframe)",
        page.replace("default-src", "").replace("style-src", "").replace("img-src", ""),
    )


def test_hostile_text_is_text(document: dict[str, Any]) -> None:
    document["warnings"] = [HOSTILE]
    document["funnel"][0]["gate"] = HOSTILE
    page, text = html_report(document), markdown_report(document)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    row = next(line for line in text.splitlines() if line.startswith("| <script>"))
    assert row.count("|") - row.count("\\|") == text.splitlines()[text.splitlines().index(row) - 1].count("|")


def test_every_table_has_as_many_cells_as_heads(document: dict[str, Any]) -> None:
    for title, _, (heads, rows) in sections(document):
        assert all(len(row) == len(heads) for row in rows), title


def test_what_is_not_known_is_a_dash() -> None:
    assert (words.percent(None), words.share(None), words.number(None), words.count(None)) == ("–",) * 4
    assert words.interval(None, 0.1) == "–"
    assert (words.percent(0.0123), words.share(0.649), words.number(0.515)) == ("+1.23 %", "64.9 %", "0.52")


def test_a_curve_of_one_session_is_no_curve() -> None:
    assert "<svg" not in curve_svg([{"day": "2016-01-04", "equity": 1.0, "fall": 0.0}])


def test_a_long_curve_is_thinned_and_ends_where_it_ends() -> None:
    curve = [{"day": f"d{at}", "equity": 100.0 + at, "fall": 0.0} for at in range(5000)]
    drawn = curve_svg(curve)
    assert drawn.count("L") < 2_600
    assert "d4999" in drawn
    assert "5,099.00" in drawn


def test_the_evidence_is_said_in_a_sentence(document: dict[str, Any]) -> None:
    assert words.evidence_words(document).startswith("The evidence gate never opened")
    document["evidence"] |= {
        "opened": "2020-01-02",
        "is_shown": True,
        "n": 120,
        "sessions": 80,
        "bound": 0.001,
    }
    assert "opened on 2020-01-02 and stands open" in words.evidence_words(document)
    document["evidence"]["is_shown"] = False
    assert "is shut again" in words.evidence_words(document)
