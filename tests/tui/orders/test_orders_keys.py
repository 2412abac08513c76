"""The keys of brackets: on Orders, on the Desk's Brackets and on Portfolio's positions."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.model.commands import Actor, Answer, AskVenue, CancelEntry, ClosePosition
from engine.model.ids import Symbol
from tui.actions import Place, actions_in
from tui.app import ConsoleApp
from tui.screens.bracketsheet import BracketSheet
from tui.screens.gaps import GapsScreen
from tui.screens.handling import CancelDialog, CloseDialog
from tui.screens.orders import OrdersScreen
from tui.shown.deck import DeckView, LinkState
from tui.shown.details import Topic
from tui.shown.portfolio import PositionRow

Build = Callable[..., tuple[ConsoleApp, Any]]
NINA = Actor("nina", "pts/7")
SIZES = [(80, 24), (120, 40)]


def text_of(app: ConsoleApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def last_row(app: ConsoleApp) -> str:
    return str(app.screen._compositor.render_strips()[-1].text)


class Hand:
    """Presses keys and lets the dialogs' clock go on between them."""

    def __init__(self, pilot: Any, now: Any) -> None:
        self.pilot, self.now = pilot, now

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
            self.now.s += 0.4


@pytest.mark.parametrize("size", SIZES)
async def test_the_venue_is_asked_at_once(
    size: tuple[int, int], orders: DeckView, console: Build, now: Any
) -> None:
    app, link = console(orders)
    async with app.run_test(size=size) as pilot:
        await Hand(pilot, now).press("4", "v")
        assert link.given == [AskVenue(orders.brackets[0].ticket, NINA)]


@pytest.mark.parametrize("size", SIZES)
async def test_an_entry_is_cancelled_by_the_key_that_opened_the_dialog(
    size: tuple[int, int], orders: DeckView, console: Build, now: Any
) -> None:
    app, link = console(orders)
    async with app.run_test(size=size) as pilot:
        hand = Hand(pilot, now)
        await hand.press("4", "j", "x")
        assert isinstance(app.screen, CancelDialog)
        assert "Cancel the rest: 41 of 82." in text_of(app)
        assert "The 41 held keep stop 3.70 and target 4.26." in text_of(app)
        await hand.press("x")
        assert link.given == [CancelEntry(orders.brackets[1].ticket, NINA)]
        assert isinstance(app.screen, OrdersScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_a_position_is_closed_with_the_exact_words_in_front(
    size: tuple[int, int], orders: DeckView, console: Build, now: Any
) -> None:
    app, link = console(orders)
    link.answers = [Answer(True, "ok", "B-29 HELQ: selling 78.")]
    async with app.run_test(size=size) as pilot:
        hand = Hand(pilot, now)
        await hand.press("4", "j", "j", "X")
        assert isinstance(app.screen, CloseDialog)
        assert "SELL 78 HELQ at market, cancels stop 3.85 and target 4.44 first" in text_of(app)
        assert "Worst price 4.22 for 5 s" in text_of(app)
        await hand.press("X")
        assert link.given == [ClosePosition(orders.brackets[2].ticket, NINA)]


@pytest.mark.parametrize("keys", [["enter"], ["escape"]])
@pytest.mark.parametrize("opening", ["x", "X"])
async def test_cancel_has_the_focus(
    opening: str, keys: list[str], orders: DeckView, console: Build, now: Any
) -> None:
    app, link = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4", "j", opening, *keys)
        assert isinstance(app.screen, OrdersScreen)
        assert link.given == []


@pytest.mark.parametrize("key", ["x", "X"])
async def test_a_key_held_down_does_nothing(key: str, orders: DeckView, console: Build, now: Any) -> None:
    app, link = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4", "j")
        for _ in range(20):
            await pilot.press(key)
            now.s += 0.03
        await pilot.pause()
        assert link.given == []
        assert f"{key} refused: ready in 0.3 s" in last_row(app)
        now.s += 0.4
        await Hand(pilot, now).press(key)
        assert len(link.given) == 1


async def test_a_row_that_moved_takes_no_key(orders: DeckView, console: Build, now: Any) -> None:
    app, link = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4")
        now.s += 3
        link.push(replace(orders, brackets=orders.brackets[1:]))
        await pilot.pause()
        await pilot.pause()
        await pilot.press("X")
        await pilot.pause()
        assert "X refused: the row moved 0.0 s ago, press again" in last_row(app)
        assert isinstance(app.screen, OrdersScreen)


@pytest.mark.parametrize(
    ("moves", "key", "reason"),
    [
        ("j", "v", "B-30 has 0 orders UNKNOWN"),
        ("jj", "x", "of B-29's entry 0 of 78 works"),
        ("jjjj", "X", "B-26 holds 0"),
        ("jjjj", "x", "of B-26's entry 0 of 12 works"),
        ("jj", "c", "HELQ is no candidate of this session"),
        ("", "i", "no settling by hand yet, v asks now"),
        ("", "u", "no settling by hand yet, v asks now"),
        ("j", "u", "B-30 has 0 orders UNKNOWN"),
    ],
)
async def test_a_key_that_does_nothing_says_why(
    moves: str, key: str, reason: str, orders: DeckView, console: Build, now: Any
) -> None:
    app, link = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4", *moves, key)
        assert f"{key} refused: {reason}" in last_row(app)
        assert link.given == []


@pytest.mark.parametrize(
    ("symbol", "changes", "key", "reason"),
    [
        ("KYTE", {"dropped": True}, "x", "B-30's entry is being cancelled already"),
        ("HELQ", {"exiting": "manual"}, "X", "B-29 is being sold already: manual"),
        ("KYTE", {"held": Decimal(0)}, "X", "B-30 holds 0, cancel its entry"),
    ],
)
async def test_what_is_under_way_is_not_asked_for_twice(
    symbol: str,
    changes: dict[str, Any],
    key: str,
    reason: str,
    alone: Callable[..., DeckView],
    console: Build,
    now: Any,
) -> None:
    app, _ = console(alone(symbol, **changes))
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4", key)
        assert f"{key} refused: {reason}" in last_row(app)


@pytest.mark.parametrize("place", [Place.ORDERS, Place.STORY])
@pytest.mark.parametrize("size", SIZES)
async def test_every_footer_key_acts_or_refuses_with_a_reason(
    size: tuple[int, int],
    place: Place,
    orders: DeckView,
    empty_view: DeckView,
    console: Build,
    now: Any,
) -> None:
    for view in (orders, empty_view):
        app, link = console(view, view_only=True)
        async with app.run_test(size=size) as pilot:
            hand = Hand(pilot, now)
            await hand.press("4")
            screen = app.screen
            assert isinstance(screen, OrdersScreen)
            for action in actions_in(place):
                if not action.label or action.id in ("leave", "palette"):
                    continue
                screen.zoomed, screen._refused_until = False, 0.0
                screen.activate(place)
                await pilot.pause()
                before = text_of(app)
                await hand.press(action.keys[0])
                refused = f"{action.shown} refused: " in last_row(app)
                assert app.screen is not screen or text_of(app) != before or refused, action.id
                await hand.press("escape")
            assert link.given == []


async def test_the_story_is_of_the_selected_bracket(
    orders: DeckView, told: Any, console: Build, now: Any
) -> None:
    app, link = console(orders)
    link.details[Topic.BRACKET, told.ticket] = told
    async with app.run_test(size=(120, 40)) as pilot:
        hand = Hand(pilot, now)
        await hand.press("4")
        await pilot.pause()
        assert "What happens now B-31 TLMN" in text_of(app)
        assert "next 0:02    ask again for the entry by its id" in text_of(app)
        assert "You can  v ask the venue now  x cancel the entry  X close the position" in text_of(app)
        await hand.press("j")
        await pilot.pause()
        assert "What happens now B-30 KYTE" in text_of(app)
        assert "ask again for the entry" not in text_of(app)


async def test_the_sheet_has_fills_story_and_whole_ids(
    orders: DeckView, told: Any, console: Build, now: Any
) -> None:
    app, link = console(orders)
    link.details[Topic.BRACKET, told.ticket] = told
    async with app.run_test(size=(120, 40)) as pilot:
        hand = Hand(pilot, now)
        await hand.press("4", "enter")
        await pilot.pause()
        assert isinstance(app.screen, BracketSheet)
        text = text_of(app)
        assert orders.brackets[0].legs[0].client_order_id in text
        assert "entry intent written to the journal, then sent: buy 154 limit 2.14" in text
        assert "2026-11-06 14:51:37Z  entry       41     4.0200    0.35" in text
        await hand.press("a")
        assert "a refused: no ticket here" in last_row(app)
        await hand.press("escape")
        assert isinstance(app.screen, OrdersScreen)


async def test_the_dialog_says_what_came_between(orders: DeckView, console: Build, now: Any) -> None:
    app, link = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        hand = Hand(pilot, now)
        await hand.press("4", "j", "x")
        row = orders.brackets[1]
        filled = replace(row.legs[0], filled=Decimal(82), state=orders.brackets[2].legs[0].state)
        done = replace(row, held=Decimal(82), legs=(filled, *row.legs[1:]))
        link.push(replace(orders, brackets=(orders.brackets[0], done, *orders.brackets[2:])))
        await pilot.pause()
        await hand.press("x")
        assert "The entry is filled: nothing of it is left to cancel." in text_of(app)
        assert "x refused: of B-30's entry 0 of 82 works" in last_row(app)
        link.push(replace(orders, brackets=()))
        await pilot.pause()
        await hand.press("x")
        assert "x refused: B-30 KYTE is no longer shown" in last_row(app)
        lost = replace(orders, header=replace(orders.header, link=LinkState.LOST))
        link.push(lost)
        await pilot.pause()
        await hand.press("x")
        assert "x refused: the engine does not answer" in last_row(app)
        assert link.given == []


async def test_the_dialog_closes_by_itself(orders: DeckView, console: Build, now: Any) -> None:
    app, link = console(orders)
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4", "j", "X")
        now.s += 61
        app.tick()
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, OrdersScreen)
        (toast,) = app._notifications
        assert toast.message == "■ B-30 KYTE: nothing was done, the dialog closed after 60 s."
        assert link.given == []


async def test_the_desk_has_the_same_keys(orders: DeckView, console: Build, now: Any) -> None:
    app, link = console(orders)
    async with app.run_test(size=(120, 40)) as pilot:
        hand = Hand(pilot, now)
        await hand.press("tab", "tab", "tab", "v", "j", "x", "x", "X", "X")
        kinds = [type(command) for command in link.given]
        assert kinds == [AskVenue, CancelEntry, ClosePosition]


def position(orders: DeckView, at: int) -> PositionRow:
    row = orders.brackets[at]
    return PositionRow(
        row.ticket,
        row.number,
        Symbol(row.symbol),
        "gaps",
        row.held,
        row.held,
        row.entry_price,
        row.last,
        Decimal(336),
        Decimal(336),
        Decimal(9),
        0.02,
        row.stop_price,
        -0.1,
        row.target_price,
        0.03,
        2,
        5,
        unknown=False,
        protected=True,
    )


async def test_a_position_of_the_portfolio_is_closed(orders: DeckView, console: Build, now: Any) -> None:
    held = replace(orders.portfolio, positions=(position(orders, 2),))
    app, link = console(replace(orders, portfolio=held))
    async with app.run_test(size=(120, 40)) as pilot:
        hand = Hand(pilot, now)
        await hand.press("5", "X")
        assert isinstance(app.screen, CloseDialog)
        assert "SELL 78 HELQ at market" in text_of(app)
        await hand.press("X")
        assert link.given == [ClosePosition(orders.brackets[2].ticket, NINA)]
        await hand.press("enter")
        assert isinstance(app.screen, BracketSheet)


async def test_the_chart_of_a_bracket_is_the_one_of_its_candidate(
    orders: DeckView, console: Build, now: Any
) -> None:
    chosen = orders.brackets[0]
    gaps = (replace(orders.gaps[0], ticket=chosen.ticket), *orders.gaps[1:])
    app, _ = console(replace(orders, gaps=gaps))
    async with app.run_test(size=(80, 24)) as pilot:
        await Hand(pilot, now).press("4", "c")
        screen = app.screen
        assert isinstance(screen, GapsScreen)
        assert (screen.opened, screen.current) == (gaps[0].correlation, Place.GAP_CHART)
