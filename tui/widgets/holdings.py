"""What the account holds and what it closed: positions, round trips, sums by strategy."""

from collections.abc import Sequence
from decimal import Decimal

from tui import format as fmt
from tui.actions import Place
from tui.shown.portfolio import PositionRow, RoundTripRow, StrategyRow
from tui.widgets.columns import Column
from tui.widgets.figures import rate_words
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, Sort, TablePane


def signed(value: Decimal | None, look: Look) -> Cell:
    """Money gained or lost, in the color of its sign while it is true now."""
    text = fmt.signed_money(value)
    quiet = look.stale or text[0] not in "+-"
    return Cell(text, "-muted" if quiet else "-up" if text[0] == "+" else "-down")


def signed_ratio(ratio: float | None, look: Look) -> Cell:
    """The same for a percentage."""
    text = fmt.signed_percent(ratio, "")
    quiet = look.stale or text[0] not in "+-"
    return Cell(text, "-muted" if quiet else "-up" if text[0] == "+" else "-down", ratio)


class PositionsPane(TablePane[PositionRow]):
    """Each position with its way to stop and target."""

    place = Place.POSITIONS
    columns = (
        Column("symbol", "symbol", 6, 0, stretch=True),
        Column("qty", "qty", 5, 1, right=True),
        Column("average", "average", 7, 8, right=True, aligned=True),
        Column("last", "last", 6, 2, right=True, aligned=True),
        Column("value", "value", 8, 7, right=True),
        Column("pnl", "P&L", 7, 0, right=True),
        Column("pct", "%", 5, 2, right=True),
        Column("to_stop", "stop%", 5, 3, right=True),
        Column("to_target", "tgt%", 5, 3, right=True),
        Column("stop", "stop", 6, 5, right=True, aligned=True),
        Column("target", "target", 6, 6, right=True, aligned=True),
        Column("day", "day", 4, 4, right=True),
    )
    sorts: tuple[Sort[PositionRow], ...] = (
        Sort("age", lambda row: (row.unknown, row.number)),
        Sort("% ▼", lambda row: -(row.pnl_ratio or 0.0)),
        Sort("symbol", lambda row: row.symbol),
    )

    def heading(self, look: Look) -> Title:
        view = look.view.portfolio
        certain = len(view.positions) - view.unknown
        unknown = f" + {view.unknown} unknown" if view.unknown else ""
        exposure = (
            ""
            if view.exposure is None
            else f"{fmt.money(view.exposure)} · {fmt.percent(view.exposure_ratio)}"
        )
        return Title("Positions", f"{certain}{unknown}", exposure)

    def table(self, look: Look) -> Sequence[PositionRow]:
        return look.view.portfolio.positions

    def key(self, row: PositionRow) -> str:
        return row.ticket

    def words(self, row: PositionRow) -> str:
        return f"{row.symbol} {row.strategy}"

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("Nothing is held", ("An approved ticket becomes a position here.",))

    def cell(self, row: PositionRow, column: str, look: Look, width: int) -> Cell:
        old, mark = ("-stale", "~") if look.stale else ("", "")
        match column:
            case "symbol":
                return Cell(row.symbol, "-danger" if row.unknown else "-strong")
            case "qty":
                return Cell("?", "-danger") if row.unknown else Cell(fmt.quantity(row.quantity))
            case "average":
                return Cell(fmt.average(row.average))
            case "last":
                return Cell("–") if row.last is None else Cell(mark + fmt.price(row.last), old, row.last)
            case "value":
                if row.unknown:
                    return Cell(f"0..{fmt.amount(row.value_high)}")
                return Cell("–") if row.value is None else Cell(mark + fmt.money(row.value), old)
            case "pnl":
                return Cell("unknown", "-danger") if row.unknown else signed(row.pnl, look)
            case "pct":
                return signed_ratio(None if row.unknown else row.pnl_ratio, look)
            case "to_stop":
                return Cell(fmt.signed_percent(row.stop_ratio, ""), "-muted")
            case "to_target":
                return Cell(fmt.signed_percent(row.target_ratio, ""), "-muted")
            case "stop":
                return Cell(fmt.price(row.stop_price), "-muted")
            case "target":
                return Cell(fmt.price(row.target_price), "-muted")
            case "day":
                return Cell(f"{row.day}/{row.max_days}" if row.max_days else f"{row.day}", "-muted")
        raise KeyError(column)


class RoundTripsPane(TablePane[RoundTripRow]):
    """Finished trades, newest first."""

    place = Place.ROUND_TRIPS
    columns = (
        Column("when", "when", 5, 1),
        Column("symbol", "symbol", 6, 0),
        Column("from", "from", 7, 3),
        Column("exit", "exit", 6, 1, stretch=True),
        Column("pnl", "P&L", 8, 0, right=True),
        Column("pct", "%", 5, 0, right=True),
    )
    sorts: tuple[Sort[RoundTripRow], ...] = (
        Sort("newest", lambda row: -row.exit_us),
        Sort("P&L ▼", lambda row: -row.pnl),
        Sort("P&L ▲", lambda row: row.pnl),
    )

    def heading(self, look: Look) -> Title:
        return Title("Round trips", f"{look.view.portfolio.win.n} closed", self.sort_words)

    def table(self, look: Look) -> Sequence[RoundTripRow]:
        return look.view.portfolio.round_trips

    def key(self, row: RoundTripRow) -> str:
        return row.ticket

    def words(self, row: RoundTripRow) -> str:
        return f"{row.symbol} {row.strategy} {row.exit}"

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("No closed trades yet", ("Rates appear from 5, intervals always.",))

    def cell(self, row: RoundTripRow, column: str, look: Look, width: int) -> Cell:
        match column:
            case "when":
                return Cell(fmt.when(row.exit_us, look.now_us), "-muted")
            case "symbol":
                return Cell(row.symbol)
            case "from":
                return Cell(row.strategy, "-muted")
            case "exit":
                return Cell(row.exit.replace("_", " "), "-muted")
            case "pnl":
                return signed(row.pnl, look)
            case "pct":
                return signed_ratio(row.return_ratio, look)
        raise KeyError(column)


class ByStrategyPane(TablePane[StrategyRow]):
    """What the closed trades of each strategy made."""

    place = Place.BY_STRATEGY
    columns = (
        Column("strategy", "strategy", 8, 0),
        Column("n", "n", 4, 0, right=True),
        Column("win", "win%", 5, 0, right=True),
        Column("range", "90% range", 9, 2, right=True),
        Column("average", "avg%", 5, 1, right=True),
        Column("net", "net", 9, 0, right=True),
        Column("stage", "stage", 7, 3),
    )

    def heading(self, look: Look) -> Title:
        return Title("By strategy", "closed trades")

    def table(self, look: Look) -> Sequence[StrategyRow]:
        return look.view.portfolio.strategies

    def key(self, row: StrategyRow) -> str:
        return row.strategy

    def words(self, row: StrategyRow) -> str:
        return row.strategy

    def is_passive(self, row: StrategyRow, look: Look) -> bool:
        return row.win.n == 0

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("No strategy runs", ())

    def cell(self, row: StrategyRow, column: str, look: Look, width: int) -> Cell:
        rate = row.win
        match column:
            case "strategy":
                return Cell(row.strategy)
            case "n":
                return Cell(f"{rate.n}")
            case "win":
                return Cell("–" if rate.ratio is None else f"{rate.ratio * 100:.1f}")
            case "range":
                return Cell(rate_words(rate).removesuffix("%") if rate.n else "–", "-muted")
            case "average":
                return signed_ratio(row.average_ratio, look)
            case "net":
                return signed(row.net, look) if rate.n else Cell("–")
            case "stage":
                return Cell(row.stage, "-muted")
        raise KeyError(column)
