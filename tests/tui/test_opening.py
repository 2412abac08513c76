"""The console before its engine: what it shows, which keys work, and how it fills or closes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.errors import Busy, DataError
from engine.model.commands import Actor, Halt
from engine.model.positions import AccountKind
from tui.app import ConsoleApp, OpeningConsole
from tui.opening_link import OpeningLink
from tui.options import ConsoleOptions, Opening
from tui.screens.desk import DeskScreen
from tui.screens.gems import GemsScreen
from tui.screens.help import HelpSheet
from tui.screens.opening import OpeningScreen
from tui.shown.deck import DeckView

Dump = Callable[[ConsoleApp], str]
Golden = Callable[..., None]
TITLES = ("Gaps", "Gems", "Tickets", "Brackets", "Events")
SIZES = [(80, 24), (120, 40), (160, 50)]


class Engine:
    """What the console waits for: there when the test says so, or never."""

    def __init__(self, link: Any) -> None:
        self.link = link
        self.come = asyncio.Event()
        self.failure: Exception | None = None
        self.asked = False

    async def open(self) -> Any:
        self.asked = True
        await self.come.wait()
        if self.failure is not None:
            raise self.failure
        return self.link


Build = Callable[..., tuple[OpeningConsole, Engine, OpeningLink]]


@pytest.fixture
def opening(console: Callable[..., Any], view: DeckView, now: Any) -> Build:
    def build(**options: Any) -> tuple[OpeningConsole, Engine, OpeningLink]:
        _, found = console(view)
        engine = Engine(found)
        link = OpeningLink(engine.open)
        words = Opening(lambda: "Starting the demo market", "Nothing is sent before.", "simulation", "demo")
        chosen = ConsoleOptions(now=now, opening=words, **options)
        return OpeningConsole(link, actor=lambda: Actor("nina", "pts/7"), options=chosen), engine, link

    return build


async def settle(pilot: Any) -> None:
    for _ in range(3):
        await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_frame_is_whole(
    opening: Build, dump: Dump, golden: Golden, size: tuple[int, int]
) -> None:
    app, engine, _ = opening()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        text = dump(app)
        golden(f"opening-{size[0]}x{size[1]}", text)
    assert engine.asked
    first, last = text.splitlines()[0], text.splitlines()[-1]
    assert "SIMULATION" in first
    assert "◐ STARTING" in first
    assert "q leave" in last
    assert "!! halt" in last


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_jumps_when_the_engine_comes(opening: Build, dump: Dump, size: tuple[int, int]) -> None:
    app, engine, _ = opening()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        before = dump(app).splitlines()
        engine.come.set()
        await settle(pilot)
        after = dump(app).splitlines()
        assert isinstance(app.screen, DeskScreen)
    assert "ORVX" in "\n".join(after)
    titles = [
        (row, line.index(f" {title} "))
        for row, line in enumerate(before)
        for title in TITLES
        if f" {title} " in line
    ]
    assert len(titles) >= 4
    assert [
        (row, column)
        for row, column in titles
        if before[row][column : column + 5] != after[row][column : column + 5]
    ] == []


async def test_a_long_wait_is_counted(opening: Build, dump: Dump, now: Any) -> None:
    app, _, _ = opening()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        now.s += 7
        app.tick()
        await settle(pilot)
        assert "Starting the demo market 7 s" in dump(app)


async def test_leaving_asks_nothing_while_no_engine_runs(opening: Build) -> None:
    app, _, link = opening(own_engine=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("q")
        await settle(pilot)
    assert app.return_value is not None
    assert not app.return_value.stop_engine
    await link.give_up()


async def test_a_halt_waits_for_the_engine(opening: Build) -> None:
    app, engine, _ = opening()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("!", "!")
        await settle(pilot)
        assert engine.link.given == []
        engine.come.set()
        await settle(pilot)
        assert engine.link.given == [Halt(Actor("nina", "pts/7"), "! !")]


async def test_another_screen_may_be_chosen_before(opening: Build, dump: Dump) -> None:
    app, engine, _ = opening()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("1")
        assert isinstance(app.screen, OpeningScreen)
        await pilot.press("2")
        await settle(pilot)
        assert isinstance(app.screen, GemsScreen)
        assert "SIMULATION" in dump(app)
        assert "STARTING" in dump(app)
        engine.come.set()
        await settle(pilot)
        assert isinstance(app.screen, GemsScreen)
        await pilot.press("1")
        await settle(pilot)
        assert isinstance(app.screen, DeskScreen)


async def test_a_sheet_in_front_stays_until_it_is_closed(opening: Build) -> None:
    app, engine, _ = opening()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await settle(pilot)
        engine.come.set()
        await settle(pilot)
        assert isinstance(app.screen, HelpSheet)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, DeskScreen)


async def test_keys_that_need_rows_are_refused(opening: Build, dump: Dump) -> None:
    app, _, _ = opening()
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("slash", "R", "space", "escape", "tab", "j", "G", "ctrl+p", "escape", "z", "z"):
            await pilot.press(key)
            await settle(pilot)
        assert isinstance(app.screen, OpeningScreen)
        assert "refused" in dump(app)


async def test_an_engine_that_does_not_start_closes_the_console(opening: Build) -> None:
    app, engine, link = opening()
    engine.failure = DataError("there are no daily bars", "Import some")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        engine.come.set()
        await settle(pilot)
    assert app.return_value is not None
    assert app.failure is None
    with pytest.raises(DataError, match="no daily bars"):
        await link.give_up()


async def test_what_breaks_while_it_starts_is_no_failure_of_the_console(opening: Build) -> None:
    app, engine, link = opening()
    engine.failure = ZeroDivisionError("inside")
    async with app.run_test(size=(80, 24)) as pilot:
        engine.come.set()
        await settle(pilot)
    assert app.failure is None
    with pytest.raises(ZeroDivisionError):
        await link.give_up()


async def test_the_kind_of_account_is_said_as_the_desk_says_it(
    opening: Build, dump: Dump, view: DeckView
) -> None:
    app, _, _ = opening()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert dump(app).splitlines()[0].startswith(f"┊ {AccountKind.SIMULATION.upper()}  demo")


Use = Callable[[OpeningLink], Awaitable[object]]
USES: list[Use] = [
    lambda link: link.deck(),
    lambda link: link.resume_market(),
    lambda link: link.give(Halt(Actor("nina", ""), "")),
]


@pytest.mark.parametrize("use", USES)
async def test_a_link_waits_and_then_answers(console: Callable[..., Any], view: DeckView, use: Use) -> None:
    engine = Engine(console(view)[1])
    link = OpeningLink(engine.open)
    waiting: asyncio.Task[object] = asyncio.create_task(use(link))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert not waiting.done()
    engine.come.set()
    assert await waiting == await use(engine.link)


async def test_who_gives_up_waiting_does_not_end_the_opening(
    console: Callable[..., Any], view: DeckView
) -> None:
    engine = Engine(console(view)[1])
    link = OpeningLink(engine.open)
    first, second = asyncio.create_task(link.deck()), asyncio.create_task(link.deck())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    engine.come.set()
    assert await second == view


async def test_a_link_that_was_given_up_answers_no_more(console: Callable[..., Any], view: DeckView) -> None:
    link = OpeningLink(Engine(console(view)[1]).open)
    waiting = asyncio.create_task(link.deck())
    await asyncio.sleep(0)
    await link.close()
    with pytest.raises(Busy):
        await waiting
