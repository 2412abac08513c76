"""Words of a venue on their way through events to the screen, the log and the books: 200 payloads, no escape.

`test_hostile.py` poisons the views themselves; here the poison begins where a venue puts it.
"""

import importlib.util
import io
import json
import logging
import sys
import types
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from engine.model.events import ALL_EVENTS, CandidatesJudged, Event, MarketMoved, TicketChanged, TicketSnoozed
from engine.model.market import MarketBatch
from engine.model.whynot import WhyNot
from tui import logs
from tui.commands import whynot
from tui.eventlines import lines_of
from tui.showing.events import line_of
from tui.shown.deck import DeckView

OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
ATOMS = (
    "\x1b",
    "\x1b[2J",
    "\x1b[31m",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;t\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x1b_x\x1b\\",
    "\x1b^x\x9c",
    "\x9b2J",
    "\x9b31m",
    "\x9d52;c;AAAA\x9c",
    "\x90q\x9c",
    "\x98x\x9c",
    "\x84",
    "\x8d",
    "\x00",
    "\x07",
    "\x08\x08\x08",
    "\x0e",
    "\x0f",
    "\x7f",
    "\r",
    "\n",
    "\t",
    "\x0b",
    "\x0c",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u202d",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u200f",
    "\ufeff",
    "\u061c",
    "\U000e0041",
    "\ud800",
    "\udc9b",
    "\ue000",
    "\U000f0000",
    "e" + "\u0301" * 40,
    "\u0300" * 200,
    "[/]",
    "[b]",
    "[@click=app.leave()]x[/]",
    "[red on red]",
    "\\[",
    "[[",
    "{0}",
    "%s",
    "$x",
    "\U0001f469\u200d\U0001f680",
    "a" * 400,
    "\u5e02\u5834",
    "\ufffe",
)
WORDS = ("insufficient", "buying power", "rejected", "held", "403", "no shares", "ABC")


def payloads() -> list[str]:
    """Every atom alone, then mixed with plain words: 200 in all, always the same."""
    chance = Random(11)
    mixed = [
        "".join(
            chance.choice(ATOMS if chance.random() < 0.6 else WORDS) for _ in range(chance.randrange(2, 9))
        )
        for _ in range(200 - len(ATOMS))
    ]
    return [*ATOMS, *mixed]


PAYLOADS = payloads()


@pytest.fixture(scope="module")
def hostile() -> Any:
    """The checks of `test_hostile.py`, by path: tests are no package."""
    found = sys.modules.get("tui_hostile")
    if found is None:
        spec = importlib.util.spec_from_file_location(
            "tui_hostile", Path(__file__).with_name("test_hostile.py")
        )
        assert spec is not None
        assert spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        sys.modules["tui_hostile"] = found
        spec.loader.exec_module(found)
    return found


def poison(kind: Any, name: str, payload: str, now: int) -> Any:
    """A value of a type with `payload` in every text of it."""
    kind = getattr(kind, "__supertype__", kind)
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
        kind = getattr(kind, "__supertype__", kind)
    if kind is str:
        # What we make ourselves keeps its shape; all the rest is the venue's.
        return {"client_order_id": f"td{'0' * 26}E00", "instrument": f"{payload}.US"}.get(name, payload)
    plain = {int: now, float: 1.5, bool: True, Decimal: Decimal("1.5"), object: None}
    if kind in plain:
        return plain[kind]
    if get_origin(kind) is tuple:
        return ()
    if get_origin(kind) is Mapping:
        return {payload: poison(get_args(kind)[1], "", payload, now)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{item.name: poison(hints[item.name], item.name, payload, now) for item in fields(kind)})
    return kind(2016, 1, 4)  # a date


def events(payload: str, now: int, view: DeckView, hostile: Any) -> Iterator[Event]:
    """One event of every kind that says anything, with `payload` in it."""
    for kind in ALL_EVENTS:
        if kind in (TicketChanged, TicketSnoozed):
            # What a ticket says is hashed, and was cleaned before: a lone surrogate has no bytes.
            said = payload.encode(errors="ignore").decode()
            ticket = hostile.poisoned(view.tickets[0].ticket, said)
            if kind is TicketSnoozed:
                yield TicketSnoozed(ticket, None, payload, now)
                yield TicketSnoozed(ticket, now, payload, now)
                continue
            for state in type(view.tickets[0].state):
                yield TicketChanged(ticket, state, payload, payload, now)
        elif kind is MarketMoved:
            yield MarketMoved(MarketBatch(now))
        elif kind is CandidatesJudged:
            yield CandidatesJudged(payload, (), now)
        else:
            yield poison(kind, "", payload, now)


def assert_harmless(text: str, allowed: str = "") -> None:
    found = {char for char in text if unicodedata.category(char) in OBEYED and char not in allowed}
    assert not found, ascii(text)


def test_there_are_two_hundred_and_they_differ() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 200
    assert sum(any(unicodedata.category(char) in OBEYED for char in payload) for payload in PAYLOADS) > 150


@pytest.mark.parametrize(("size", "every"), [((80, 24), 1), ((120, 40), 4)])
async def test_events_of_a_venue_are_drawn_without_a_control_byte(
    size: tuple[int, int], every: int, view: DeckView, console: Callable[..., Any], hostile: Any
) -> None:
    app, link = console(view)
    now = view.header.now_us
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for number, payload in enumerate(PAYLOADS[::every]):
            lines = [line for event in events(payload, now, view, hostile) if (line := line_of(event))]
            # The pane shows a few: each kind of event is first in its turn.
            turn = number % len(lines)
            header = replace(view.header, engine_state="HALTED", engine_reason=payload)
            bracket = replace(view.brackets[0], note=payload, words=payload)
            shown = (bracket, *view.brackets[1:])
            link.push(replace(view, events=tuple(lines[turn:] + lines[:turn]), header=header, brackets=shown))
            await pilot.pause()
            hostile.assert_safe(app, size)
        assert app.is_running


def test_log_lines_hold_no_control_byte_also_when_they_are_read(view: DeckView, hostile: Any) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    level, others = root.level, root.handlers[:]
    for handler in others:
        root.removeHandler(handler)  # the test runner's own would carry lone surrogates to another process
    logs.start(None, [], stream)
    try:
        log = logs.logger("engine")
        for payload in PAYLOADS:
            for event in events(payload, view.header.now_us, view, hostile):
                for line in lines_of(event):
                    log.log(line.level, line.text, **line.fields)
            log.warning(payload, text=payload, **{"odd": {"deep": [payload]}})
            logging.getLogger("a.library").error("broker said %s", payload)
    finally:
        logs.stop()
        root.setLevel(level)
        for handler in others:
            root.addHandler(handler)
    written = stream.getvalue()
    assert_harmless(written, "\n")
    records = [json.loads(line) for line in written.splitlines()]
    assert len(records) > 3_000
    for record in records:
        for value in _texts(record):
            assert_harmless(value, "\n\t")
    assert any("\\u001b" in value for record in records for value in _texts(record)), "nothing is lost"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def test_why_not_shows_no_control_byte(view: DeckView) -> None:
    for payload in PAYLOADS:
        row = poison(WhyNot, "", payload, view.header.now_us)
        for outcome in type(row.outcome):
            for whole in (False, True):
                for line in whynot.lines_of(replace(row, outcome=outcome), whole):
                    assert_harmless(line)
