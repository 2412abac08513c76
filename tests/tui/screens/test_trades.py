"""Statistics of closed trades: by instrument, by strategy, and one trade (CONSOLE 2, SPEC 9.2)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tui.actions import Place
from tui.app import ConsoleApp
from tui.screens.paned import PanedScreen
from tui.shown.deck import DeckView
from tui.shown.portfolio import RateView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (160, 50)


async def instruments(
    view: DeckView, open_console: Build, dump: Dump, size: tuple[int, int] = MEDIUM, *keys: str
) -> str:
    app, _ = open_console(view)
    async with app.run_test(size=size) as pilot:
        await pilot.press("5")
        screen = app.screen
        assert isinstance(screen, PanedScreen)
        screen.activate(Place.INSTRUMENTS)
        await pilot.pause()
        for key in (*keys, "z"):
            await pilot.press(key)
            await pilot.pause()
        return dump(app)


def row_of(text: str, name: str) -> list[str]:
    (row,) = [
        line.split() for line in text.splitlines() if f" {name} " in line.replace("▸", " ").replace("│", " ")
    ]
    return row[row.index(name) :]


async def test_every_statistic_of_an_instrument_stands_in_its_row(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    text = await instruments(full_view, open_console, dump)
    heads = ["symbol", "n", "win%", "90%", "range", "factor", "mean", "best", "worst", "net"]
    assert row_of(text, "symbol")[: len(heads)] == heads
    held = ["HAWX", "21", "66.7", "40–80", "3.10", "+596.16", "+12,519.40", "-802.11", "+12,519.40"]
    assert row_of(text, "HAWX")[: len(held)] == held


async def test_ratios_of_under_twenty_trades_are_marked_as_not_meaningful(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    text = await instruments(full_view, open_console, dump)
    assert row_of(text, "SANMERIDIAN")[1:6] == ["6", "33.3", "40–80", "n<20", "n<20"]
    assert row_of(text, "HELQ")[1:7] == ["3", "few", "too", "few", "n<20", "n<20"]
    assert "n<20: ratios not meaningful" in text


async def test_no_losing_trade_leaves_no_profit_factor(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    assert row_of(await instruments(full_view, open_console, dump), "KORU")[4:6] == ["–", "+3.65"]


async def test_all_trades_together_stay_first_in_every_order(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    for keys in ((), ("o",), ("o", "o"), ("o", "o", "o")):
        text = await instruments(full_view, open_console, dump, MEDIUM, *keys)
        lines = text.splitlines()
        (head,) = [at for at, line in enumerate(lines) if " win% " in line]
        assert " all " in lines[head + 1]
    all_trades = row_of(text, "all")
    assert all_trades[:6] == ["all", "24", "58.3", "39–76", "1.80", "+12.55"]
    assert all_trades[6:9] == ["+12,519.40", "-29.94", "+301.53"]


@pytest.mark.parametrize(
    ("place", "moves", "told"),
    [
        (Place.ROUND_TRIPS, "", ["HELQ B-100, closed", "The target was reached.", "78 at 4.1900", "+19.62"]),
        (Place.INSTRUMENTS, "j", ["HAWX closed trades", "14 of 21 won", "3.10", "+596.16", "newest 3 of 21"]),
        (Place.INSTRUMENTS, "jjj", ["HELQ closed trades", "not meaningful: 3 of 20 trades", "newest first"]),
        (Place.INSTRUMENTS, "", ["All closed trades", "14 of 24 won", "1.80"]),
        (Place.BY_STRATEGY, "", ["gaps closed trades", "live", "9 of 14 won, 42–82%", "+214.40"]),
        (Place.BY_STRATEGY, "jjj", ["ml closed trades", "shadow", "No closed trades yet."]),
    ],
)
async def test_enter_tells_all_of_closed_trades(
    place: Place, moves: str, told: list[str], full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    app, _ = open_console(full_view)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        screen = app.screen
        assert isinstance(screen, PanedScreen)
        screen.activate(place)
        await pilot.press(*moves, "enter")
        await pilot.pause()
        text = dump(app)
        assert [words for words in told if words not in text] == []


async def test_what_is_open_stays_readable_when_its_row_is_gone(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    app, link = open_console(full_view)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("5")
        screen = app.screen
        assert isinstance(screen, PanedScreen)
        screen.activate(Place.INSTRUMENTS)
        await pilot.press("j", "enter")
        portfolio = replace(full_view.portfolio, instruments=())
        link.push(replace(full_view, portfolio=portfolio))
        await pilot.pause()
        assert "No closed trade of it is kept any more." in dump(app)


@pytest.mark.parametrize(("n", "words"), [(7, "not meaningful, 7 of 20"), (24, "1.80")])
async def test_the_account_says_what_its_trades_made(
    n: int, words: str, full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    rate = RateView(n, 4, 4 / n, 0.2, 0.8, False)
    factor, mean = (1.8, Decimal("12.55")) if n >= 20 else (None, None)
    portfolio = replace(full_view.portfolio, win=rate, profit_factor=factor, expectancy=mean)
    text = await instruments(replace(full_view, portfolio=portfolio), open_console, dump, LARGE, "z")
    (row,) = [line for line in text.splitlines() if "profit factor" in line]
    assert row.rstrip("│ ").endswith(words)
    assert "not invested" in text
    assert "VIREO  -29.94" in text
