"""What the closed trades of each instrument made, and all of them together (CONSOLE 2, SPEC 9.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tui.actions import Place
from tui.shown.portfolio import PortfolioView, RateView
from tui.widgets.columns import Column
from tui.widgets.figures import rate_words
from tui.widgets.holdings import signed
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, Sort, TablePane

MEANINGFUL = 20
"""Trades under which no ratio is meaningful (SPEC 9.2)."""
TOO_FEW = f"n<{MEANINGFUL}"


@dataclass(frozen=True, slots=True)
class TradesRow:
    """The closed trades of one instrument; of all where `symbol` is ""."""

    symbol: str
    win: RateView
    net: Decimal
    best: Decimal
    worst: Decimal
    profit_factor: float | None
    expectancy: Decimal | None


def trades_rows(view: PortfolioView) -> list[TradesRow]:
    """All trades together first."""
    rows = [
        TradesRow(row.symbol, row.win, row.net, row.best, row.worst, row.profit_factor, row.expectancy)
        for row in view.instruments
    ]
    if view.best is None or view.worst is None:
        return rows
    net = sum((row.net for row in view.strategies), Decimal(0))
    best, worst = view.best.pnl, view.worst.pnl
    return [TradesRow("", view.win, net, best, worst, view.profit_factor, view.expectancy), *rows]


class InstrumentsPane(TablePane[TradesRow]):
    """Ratios of under 20 trades are not meaningful: a win rate is muted, the others are not shown."""

    place = Place.INSTRUMENTS
    columns = (
        Column("symbol", "symbol", 8, 0, stretch=True),
        Column("n", "n", 3, 0, right=True),
        Column("win", "win%", 4, 1, right=True),
        Column("range", "90% range", 9, 8, right=True),
        Column("factor", "factor", 6, 5, right=True),
        Column("mean", "mean", 6, 6, right=True),
        Column("best", "best", 7, 3, right=True),
        Column("worst", "worst", 7, 4, right=True),
        Column("net", "net", 8, 0, right=True),
    )
    sorts: tuple[Sort[TradesRow], ...] = (
        Sort("net ▼", lambda row: (bool(row.symbol), -row.net)),
        Sort("net ▲", lambda row: (bool(row.symbol), row.net)),
        Sort("n ▼", lambda row: (bool(row.symbol), -row.win.n)),
        Sort("symbol", lambda row: row.symbol),
    )

    def heading(self, look: Look) -> Title:
        found = look.view.portfolio.instruments
        few = any(row.win.n < MEANINGFUL for row in found)
        wide = self.size.width >= 64
        note = f"{TOO_FEW}: ratios not meaningful · {self.sort_words}" if few and wide else self.sort_words
        return Title("By instrument", f"{len(found)}" if found else "", note)

    def table(self, look: Look) -> Sequence[TradesRow]:
        return trades_rows(look.view.portfolio)

    def key(self, row: TradesRow) -> str:
        return row.symbol

    def words(self, row: TradesRow) -> str:
        return row.symbol or "all trades"

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("No closed trades yet", ("Each instrument that was traded gets a row here.",))

    def cell(self, row: TradesRow, column: str, look: Look, width: int) -> Cell:
        rate = row.win
        match column:
            case "symbol":
                return Cell(row.symbol, "") if row.symbol else Cell("all", "-strong")
            case "n":
                return Cell(f"{rate.n}")
            case "win":
                if rate.is_too_few or rate.ratio is None:
                    return Cell("few", "-muted")
                return Cell(f"{rate.ratio * 100:.1f}", "-muted" if rate.n < MEANINGFUL else "")
            case "range":
                return Cell(rate_words(rate).removesuffix("%"), "-muted")
            case "factor":
                return _ratio(rate, None if row.profit_factor is None else f"{row.profit_factor:.2f}")
            case "mean":
                if row.expectancy is None:
                    return _ratio(rate, None)
                return signed(row.expectancy, look)
            case "best":
                return signed(row.best, look)
            case "worst":
                return signed(row.worst, look)
            case "net":
                return signed(row.net, look)
        raise KeyError(column)


def _ratio(rate: RateView, text: str | None) -> Cell:
    """The ratio, or that there are too few trades for one."""
    if rate.n < MEANINGFUL:
        return Cell(TOO_FEW, "-muted")
    return Cell("–", "-muted") if text is None else Cell(text)
