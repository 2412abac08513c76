"""Short forms of verdicts, gates and features: nothing is cut inside a number, columns stand in line."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.candidates import AgentReport, FeatureValue, GateResult, GateStatus, MissingReason, Vote
from tui.widgets.ink import Line, Span, cut_words, width_of
from tui.widgets.rail import rail_labels
from tui.widgets.verdicts import (
    count_of,
    gate_table,
    passed_of,
    report_line,
    report_lines,
    short_feature,
    short_reason,
)


def text_of(line: Line) -> str:
    return "".join(span.text for span in line)


SCREENER = AgentReport("screener", Vote.APPROVE, False, ("gap -7.20%, limit -3.00%", "price 8.37"))
VETO = AgentReport(
    "newssentry",
    Vote.VETO,
    True,
    ('severe news, offering, 3h ago: "A long title of a headline"',),
    "news: offering",
)
NONE = AgentReport("forecaster", Vote.ABSTAIN, False, ("no_model: nothing is registered",), "no_model")
FEATURE = FeatureValue("adv_usd_20", 12_050_209.0, None, 0, 0, "bars", "1.0.0")


@given(st.text(max_size=80), st.integers(0, 60))
def test_cut_words_never_takes_more_room_than_there_is(text: str, width: int) -> None:
    assert len(cut_words(text, width)) <= width


@given(st.lists(st.from_regex(r"[a-z0-9.%+-]{1,9}", fullmatch=True), max_size=9), st.integers(12, 60))
def test_cut_words_keeps_or_drops_a_number_whole(words: list[str], width: int) -> None:
    text = " ".join(words)
    shown = cut_words(text, width)
    if shown == text:
        return
    assert shown.endswith("…")
    kept = shown.removesuffix("…").split()
    assert kept == [word.rstrip(",;:·(") for word in words][: len(kept)]


@pytest.mark.parametrize(
    ("report", "room", "words"),
    [
        (SCREENER, 60, "gap -7.20%, limit -3.00% · price 8.37"),
        (SCREENER, 30, "gap -7.20%, limit -3.00%"),
        (SCREENER, 20, "gap -7.20%, limit…"),
        (VETO, 70, 'severe news, offering, 3h ago: "A long title of a headline"'),
        (VETO, 30, "news: offering"),
        (NONE, 40, "no usable model, not counted"),
        (replace(NONE, note="asleep"), 40, "no_model: nothing is registered"),
        (replace(SCREENER, reasons=()), 30, ""),
    ],
)
def test_the_decisive_reason_stands_in_one_line(report: AgentReport, room: int, words: str) -> None:
    assert short_reason(report, room) == words


@pytest.mark.parametrize("width", [40, 44, 56, 62, 90])
@pytest.mark.parametrize("report", [SCREENER, VETO, NONE])
def test_a_verdict_takes_one_line(report: AgentReport, width: int) -> None:
    line = report_line(replace(report, elapsed_us=11_400), width)
    assert width_of(line) <= width
    text = text_of(line)
    assert text[0] in "●■○"
    assert ("11 ms" in text) == (width >= 56)


def test_long_forms_keep_every_reason() -> None:
    text = " ".join(text_of(line) for line in report_lines(SCREENER, 60))
    assert "gap -7.20%, limit -3.00%" in text
    assert "price 8.37" in text


def test_those_without_a_vote_are_not_counted() -> None:
    assert count_of((SCREENER, VETO, NONE)) == "1 of 2"


def gate(
    title: str, value: str, limit: str, status: GateStatus = GateStatus.PASS, reason: str = ""
) -> GateResult:
    return GateResult("G1", title, status, value, limit, reason)


def test_limits_of_gates_stand_below_each_other() -> None:
    gates = (
        gate("data", "0.8 s", "15 s"),
        gate("agents", "5 of 5 approve", "all"),
        gate("size", "39", "> 0"),
    )
    lines = [text_of(line) for line in gate_table(gates, 50)]
    assert {line.index(each.limit, 15) for line, each in zip(lines, gates, strict=True)} == {30}
    assert passed_of(gates) == "3 of 3"


@given(st.integers(24, 100))
def test_a_gate_never_shows_half_a_number(width: int) -> None:
    gates = (
        replace(gate("order", "326.43", "<= 300.00"), status=GateStatus.FAIL),
        gate("positions", "0 in strategy, 2 in all", "< 8"),
        replace(gate("liquidity", "", ""), status=GateStatus.NOT_APPLICABLE, reason="limit of 5,000,000"),
    )
    for line in gate_table(gates, width):
        text = text_of(line)
        assert len(text) <= width
        assert re.search(r"[0-9.,]…", text) is None


def test_a_feature_without_a_value_says_why_where_that_fits() -> None:
    missing = replace(FEATURE, id="trend_63", value=None, missing=MissingReason.INSUFFICIENT_HISTORY)
    assert text_of(short_feature(FEATURE, 30)) == "adv_usd_20          12,050,209"
    assert text_of(short_feature(missing, 32)).endswith("   insufficient history")
    assert text_of(short_feature(missing, 26)) == "trend_63                 –"


@given(st.integers(10, 90), st.floats(0, 1))
def test_labels_of_a_rail_never_touch(width: int, share: float) -> None:
    line = rail_labels(width, (Span("7.70 stop"),), (Span("target 8.87"),), (Span("entry 8.37"),), share)
    assert width_of(line) <= width
    text = text_of(line)
    if width >= 36:
        assert text.split() == ["7.70", "stop", "entry", "8.37", "target", "8.87"]
        assert "stop  " in text
        assert "  target" in text
