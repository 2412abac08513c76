"""Screens as text, at the sizes of the design: read the diff before --update-golden."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.model.positions import AccountKind
from tui.app import ConsoleApp
from tui.shown.deck import DeckView, LinkState

Dump = Callable[[ConsoleApp], str]
Build = Callable[..., tuple[ConsoleApp, Any]]

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}


def with_header(view: DeckView, **changes: object) -> DeckView:
    return replace(view, header=replace(view.header, **changes))  # type: ignore[arg-type]


def halted(view: DeckView) -> DeckView:
    return with_header(
        view,
        engine_state="HALTED",
        engine_reason="by you (! !)",
        engine_since_us=view.header.now_us - 16_000_000,
    )


def stale(view: DeckView) -> DeckView:
    return with_header(view, market=replace(view.header.market, stale="Alpaca stream silent 42 s"))


def detached(view: DeckView) -> DeckView:
    return with_header(view, link=LinkState.LOST)


def replaying(view: DeckView) -> DeckView:
    market = replace(view.header.market, provenance="replay", paused=True, speed=390.0)
    return with_header(view, kind=AccountKind.SIMULATION, account="simulation", market=market)


def same(view: DeckView) -> DeckView:
    return view


STATES = {
    "desk": (same, []),
    "halted": (halted, []),
    "stale": (stale, []),
    "detached": (detached, []),
    "replay": (replaying, []),
    "approve": (replaying, ["a"]),
    "ticket": (replaying, ["enter"]),
    "why": (same, ["j", "j", "j", "j", "w"]),
    "reject": (same, ["r"]),
    "resume": (halted, ["R"]),
    "help": (same, ["question_mark"]),
    "glossary": (same, ["question_mark", "question_mark"]),
    "bracket": (same, ["tab", "tab", "tab", "enter"]),
    "zoom": (same, ["tab", "tab", "tab", "tab", "z"]),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_screen(
    state: str,
    size: str,
    view: DeckView,
    console: Build,
    dump: Dump,
    golden: Callable[[str, str], None],
    now: Any,
) -> None:
    change, keys = STATES[state]
    app, _ = console(change(view))
    async with app.run_test(size=SIZES[size]) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        now.s += 0.4
        app.tick()
        await pilot.pause()
        golden(f"{state}-{size}", dump(app))


@pytest.mark.parametrize("size", [*SIZES, "60x15", "160x50"])
async def test_empty_desk(
    size: str, empty_view: DeckView, console: Build, dump: Dump, golden: Callable[[str, str], None]
) -> None:
    width, height = map(int, size.split("x"))
    app, _ = console(empty_view)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        await pilot.pause()
        golden(f"empty-{size}", dump(app))


@pytest.mark.parametrize("size", [(60, 15), (160, 50), (100, 30), (120, 24), (200, 60)])
async def test_other_sizes_keep_frame_header_and_footer(
    size: tuple[int, int], view: DeckView, console: Build, dump: Dump
) -> None:
    app, _ = console(view)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        rows = dump(app).splitlines()
    assert len(rows) == size[1]
    assert all(row[0] == "│" and row[-1] == "│" and len(row) == size[0] for row in rows)
    assert "PAPER" in rows[0]
    assert "RUNNING" in rows[0]
    assert "Desk" in rows[1]
    assert "!! halt" in rows[-1]
    assert "ORVX" in "".join(rows)


@pytest.mark.parametrize(("width", "height"), [(52, 14), (40, 10), (20, 5)])
async def test_a_tiny_terminal_says_what_it_needs(
    width: int, height: int, view: DeckView, console: Build, dump: Dump
) -> None:
    app, _ = console(view)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = " ".join(dump(app).split())
        assert f"Terminal is {width}x{height}." in text
        assert "ORVX" not in text
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await pilot.pause()
        assert "ORVX" in dump(app)


async def test_plain_without_color(
    view: DeckView, console: Build, dump: Dump, golden: Callable[[str, str], None], monkeypatch: Any, now: Any
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = console(replaying(view), plain=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert app.theme == "mono"
        desk = dump(app)
        await pilot.press("a")
        await pilot.pause()
        now.s += 0.4
        app.tick()
        await pilot.pause()
        dialog = dump(app)
    assert desk.isascii()
    assert dialog.isascii()
    golden("plain-desk-80x24", desk)
    golden("plain-approve-80x24", dialog)


async def test_no_color_writes_no_color(view: DeckView, console: Build, monkeypatch: Any) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        styles = [
            segment.style
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style
        ]
    colors = {color.name for style in styles for color in (style.color, style.bgcolor) if color is not None}
    assert colors == {"default"}
    assert any(style.reverse for style in styles)
    assert any(style.dim for style in styles)
    assert any(style.bold for style in styles)


@pytest.mark.parametrize("theme", ["dusk", "paper", "contrast", "sixteen"])
async def test_every_theme_draws(theme: str, view: DeckView, console: Build, dump: Dump) -> None:
    app, _ = console(view)
    app.theme = theme
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        assert "Approve T-18" in dump(app)


async def test_decimal_points_of_the_price_column_stand_in_one_line(
    view: DeckView, console: Build, dump: Dump
) -> None:
    app, _ = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        rows = dump(app).splitlines()[5:17]
    assert {row[:27].rindex(".") for row in rows} == {21}


async def test_before_the_engine_answers_the_console_says_so(
    console: Build, view: DeckView, dump: Dump
) -> None:
    app, link = console(view)

    async def silent() -> Any:
        await link._queue.get()
        yield view

    link.changes = silent
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        text = dump(app)
        assert "◐ STARTING" in text
        assert "Reading the journal. Nothing is sent before that is done." in text
        link.push(view)
        await pilot.pause()
        await pilot.pause()
        assert "ORVX" in dump(app)
