"""What a line of the log and an event say: whole, in words, and where they came from."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tui.app import ConsoleApp
from tui.shown.deck import DeckView, EventKind, EventLine
from tui.widgets.auditlog import body_facts

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
GATE = {"gate": "G8", "title": "positions", "status": "fail", "value": "8", "limit": "8", "reason": ""}


def facts(body: object) -> dict[str, str]:
    return dict(body_facts(json.dumps(body)))


def test_nested_values_are_named_in_words_and_times_are_times() -> None:
    told = facts({"fact": {"client_order_id": "td-1", "ts_event": 1_772_461_820_000_000}, "age_us": 1_500})
    assert told == {"client order id": "td-1", "ts event": "2026-03-02 14:30:20Z", "age": "1,500 us"}


def test_a_gate_is_one_line_with_its_name_its_number_and_its_limit() -> None:
    assert facts({"gates": [GATE]}) == {"gates G8": "title positions, status fail, value 8, limit 8"}


def test_two_values_of_one_name_say_what_they_are_in() -> None:
    told = facts({"entry": {"price": "4.02"}, "stop": {"price": "3.70"}, "ok": True, "why": None})
    assert told == {"entry · price": "4.02", "stop · price": "3.70", "ok": "yes", "why": "–"}


def test_lists_of_more_are_numbered_and_hostile_names_are_visible() -> None:
    told = facts({"legs": [{"a_b": [1, 2.5]}], "\x1b[2J": "x\u202ey"})
    assert told == {"a b 1": "1", "a b 2": "2.5", "\\u001b[2J": "x\\u202ey"}


@pytest.mark.parametrize("body", ["", "{", "[1", "\x1b]0;x"])
def test_a_body_that_is_no_json_is_shown_as_it_is(body: str) -> None:
    (fact,) = body_facts(body)
    assert fact[0] == "body"
    assert "\x1b" not in fact[1]


async def test_the_reason_of_an_event_has_a_second_line(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    said = "ORVX out: G11 broker checks: buying power 100.00, needs 326.43"
    lines = (EventLine(full_view.header.now_us, EventKind.BLOCKED, said, ""), *full_view.events)
    app, _ = open_console(replace(full_view, events=lines))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = dump(app)
        assert "■ ORVX out: G11 broker checks:" in text
        assert "buying power 100.00, needs 326.43" in text


async def test_an_event_of_ten_thousand_characters_takes_two_lines(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    lines = (
        EventLine(full_view.header.now_us, EventKind.BLOCKED, "x" * 10_000, ""),
        EventLine(full_view.header.now_us - 1, EventKind.INFO, "the one before", ""),
    )
    app, _ = open_console(replace(full_view, events=lines))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        rows = dump(app).splitlines()
        (at,) = [at for at, row in enumerate(rows) if "■ xxx" in row]
        assert rows[at + 1].rstrip("│ ").endswith("x…")
        assert "the one before" in rows[at + 2]
