"""Event lines and what the sheets say: reasons before names, one zone in one time, numbers whole."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.model.candidates import FeatureValue, GateResult, GateStatus
from engine.model.events import Alarm, AnomalySeen, EngineStateChanged, Event, SymbolHalted, SymbolReleased
from engine.model.ids import CorrelationId, instrument_id
from tui.screens.details import event_lines
from tui.showing.events import line_of
from tui.shown.deck import EventKind, EventLine
from tui.widgets.ink import Line
from tui.widgets.verdicts import feature_line, gate_lines


def text_of(line: Line) -> str:
    return "".join(span.text for span in line)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


MIDNIGHT = us("2016-01-01T00:00:00")


def test_the_day_beside_an_hour_in_utc_is_the_day_in_utc() -> None:
    feature = FeatureValue("vix_regime", 1.0, None, MIDNIGHT, MIDNIGHT, "vix", "1.0.0")
    assert "2016-01-01 00:00:00Z" in text_of(feature_line(feature, 94))
    event = EventLine(MIDNIGHT, EventKind.INFO, "engine RUNNING", "")
    assert text_of(event_lines(event, 94)[0]) == "2016-01-01 00:00:00Z"


@pytest.mark.parametrize(("value", "shown"), [(12_050_209.4, "12,050,209"), (-1.438634, "-1.43863")])
def test_a_feature_is_never_a_power_of_ten(value: float, shown: str) -> None:
    feature = FeatureValue("adv_usd_20", value, None, MIDNIGHT, MIDNIGHT, "bars", "1.0.0")
    assert f" {shown}  1.0.0" in text_of(feature_line(feature, 94))


def test_a_gate_with_long_figures_takes_more_rows_and_loses_none() -> None:
    value = "0 in strategy, 12 in all, 0 in instrument, 2 of 3 entries"
    limit = "< 8 in strategy, < 20 in all, < 1 in instrument, < 3 entries"
    gate = GateResult("G8", "positions", GateStatus.PASS, value, limit, "")
    for width in (50, 70, 94):
        text = " ".join(" ".join(text_of(line) for line in gate_lines(gate, width)).split())
        assert value in text
        assert f"limit {limit}" in text
    assert len(gate_lines(replace(gate, value="12", limit="> 0"), 70)) == 1


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        (Alarm("stop refused", True, CorrelationId(""), 1), EventKind.BLOCKED, "stop refused"),
        (
            EngineStateChanged("RUNNING", "", "nina on pts/7", 1),
            EventKind.INFO,
            "engine RUNNING: by nina on pts/7",
        ),
        (EngineStateChanged("RUNNING", "", "engine", 1), EventKind.INFO, "engine RUNNING"),
        (
            EngineStateChanged("HALTED", "by nina on pts/7 (! !)", "nina on pts/7", 1),
            EventKind.BLOCKED,
            "engine HALTED: by nina on pts/7 (! !)",
        ),
        (Alarm("venue slow", False, CorrelationId(""), 1), EventKind.UNKNOWN, "venue slow"),
        (
            SymbolHalted(instrument_id("ABC"), "by engine (we hold 5, the venue says 4)", "engine", 1),
            EventKind.BLOCKED,
            "ABC HALTED by engine (we hold 5, the venue says 4)",
        ),
        (
            SymbolReleased(instrument_id("ABC"), "nina on pts/7", 1),
            EventKind.INFO,
            "ABC released by nina on pts/7",
        ),
        (
            AnomalySeen("price_move", 11.25, 10.0, 1, "ABC"),
            EventKind.UNKNOWN,
            "anomaly: price move of ABC 11.25, limit 10",
        ),
    ],
)
def test_halted_symbols_anomalies_and_alarms_are_told(event: Event, kind: EventKind, words: str) -> None:
    assert line_of(event) == EventLine(1, kind, words, "")
