"""The footer keeps the way to help and back; a dialog ends with its ticket; words of the log."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tui.actions import SCREENS
from tui.app import ConsoleApp
from tui.glossary import TERMS, terms_for
from tui.screens.reject import RejectDialog
from tui.shown.deck import DeckView
from tui.widgets.auditlog import kind_words
from tui.widgets.footer import FooterKey, keys_line, refusal_line

OPEN, SORT, BACK, HELP = (
    FooterKey(*both) for both in (("enter", "open"), ("o", "sort"), ("esc", "back"), ("?", "help"))
)


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (80, "enter open  o sort  esc back  ? help"),
        (35, "enter open  esc back  ? help"),
        (18, "esc back  ? help"),
        (9, "esc back"),
        (3, ""),
    ],
)
def test_help_and_back_leave_the_footer_last(room: int, words: str) -> None:
    line = keys_line([OPEN, SORT, BACK, HELP], room, [BACK, HELP])
    assert "".join(span.text for span in line) == words


def test_a_refusal_that_is_too_long_cuts_no_number() -> None:
    line = refusal_line("a", "Price moved +0.51 %, limit 0.5 % = 0.0592: 11.76 to 11.82", 48)
    assert "".join(span.text for span in line) == "a refused: price moved +0.51 %, limit 0.5 % =…"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("VenueOrder", "order"),
        ("approval_refused", "refused"),
        ("AnswerLost", "answer lost"),
        ("Fill", "fill"),
    ],
)
def test_kinds_of_the_log_are_words(kind: str, words: str) -> None:
    assert kind_words(kind) == words


def test_the_glossary_begins_with_the_screen_and_leaves_nothing_out() -> None:
    for _, name, _ in SCREENS:
        here, others = terms_for(name)
        assert sorted(term.name for term in (*here, *others)) == sorted(term.name for term in TERMS)
    assert {"GemScore", "conf", "parts"} <= {term.name for term in terms_for("gems")[0]}
    assert {"VaR 95%", "L1 L2 L3", "Sharpe"} <= {term.name for term in terms_for("risk")[0]}


async def test_a_reject_dialog_closes_when_its_ticket_waits_no_longer(
    view: DeckView, console: Callable[..., tuple[ConsoleApp, Any]]
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, RejectDialog)
        link.push(replace(view, tickets=view.tickets[1:]))
        await pilot.pause()
        app.tick()
        await pilot.pause()
        assert not isinstance(app.screen, RejectDialog)
        assert link.given == []
