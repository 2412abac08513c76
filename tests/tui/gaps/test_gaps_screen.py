"""The screen Gaps as text at the sizes of the design: read the diff before --update-golden."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tui.app import ConsoleApp
from tui.shown.deck import DeckView
from tui.widgets.ink import drawable

Dump = Callable[[ConsoleApp], str]
Build = Callable[..., tuple[ConsoleApp, Any]]
Settled = Callable[[ConsoleApp, Any], Awaitable[None]]
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "160x50": (160, 50)}


def same(view: DeckView) -> DeckView:
    return view


def halted(view: DeckView) -> DeckView:
    header = replace(view.header, engine_state="HALTED", engine_reason="by you (! !)")
    return replace(view, header=replace(header, engine_since_us=view.header.now_us - 16_000_000))


def stale(view: DeckView) -> DeckView:
    market = replace(view.header.market, stale="Alpaca stream silent 42 s")
    return replace(view, header=replace(view.header, market=market))


STATES: dict[str, tuple[Callable[[DeckView], DeckView], list[str]]] = {
    "list": (same, []),
    "halted": (halted, []),
    "stale": (stale, []),
    "opened": (same, ["enter"]),
    "opened-stale": (stale, ["enter"]),
    "opened-bracket": (same, ["j", "j", "enter"]),
    "opened-blocked": (same, ["G", "enter"]),
    "blocked": (same, ["G"]),
    "days": (same, ["c", "right_square_bracket"]),
    "why": (same, ["G", "w"]),
}


async def shown(app: ConsoleApp, pilot: Any, settled: Settled, keys: list[str]) -> None:
    await pilot.pause()
    for key in ["3", *keys]:
        await pilot.press(key)
        await settled(app, pilot)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_gaps(
    state: str,
    size: str,
    gap_view: DeckView,
    open_gaps: Build,
    settled: Settled,
    dump: Dump,
    golden: Callable[[str, str], None],
) -> None:
    change, keys = STATES[state]
    app, _ = open_gaps(change(gap_view))
    async with app.run_test(size=SIZES[size]) as pilot:
        await shown(app, pilot, settled, keys)
        text = dump(app)
    assert text == drawable_text(text)
    golden(f"gaps-{state}-{size}", text)


def drawable_text(text: str) -> str:
    return "\n".join(map(drawable, text.split("\n")))


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_model_its_columns_give_their_room_away(
    size: str,
    today_view: DeckView,
    open_gaps: Build,
    settled: Settled,
    dump: Dump,
    golden: Callable[[str, str], None],
) -> None:
    app, _ = open_gaps(today_view)
    async with app.run_test(size=SIZES[size]) as pilot:
        await shown(app, pilot, settled, [])
        text = dump(app)
    head = next(line for line in text.splitlines() if " sym " in line)
    assert not {"q", "tch", "BCS", "EV%", "filt"} & set(head.split())
    assert "votes" in head
    golden(f"gaps-today-{size}", text)


@pytest.mark.parametrize("size", ["80x24", "120x40", "60x15"])
async def test_empty(
    size: str,
    empty_view: DeckView,
    open_gaps: Build,
    settled: Settled,
    dump: Dump,
    golden: Callable[[str, str], None],
) -> None:
    width, height = map(int, size.split("x"))
    app, _ = open_gaps(empty_view)
    async with app.run_test(size=(width, height)) as pilot:
        await shown(app, pilot, settled, [])
        golden(f"gaps-empty-{size}", dump(app))


async def test_before_the_open_the_scan_is_counted_down(
    empty_view: DeckView, open_gaps: Build, settled: Settled, dump: Dump
) -> None:
    opens = empty_view.header.session_open_us
    assert opens is not None
    app, _ = open_gaps(replace(empty_view, header=replace(empty_view.header, now_us=opens - 14_000_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(app, pilot, settled, [])
        assert "Scan at 09:30 ET, in 0:14" in dump(app)


async def test_on_another_day_the_scan_says_which(
    empty_view: DeckView, open_gaps: Build, settled: Settled, dump: Dump
) -> None:
    opens = empty_view.header.session_open_us
    assert opens is not None
    before = opens - 71 * 3_600_000_000
    app, _ = open_gaps(replace(empty_view, header=replace(empty_view.header, now_us=before)))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(app, pilot, settled, [])
        assert "Scan Fri 09:30 ET, in 2d 23h" in dump(app)


async def test_points_of_every_number_column_stand_in_one_line(
    gap_view: DeckView, open_gaps: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(app, pilot, settled, [])
        rows = [line for line in dump(app).splitlines() if line[4:8].isupper() and line[4:8].isalpha()]
    assert len(rows) == 12
    for first, last in ((8, 16), (16, 27)):
        assert len({line[first:last].rindex(".") for line in rows}) == 1


async def test_plain_is_ascii(gap_view: DeckView, open_gaps: Build, settled: Settled, dump: Dump) -> None:
    app, _ = open_gaps(gap_view, plain=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(app, pilot, settled, [])
        assert dump(app).isascii()
        await shown(app, pilot, settled, ["enter"])
        assert dump(app).isascii()


async def test_a_small_terminal_shows_one_pane(
    gap_view: DeckView, open_gaps: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=(60, 15)) as pilot:
        await shown(app, pilot, settled, [])
        assert "KYTE" in dump(app)
        await shown(app, pilot, settled, ["enter"])
        text = dump(app)
        assert "Screener" in text
        assert "KYTE" not in text


NASTY = (
    "PEPE[/]",
    "[@click=app.halt()]x",
    "a\x1b[31mb",
    "\x1b]52;c;aGk=\x07",
    "ab\u202ecd",
    "z" * 10_000,
    "",
)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_text_stays_text(
    nasty: str, size: tuple[int, int], gap_view: DeckView, open_gaps: Build, settled: Settled, dump: Dump
) -> None:
    rows = tuple(
        replace(row, symbol=nasty, name=nasty, sector=nasty, reason=nasty, details=(nasty, nasty))
        for row in gap_view.gaps
    )
    app, link = open_gaps(replace(gap_view, gaps=rows))
    for key, known in link.details.items():
        link.details[key] = replace(
            known,
            symbol=nasty,
            name=nasty,
            sector=nasty,
            regime=nasty,
            reports=tuple(replace(each, agent=nasty, reasons=(nasty,), note=nasty) for each in known.reports),
            gates=tuple(
                replace(each, gate=nasty, title=nasty, value=nasty, limit=nasty, reason=nasty)
                for each in known.gates
            ),
            features=tuple(replace(each, id=nasty, source=nasty) for each in known.features),
            headlines=tuple(replace(each, title=nasty, source=nasty) for each in known.headlines),
        )
    async with app.run_test(size=size) as pilot:
        for keys in ([], ["G"], ["enter"], ["G"], ["escape", "w"], ["escape"]):
            await shown(app, pilot, settled, keys)
            text = dump(app)
            assert text == drawable_text(text)
            assert all(len(line) == size[0] for line in text.splitlines())
        assert not link.given
