"""What a table draws again, how wide its numbers are, and which rows are in sight."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from textual.app import App, ComposeResult

from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.deck import DeckView
from tui.widgets.columns import Column
from tui.widgets.ink import Line, Span
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import IN_TURN, Cell, TablePane


@dataclass(frozen=True, slots=True)
class Priced:
    """A name and its price; `note` stands as it is."""

    name: str
    price: str
    note: Line = ()


class Prices(TablePane[Priced]):
    """As many as it is given; counts how often it measures or draws."""

    place = Place.EVENTS
    columns = (
        Column("name", "name", 6, 0),
        Column("price", "price", 6, 1, right=True, aligned=True),
        Column("note", "note", 6, 2),
    )

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(ConsoleOptions(now=now), id="prices")
        self.given: list[Priced] = []
        self.tall: frozenset[str] = frozenset()

    def table(self, look: Look) -> Sequence[Priced]:
        return self.given

    def key(self, row: Priced) -> str:
        return row.name

    def words(self, row: Priced) -> str:
        return row.name

    def height_of(self, row: Priced) -> int:
        return 3 if row.name in self.tall else 1

    def draw(self, row: Priced, width: int, look: Look, *, selected: bool) -> list[Line]:
        lines = super().draw(row, width, look, selected=selected)
        return [*lines, *((Span("more"),) for _ in range(self.height_of(row) - 1))]

    def cell(self, row: Priced, column: str, look: Look, width: int) -> Cell:
        if column == "name":
            return Cell(row.name)
        if column == "note":
            return Cell(spans=row.note)
        return Cell(row.price, "-stale" if look.stale else "", float(row.price))

    def heading(self, look: Look) -> Title:
        return Title("Prices", "")

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("None", ())


class Bench:
    """A table of ten lines and the clock of its flashes."""

    def __init__(self, view: DeckView) -> None:
        self._view = view
        self.clock = 100.0
        self.pane = Prices(lambda: self.clock)

    def show(self, rows: Sequence[Priced]) -> None:
        self.pane.given = list(rows)
        self.pane.take(Look(replace(self._view), 0))

    def line(self, name: str) -> Line:
        return next(line for line in self.pane.lines if any(name in span.text for span in line))

    def texts(self) -> list[str]:
        return ["".join(span.text for span in line).rstrip() for line in self.pane.lines]


Open = Callable[[], AbstractAsyncContextManager[Bench]]


@pytest.fixture
def opened(view: DeckView) -> Open:
    @asynccontextmanager
    async def run() -> AsyncIterator[Bench]:
        bench = Bench(view)

        class Alone(App[None]):
            def compose(self) -> ComposeResult:
                yield bench.pane

        async with Alone().run_test(size=(40, 10)):
            yield bench

    return run


def rows_of(count: int, price: str = "1.25") -> list[Priced]:
    return [Priced(f"ROW{at:03d}", price) for at in range(count)]


async def test_a_row_that_says_the_same_is_not_drawn_again(opened: Open) -> None:
    async with opened() as bench:
        bench.show([Priced("GAPA", "1.25"), Priced("GAPB", "2.50")])
        before = {name: bench.line(name) for name in ("GAPA", "GAPB")}
        bench.show([Priced("GAPA", "1.25"), Priced("GAPB", "2.75")])
        assert bench.line("GAPA")[-1] is before["GAPA"][-1]
        assert "2.75" in bench.texts()[3]


async def test_a_cell_that_lights_up_goes_out_although_nothing_changes(opened: Open) -> None:
    async with opened() as bench:
        for price in ("1.25", "1.50"):
            bench.show([Priced("GAPA", price)])
        assert any("-flash-up" in span.ink for span in bench.line("GAPA"))
        bench.clock += 0.5
        bench.pane.redraw()
        assert not any("-flash" in span.ink for span in bench.line("GAPA"))


async def test_a_row_that_was_away_comes_back_without_a_light(opened: Open) -> None:
    async with opened() as bench:
        bench.show([Priced("GAPA", "1.25"), Priced("GAPB", "2.50")])
        bench.show([Priced("GAPB", "2.50")])
        bench.show([Priced("GAPA", "9.25"), Priced("GAPB", "2.50")])
        assert not any("-flash" in span.ink for span in bench.line("GAPA"))


async def test_a_longer_number_takes_room_and_gives_it_back(opened: Open) -> None:
    async with opened() as bench:
        bench.show([Priced("GAPA", "1.25"), Priced("GAPB", "1234567.125")])
        assert bench.texts()[2] == "  GAPA         1.25"
        bench.show([Priced("GAPA", "1.25"), Priced("GAPB", "2.50")])
        assert bench.texts()[2] == "  GAPA     1.25"
        bench.show([Priced("GAPA", "1.25")])
        assert bench.texts()[2] == "  GAPA     1.25"


async def test_a_longer_number_out_of_sight_is_found_in_its_turn(opened: Open) -> None:
    async with opened() as bench:
        rows = rows_of(5 * IN_TURN)
        bench.show(rows)
        short = bench.texts()[2]
        rows[-1] = Priced(rows[-1].name, "123456.25")
        for _ in range(5):
            bench.show(rows)
        assert bench.texts()[2] == short.replace("   1.25", "      1.25")


async def test_a_number_that_a_key_brings_into_sight_is_whole(opened: Open) -> None:
    async with opened() as bench:
        rows = rows_of(5 * IN_TURN)
        bench.show(rows)
        rows[-1] = Priced(rows[-1].name, "123456.25")
        bench.show(rows)
        bench.pane.move_to_end(last=True)
        assert bench.texts()[-1] == "  ROW199 123456.25"


async def test_neighbors_in_one_ink_are_one_span(opened: Open) -> None:
    async with opened() as bench:
        bench.show([Priced("GAPA", "1.25", (Span("up", "-up"), Span("!", "-up")))])
        assert [span.ink for span in bench.line("GAPA")] == ["", "", "-up", ""]


@pytest.mark.parametrize("first", [0, 7, 12, 29])
async def test_the_selected_row_is_in_sight_and_no_room_is_left(opened: Open, first: int) -> None:
    async with opened() as bench:
        bench.pane.tall = frozenset({"ROW005", "ROW012", "ROW029"})
        bench.show(rows_of(30))
        bench.pane.set_active(True)
        for at in (first, 29 - first):
            assert bench.pane.select(f"ROW{at:03d}")
            texts = bench.texts()
            lines = [text for text in texts if f"ROW{at:03d}" in text]
            tail = 2 if f"ROW{at:03d}" in bench.pane.tall else 0
            assert len(lines) == 1
            assert texts.index(lines[0]) + tail < 10
            assert len(texts) == 10


async def test_rows_that_leave_let_the_rest_move_down(opened: Open) -> None:
    async with opened() as bench:
        bench.show(rows_of(30))
        bench.pane.select("ROW029")
        bench.show(rows_of(12))
        assert bench.pane.above == 4
        bench.show(rows_of(3))
        assert bench.pane.above == 0
