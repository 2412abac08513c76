"""Orders as text, at the sizes of the design, and what holds for every row: read a golden diff first."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.model.ids import Symbol
from engine.model.orders import OrderState
from tui.actions import Place
from tui.app import ConsoleApp
from tui.screens.orders import OrdersScreen
from tui.shown.deck import BracketView, DeckView
from tui.shown.details import BracketDetail, Topic
from tui.widgets.ink import drawable

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
HOSTILE = ("PEPE[/]", "[@click=app.halt()]x", "A\x1b[2Jb", "\x1b]52;c;eA==\x07", "a\u202eb", "x" * 10_000)


def halted(view: DeckView) -> DeckView:
    header = replace(view.header, engine_state="HALTED", engine_reason="by you (! !)")
    return replace(view, header=header)


def stale(view: DeckView) -> DeckView:
    market = replace(view.header.market, stale="Alpaca stream silent 42 s")
    return replace(view, header=replace(view.header, market=market))


def same(view: DeckView) -> DeckView:
    return view


async def shown(app: ConsoleApp, size: tuple[int, int], keys: list[str], now: Any, dump: Dump) -> str:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in ["4", *keys]:
            await pilot.press(key)
            await pilot.pause()
            now.s += 0.4
        app.tick()
        await pilot.pause()
        await pilot.pause()
        return dump(app)


STATES: dict[str, tuple[Callable[[DeckView], DeckView], list[str]]] = {
    "filled": (same, []),
    "protected": (same, ["j", "j"]),
    "halted": (halted, []),
    "stale": (stale, ["j"]),
    "sheet": (same, ["enter"]),
    "cancel": (same, ["j", "x"]),
    "close": (same, ["j", "j", "X"]),
    "close-unknown": (same, ["X"]),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_screen(
    state: str,
    size: str,
    orders: DeckView,
    told: Any,
    console: Build,
    dump: Dump,
    now: Any,
    golden: Callable[[str, str], None],
) -> None:
    change, keys = STATES[state]
    app, link = console(change(orders))
    link.details[Topic.BRACKET, told.ticket] = told
    golden(f"orders/{state}-{size}", await shown(app, SIZES[size], keys, now, dump))


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_open_says_what_closed_last(
    size: str, empty_view: DeckView, console: Build, dump: Dump, now: Any, golden: Callable[[str, str], None]
) -> None:
    app, _ = console(empty_view)
    text = await shown(app, SIZES[size], [], now, dump)
    assert "No open brackets" in text
    assert "Last closed: HELQ 14:41Z, target, +19.62." in text
    golden(f"orders/empty-{size}", text)


@pytest.mark.parametrize("plain", [False, True])
async def test_an_unknown_order_can_be_told_by_words_alone(
    plain: bool, orders: DeckView, console: Build, dump: Dump, now: Any
) -> None:
    app, _ = console(orders, plain=plain)
    text = await shown(app, (80, 24), [], now, dump)
    assert "1 UNKNOWN" in text
    assert "? UNKNOWN" in text
    assert "TLMN no answer in 1.0 s. It may or may not be at the venue." in text
    assert "Never sent twice. Alarm in 0:46." in text
    if plain:
        assert text.isascii()


@pytest.mark.parametrize("width", range(60, 161, 10))
async def test_points_stand_in_one_line_and_no_number_is_cut(
    width: int, orders: DeckView, console: Build, dump: Dump, now: Any
) -> None:
    long = orders.brackets[2]
    legs = tuple(replace(leg, quantity=Decimal(12_345), filled=Decimal(0)) for leg in long.legs)
    dear = replace(legs[1], price=Decimal("1234.56"))
    view = replace(orders, brackets=(*orders.brackets[:2], replace(long, legs=(legs[0], dear, legs[2]))))
    app, _ = console(view)
    text = await shown(app, (width, 40), [], now, dump)
    legs_shown = [line for line in text.splitlines() if re.search(r"[├└] [ESTX] ", line)]
    assert len(legs_shown) >= 9
    points = {line.index(".", line.index("lmt" if "lmt" in line else "stp")) for line in legs_shown}
    assert len(points) == 1
    assert any("1,234.56" in line for line in legs_shown)
    assert sum("12,345" in line for line in legs_shown) == 3
    if width >= 80:
        assert sum("0/12,345" in line for line in legs_shown) == 3


async def test_columns_leave_in_the_order_of_the_design(
    orders: DeckView, console: Build, dump: Dump, now: Any
) -> None:
    heads = {}
    for width in (60, 66, 80, 90, 100):
        app, _ = console(orders)
        text = await shown(app, (width, 40), [], now, dump)
        heads[width] = next(line for line in text.splitlines() if " order " in line).split()
    assert heads[60][1:-1] == ["order", "price", "state", "filled"]
    assert heads[66][1:-1] == ["order", "price", "state", "filled", "age"]
    assert heads[80][1:-1] == ["order", "price", "state", "filled", "age", "id"]
    assert heads[90][1:-1] == ["order", "price", "tif", "state", "filled", "age", "id"]
    assert heads[100][1:-1] == ["order", "price", "tif", "state", "filled", "average", "age", "id"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("size", SIZES.values())
async def test_hostile_text_is_only_text(
    text: str, size: tuple[int, int], orders: DeckView, told: Any, console: Build, dump: Dump, now: Any
) -> None:
    rows = tuple(
        replace(
            row,
            symbol=Symbol(text),
            words=text,
            note=text,
            exiting=text if row.phase == "protected" else "",
            legs=tuple(replace(leg, reason=text, venue_order_id=text) for leg in row.legs),
        )
        for row in orders.brackets
    )
    story = tuple(replace(line, words=text) for line in told.story)
    for keys in ([], ["enter"], ["x"], ["X"], ["j", "X"], ["tab"]):
        app, link = console(replace(orders, brackets=rows, last_closed=text))
        link.details[Topic.BRACKET, told.ticket] = replace(told, symbol=Symbol(text), story=story)
        drawn = await shown(app, size, keys, now, dump)
        lines = drawn.splitlines()
        assert all(len(line) == size[0] for line in lines)
        assert all(drawable(line) == line for line in lines)
        assert link.given == []


async def test_states_of_orders_have_their_words(
    orders: DeckView, console: Build, dump: Dump, now: Any
) -> None:
    words = {
        OrderState.NEW: "○ not sent",
        OrderState.SENDING: "◐ sending",
        OrderState.FILLED: "● filled",
        OrderState.CANCELED: "■ cancelled",
        OrderState.EXPIRED: "■ expired",
        OrderState.REJECTED: "■ rejected",
        OrderState.NOTPLACED: "– not placed",
    }
    row = orders.brackets[2]
    for state, said in words.items():
        legs = (replace(row.legs[0], state=state), *row.legs[1:])
        app, _ = console(replace(orders, brackets=(replace(row, legs=legs),)))
        text = await shown(app, (80, 24), [], now, dump)
        assert said in next(line for line in text.splitlines() if "├ E" in line)


@pytest.mark.parametrize(
    ("symbol", "changes", "words"),
    [
        ("HELQ", {"protected": False}, "■ no stop at the venue"),
        ("HELQ", {"phase": "exiting", "exiting": "manual"}, "selling 78, manual"),
        ("HELQ", {"phase": "exiting", "exiting": "manual"}, "◐ selling"),
        ("HELQ", {"phase": "draining", "held": Decimal(0)}, "◐ closing"),
        ("KYTE", {"dropped": True}, "◐ cancelling"),
        ("KYTE", {"held": Decimal(0), "entry_price": None}, "◐ entry working"),
        ("HELQ", {"pnl_ratio": -0.03}, "▼  -3.0%"),
        ("HELQ", {"pnl_ratio": 0.0}, "0.0%"),
    ],
)
async def test_a_bracket_says_what_it_is_doing(
    symbol: str,
    changes: dict[str, Any],
    words: str,
    alone: Callable[..., DeckView],
    console: Build,
    dump: Dump,
    now: Any,
) -> None:
    app, _ = console(alone(symbol, **changes))
    assert words in await shown(app, (120, 40), [], now, dump)


async def test_an_alarm_keeps_its_ground_on_the_selected_row(orders: DeckView, console: Build) -> None:
    app, _ = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        screen, look = app.screen, app.look()
        assert isinstance(screen, OrdersScreen)
        assert look is not None
        lines = screen.pane(Place.ORDERS).content(look, 78, 20)
    inks = {span.ink for line in lines for span in line if span.text == " UNKNOWN "}
    assert inks == {"-alarm"}
    lit = [line for line in lines if any("-selected" in span.ink for span in line)]
    assert len(lit) == 1


async def test_what_trees_leave_at_80x24_tells_of_the_selected_bracket(
    orders: DeckView, console: Build, dump: Dump, now: Any
) -> None:
    few = replace(orders, brackets=orders.brackets[1:2])
    app, link = console(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "What happens now B-30 KYTE" in dump(app)
        link.push(orders)
        await pilot.pause()
        await pilot.pause()
        assert "What happens now" not in dump(app)  # every row is needed for the trees


async def test_fills_stand_beside_the_story_where_it_is_wide(
    orders: DeckView, console: Build, dump: Dump, now: Any
) -> None:
    app, link = console(orders)
    link.details = {(Topic.BRACKET, row.ticket): _story(row) for row in orders.brackets}
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        await pilot.pause()
        rows = dump(app).splitlines()
        (title,) = [row for row in rows if "What happens now" in row]
        assert "Fills B-31 TLMN" in title


def _story(row: BracketView) -> BracketDetail:
    return BracketDetail(row.ticket, row.number, row.symbol, (), ())
