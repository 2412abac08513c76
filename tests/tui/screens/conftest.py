"""Every screen's view, filled with the invented market of the pictures, and the states it is drawn in."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.model.ids import Symbol
from tui.app import ConsoleApp
from tui.shown.deck import DeckView, LinkState
from tui.shown.details import Detail, Topic

TUI = Path(__file__).parent.parent
Details = dict[tuple[Topic, str], Detail]


def load(path: str) -> ModuleType:
    """A module of the tests by its path under tests/tui, for they cannot be imported by name."""
    name = "tradedeck_tests_" + path.removesuffix(".py").replace("/", "_")
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, TUI / path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gems = load("screens/filled_gems.py")
books = load("screens/filled_books.py")
pulse = load("screens/filled_pulse.py")
gaps = load("gaps/conftest.py")
orders = load("orders/conftest.py")


def filled(view: DeckView) -> DeckView:
    """The Desk of the pictures with everything that the other screens show."""
    now = view.header.now_us
    rows = tuple(
        replace(
            row,
            name=f"{row.symbol.title()} Biologics",
            sector=gaps.SECTORS[at % len(gaps.SECTORS)],
            filters=None if row.q_bounce is None else (5 - at % 2, 5),
        )
        for at, row in enumerate(view.gaps)
    )
    made = (orders.tlmn(now), orders.kyte(now), orders.helq(now), orders.lantrn(now), orders.closed(now))
    market = replace(view.header.market, sources_ok=7)
    return replace(
        view,
        header=replace(view.header, market=market),
        gaps=rows,
        brackets=made,
        gems=gems.make_gems(now),
        portfolio=books.make_portfolio(now),
        risk=books.make_risk(now),
        health=pulse.make_health(now),
    )


def emptied(empty: DeckView) -> DeckView:
    """A young account in a market without tokens, candidates or sources."""
    return replace(
        empty,
        last_closed="",
        gems=gems.make_no_gems(),
        portfolio=books.make_young_portfolio(),
        risk=books.make_quiet_risk(),
        health=pulse.make_no_health(),
    )


def details(view: DeckView) -> Details:
    """What a link answers about everything in a view."""
    now = view.header.now_us
    known: Details = {}
    for at, row in enumerate(view.gems.rows):
        make = gems.make_unproved if at in (7, 12) else gems.make_gem
        known[Topic.GEM, row.id] = make(row, now)
    for gap in view.gaps:
        known[Topic.GAP, gap.correlation] = gaps.make_detail(gap, view)
    for bracket in view.brackets:
        told = replace(orders.story(now), ticket=bracket.ticket, number=bracket.number)
        known[Topic.BRACKET, bracket.ticket] = replace(told, symbol=Symbol(bracket.symbol))
    for period in books.PERIODS:
        found = books.make_equity(period, now)
        empty = view.portfolio.started_us is None
        known[Topic.EQUITY, period] = replace(found, ts=(), equity=(), drawdown=()) if empty else found
    known[Topic.LOG, ""] = pulse.make_log(now)
    oldest = pulse.NEWEST - 99
    known[Topic.LOG, f"{oldest}"] = pulse.make_log(now, oldest - 1)
    return known


def halted(view: DeckView) -> DeckView:
    since = view.header.now_us - 16_000_000
    header = replace(
        view.header,
        engine_state="HALTED",
        engine_reason="by you (! !)",
        engine_since_us=since,
        entries_cancelled=1,
    )
    checks = tuple(
        replace(check, ok=False, is_stop=True, words="by you (! !)") if check.name == "kill switch" else check
        for check in view.risk.checks
    )
    words = "off: kill switch by you (! !)"
    return replace(
        view, header=header, risk=replace(view.risk, checks=checks, entries_on=False, entries_words=words)
    )


def stale(view: DeckView) -> DeckView:
    market = replace(view.header.market, stale="Alpaca stream silent 42 s")
    return replace(view, header=replace(view.header, market=market))


def detached(view: DeckView) -> DeckView:
    return replace(view, header=replace(view.header, link=LinkState.RECONNECTING))


@pytest.fixture
def full_view(view: DeckView) -> DeckView:
    return filled(view)


@pytest.fixture
def young_view(empty_view: DeckView) -> DeckView:
    return emptied(empty_view)


@pytest.fixture
def shapes(full_view: DeckView, young_view: DeckView) -> dict[str, DeckView]:
    """The states that every screen is drawn in."""
    return {
        "filled": full_view,
        "empty": young_view,
        "stale": stale(full_view),
        "halted": halted(full_view),
        "detached": detached(full_view),
    }


@pytest.fixture
def answers() -> Callable[[DeckView], Details]:
    return details


@pytest.fixture
def open_console(console: Callable[..., tuple[ConsoleApp, Any]]) -> Callable[..., tuple[ConsoleApp, Any]]:
    """A console whose link knows the details of its view."""

    def build(view: DeckView, **options: object) -> tuple[ConsoleApp, Any]:
        app, link = console(view, **options)
        link.details = details(view)
        return app, link

    return build


@pytest.fixture
def rules() -> ModuleType:
    return load("screens/rules.py")
